# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of counting inside the tracee share: a target runs plainly, and the same under each way to count."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import Attached, attached
from tests.counting import SKIPPED, assert_audits_match, assert_schema_true, inodes_moved
from tests.hazards import reasons
from tests.support import DEADLINE, Outcome, Targets, run_plain, run_ptmon, started

MODES = {"default": (), "first": ("--fast-after", "1"), "off": ("--fast", "off")}
"""Calls are counted inside the tracee from the 51st at a site on, from the second on, or never."""

PATCHED = ("glibc", "static")
"""A libc each of whose wrappers has an instruction of its own; musl's share one, so that one may be left alone."""


def musl() -> str:
    """The compiler for musl; the test is skipped if there is none."""
    path = shutil.which("musl-gcc")
    if path is None:
        pytest.skip("musl-gcc is not installed (musl-tools)")
    return path


def built(targets: Targets, name: str, libc: str) -> Path:
    """A target that is linked dynamically or statically with glibc, or statically with musl."""
    if libc == "musl":
        return targets(name, "-static", compiler=musl())
    flags = ["-fexceptions", *(["-static"] if libc == "static" else [])]
    return targets(name, *flags)


def figures(report: dict[str, Any]) -> dict[str, Any]:
    """All that must be the same however the calls were counted."""
    return {key: report[key] for key in ("totals", "by_syscall", "by_family", "by_scope")} | {
        "sockets": inodes_moved(report),
        "processes": [(row["name"], row["sent"], row["received"], row["exit"]) for row in report["processes"]],
    }


class Fast:
    """``fast("name", argument...)`` runs a target plainly and under ptmon in one mode, and checks what always holds."""

    def __init__(self, targets: Targets, folder: Path, mode: str, references: dict[tuple[str, ...], Any]) -> None:
        self.targets = targets
        self.folder = folder
        self.mode = mode
        self.references = references
        self.options = list(MODES[mode])

    def __call__(
        self,
        name: str | Path,
        *arguments: str,
        libc: str = "glibc",
        same: bool = True,
        calls: bool = True,
        patched: bool = True,
        options: Sequence[str] = (),
    ) -> Outcome:
        """``same``: it does the same each time. ``calls``: it knows its calls. ``patched``: its code can be changed."""
        program = name if isinstance(name, Path) else built(self.targets, name, libc)
        command = [str(program), *arguments]
        plain = run_plain(*command)
        if plain.returncode == SKIPPED:
            pytest.skip(plain.stderr.strip())
        traced = run_ptmon(command, self.folder / "report.json", [*self.options, *options])
        assert traced.returncode == plain.returncode, (traced.returncode, plain, traced.stderr)
        assert traced.stdout.splitlines()[: None if same else -1] == plain.stdout.splitlines()[: None if same else -1]
        self.assert_told(traced.report, traced.told, calls=calls)
        self.assert_path(traced.report, patched=patched and libc in PATCHED)
        assert_audits_match(traced.report)
        if same and calls:
            expected = self.references.setdefault(tuple(command), figures(traced.report))
            assert figures(traced.report) == expected
        return traced

    def attached(
        self, name: str | Path, *arguments: str, libc: str = "glibc", calls: bool = True, patched: bool = False
    ) -> dict[str, Any]:
        """The same for a target that is attached to when it says that it is ready, and runs to its end. Its report."""
        program = name if isinstance(name, Path) else built(self.targets, name, libc)
        plain = run_plain(program, *arguments)
        if plain.returncode == SKIPPED:
            pytest.skip(plain.stderr.strip())
        with self.ready(program, *arguments) as (process, ptmon):
            out, errors = process.communicate("\n", timeout=DEADLINE)
            ptmon.finish()
        assert (process.returncode, errors) == (plain.returncode, plain.stderr)
        assert out.splitlines()[:-1] == plain.stdout.splitlines()[:-1]
        self.assert_told(ptmon.report, json.loads(out.splitlines()[-1]), calls=calls)
        self.assert_path(ptmon.report, patched=patched and libc in PATCHED)
        return ptmon.report

    @contextmanager
    def ready(self, program: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Attached]]:
        """A target that waits for a byte on stdin, and the ptmon that holds it."""
        with started([program, *arguments, "wait"], stdin=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            with attached(process.pid, self.folder / "attached.json", *self.options, states="StR") as ptmon:
                yield process, ptmon

    def assert_told(self, report: dict[str, Any], told: dict[str, int], *, calls: bool) -> None:
        """The totals are what the target tells of itself; nothing is missing."""
        totals = {**report["totals"], "calls": report["totals"]["calls_sent"] + report["totals"]["calls_received"]}
        keys = ["sent", "received", *(["peeked"] if "peeked" in told else []), *(["calls", "errors"] if calls else [])]
        wrong = {key: (totals[key], told[key]) for key in keys if totals[key] != told[key]}
        assert not wrong, f"ptmon's figure and the target's: {wrong}; {report['by_syscall']}"
        assert_schema_true(report)
        assert report["complete"], report["warnings"]
        assert not reasons(report)

    def assert_path(self, report: dict[str, Any], *, patched: bool) -> None:
        """Calls were counted inside the tracee if that was asked for, and all calls one way or the other."""
        totals = report["totals"]
        if self.mode == "off" or platform.machine() != "x86_64":
            assert report["path"]["fast"] == 0
        elif patched:
            assert report["path"]["fast"] > 0, report["fallbacks"]
        assert sum(report["path"].values()) >= totals["calls_sent"] + totals["calls_received"]
