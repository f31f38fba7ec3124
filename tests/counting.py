# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of counting share: a target's run beside a plain run, and readers of the report's rows."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support import Outcome, Targets, run_plain, run_ptmon

SENDING = ("sendto", "sendmsg", "sendmmsg", "write", "writev", "pwritev2")
RECEIVING = ("recvfrom", "recvmsg", "recvmmsg", "read", "readv", "preadv2")
COUNTED = 211 + 1009
"""What counting.c sends and receives, by each of these calls."""

I386 = ("-m32", "-idirafter", "/usr/include/x86_64-linux-gnu")
"""For an i386 program. Debian's link from there to asm/ is in gcc-multilib, which excludes the cross compilers."""

SKIPPED = 77
"""Exit status of a target which can't do its work on this machine; it says why on stderr."""


@cache
def schema() -> dict[str, Any]:
    """The schema of a report, as ptmon ships it."""
    document = json.loads(files("ptmon").joinpath("report.schema.json").read_text())
    assert isinstance(document, dict)
    return document


def assert_schema_true(report: dict[str, Any]) -> None:
    """The report is what the schema says."""
    jsonschema.Draft202012Validator(schema()).validate(report)


@cache
def i386_trouble(folder: Path) -> str:
    """Why no i386 program can be built or run here; empty if one can."""
    source = folder / "i386.c"
    source.write_text('#include <errno.h>\n#include <stdio.h>\nint main(void) { return puts("") < 0; }\n')
    try:
        build = subprocess.run(["cc", *I386, "-o", folder / "i386", source], capture_output=True, text=True)
        if build.returncode != 0:
            return f"no 32-bit C library (gcc-multilib): {build.stderr.strip().splitlines()[-1]}"
        subprocess.run([folder / "i386"], capture_output=True, check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        return f"the kernel runs no i386 programs (CONFIG_IA32_EMULATION): {error}"
    return ""


def compiled(targets: Targets, name: str, flags: Sequence[str]) -> Path:
    """A target's path; the test is skipped where it needs an i386 program and there can be none."""
    if "-m32" in flags and (trouble := i386_trouble(targets.folder)):
        pytest.skip(trouble)
    return targets(name, *flags)


class Count:
    """``count("name", argument...)`` runs a target plainly and under ptmon, and checks what holds for every target:

    the same output and exit status, totals as the target tells them, sums that agree, a report that is complete and
    true to its schema, and the kernel's TCP counters beside ptmon's.
    """

    def __init__(self, targets: Targets, folder: Path, seccomp: str) -> None:
        self.targets = targets
        self.folder = folder
        self.seccomp = seccomp

    def __call__(
        self,
        name: str,
        *arguments: str,
        flags: Sequence[str] = (),
        options: Sequence[str] = (),
        same: bool = True,
        audited: bool = True,
    ) -> Outcome:
        """``same``: the target tells the same at each run. ``audited``: its TCP sockets have an fd to their end."""
        traced = self.unchecked(name, *arguments, flags=flags, options=options, same=same)
        assert (traced.totals["sent"], traced.totals["received"]) == (traced.told["sent"], traced.told["received"])
        assert traced.report["complete"], traced.report["warnings"]
        assert traced.report["warnings"] == []
        if audited:
            assert_audits_match(traced.report)
        return traced

    def unchecked(
        self, name: str, *arguments: str, flags: Sequence[str] = (), options: Sequence[str] = (), same: bool = True
    ) -> Outcome:
        """The same for a target whose bytes ptmon can't know all: only its behaviour and the schema are checked."""
        command: list[str | Path] = [compiled(self.targets, name, flags), *arguments]
        plain = run_plain(*command)
        if plain.returncode == SKIPPED:
            pytest.skip(plain.stderr.strip())
        traced = run_ptmon(command, self.folder / "report.json", ["--seccomp", self.seccomp, *options])
        assert traced.returncode == plain.returncode, traced.stderr
        if same:
            assert traced.stdout == plain.stdout
        assert_schema_true(traced.report)
        return traced


def assert_audits_match(report: dict[str, Any]) -> None:
    """Every TCP socket that moved bytes was read from the kernel when it ended, and the kernel counted the same.

    Its peer is told even if the connection was gone by then. (All peers of these tests are on the loopback.)
    """
    for socket in report["sockets"]:
        if socket["protocol"] == "tcp" and (socket["sent"] or socket["received"]):
            assert socket["audit"] == "match", socket
            assert socket["tcp"]["bytes_sent"] == socket["sent"]
            assert socket["tcp"]["bytes_received"] == socket["received"]
            assert socket["local"] and socket["peer"] and socket["scope"] == "loopback", socket


def calls(outcome: Outcome) -> dict[str, tuple[int, int, int]]:
    """by_syscall as (calls, errors, bytes)."""
    return {name: (row["calls"], row["errors"], row["bytes"]) for name, row in outcome.report["by_syscall"].items()}


def errnos(outcome: Outcome) -> dict[str, dict[str, int]]:
    """The errnos of by_syscall, of those calls that had some."""
    return {name: row["errnos"] for name, row in outcome.report["by_syscall"].items() if "errnos" in row}


def moved(rows: Iterable[dict[str, Any]]) -> list[tuple[int, int]]:
    """(sent, received) of rows that moved bytes, sorted."""
    return sorted((row["sent"], row["received"]) for row in rows if row["sent"] or row["received"])


def by_inode(report: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    """The rows of each socket: several where it has several peers."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in report["sockets"]:
        found.setdefault(row["inode"], []).append(row)
    return found


def inodes_moved(report: dict[str, Any]) -> list[tuple[int, int]]:
    """(sent, received) of each socket that moved bytes, its rows summed, sorted."""
    sums = [
        {"sent": sum(row["sent"] for row in rows), "received": sum(row["received"] for row in rows)}
        for rows in by_inode(report).values()
    ]
    return moved(sums)


def by_peer(rows: Iterable[dict[str, Any]]) -> dict[str | None, tuple[int, int]]:
    """(sent, received) with each peer."""
    sent: Counter[str | None] = Counter()
    received: Counter[str | None] = Counter()
    for row in rows:
        sent[row["peer"]] += row["sent"]
        received[row["peer"]] += row["received"]
    return {peer: (sent[peer], received[peer]) for peer in sent}


def root_and_children(report: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The process that ptmon started, and the others."""
    pids = {process["pid"] for process in report["processes"]}
    (root,) = [process for process in report["processes"] if process["ppid"] not in pids]
    return root, [process for process in report["processes"] if process is not root]


def server_and_clients(report: dict[str, Any]) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """The rows of the socket that moved most, and those of each other in the order in which they were first used."""
    sockets = list(by_inode(report).values())
    server = max(sockets, key=lambda rows: sum(row["sent"] + row["received"] for row in rows))
    return server, [rows for rows in sockets if rows is not server]


def local(rows: list[dict[str, Any]]) -> str:
    """The one local address of a socket's rows."""
    (address,) = {row["local"] for row in rows}
    assert isinstance(address, str)
    return address


def reasons(report: dict[str, Any]) -> list[str]:
    """Why the report says that it is not complete."""
    return [warning["reason"] for warning in report["warnings"]]


def only_child(pid: int) -> int:
    """The child of a process that has one: proc(5)."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
