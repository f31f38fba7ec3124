# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of real programs share: a server under ptmon, what strace says, sums over TCP."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.counting import assert_audits_match, assert_schema_true, only_child
from tests.support import DEADLINE, assert_sums_agree, started, tracing, until

LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp: TCP_LISTEN of include/net/tcp_states.h."""

CLAIMS: list[socket.socket] = []
"""What says that ports are taken, until this process ends."""
TRANSFERS = "read,readv,recvfrom,recvmsg,recvmmsg,write,writev,sendto,sendmsg,sendmmsg,sendfile,splice"
STRACE_LINE = re.compile(r"(\w+)\(\d+<TCP:\[[^]]*\]>.* = (\d+)\n")


def program(name: str) -> str:
    """Path of an installed program; the test is skipped if there is none."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def free_port() -> int:
    """A port of 127.0.0.1 to listen on, below those that the kernel gives to clients, so that none takes it.

    Nor does another suite that runs at the same time: as long as this one runs, an abstract Unix socket of its number
    (unix(7)) says that the port is taken.
    """
    while True:
        port = random.randrange(10000, 32000)
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0ptmon-tests-port-{port}")
            with socket.socket() as trial:
                trial.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        return port


def states(port: int) -> list[str]:
    """The states of the TCP sockets whose local port this is. See proc(5), /proc/net/tcp."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[3] for row in rows if row[1].endswith(f":{port:04X}")]


def listens(port: int) -> bool:
    """Asked of the kernel, not by a connection: a server of one client would take that for its client."""
    return LISTEN in states(port)


def connections(port: int) -> int:
    """How many connections a server has, or has not closed yet."""
    return sum(state != LISTEN for state in states(port))


@contextmanager
def listening(words: Sequence[str | Path], port: int, log: Path, **keywords: Any) -> Iterator[subprocess.Popen[str]]:
    """A process whose server listens; what it says is in ``log``."""
    with log.open("w") as out:
        keywords = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": subprocess.STDOUT, **keywords}
        with started(words, **keywords) as process:

            def ready() -> bool:
                assert process.poll() is None, log.read_text()
                return listens(port)

            until(ready, f"port {port}")
            yield process


@dataclass
class Server:
    """A server under ptmon, and the report once it has ended."""

    ptmon: subprocess.Popen[str]
    pid: int
    file: Path
    log: Path
    report: dict[str, Any] = field(default_factory=dict)

    def end(self, number: int | None = signal.SIGTERM, status: int = 0) -> dict[str, Any]:
        """Sends the server a signal (None: it ends by itself), waits for ptmon, and returns the report, checked."""
        if number is not None:
            os.kill(self.pid, number)
        assert self.ptmon.wait(DEADLINE) == status, self.log.read_text()
        self.report = checked(json.loads(self.file.read_text()))
        return self.report


@contextmanager
def serving(
    words: Sequence[str | Path], port: int, folder: Path, options: Sequence[str] = (), **keywords: Any
) -> Iterator[Server]:
    """Launches a server under ptmon and waits until it listens on ``port``."""
    file, log = folder / "server.json", folder / "server.log"
    command = tracing(*options, "--format", "json", "-o", file, "--", *words)
    with listening(command, port, log, **keywords) as ptmon:
        yield Server(ptmon, only_child(ptmon.pid), file, log)


def checked(report: dict[str, Any]) -> dict[str, Any]:
    """A report that is complete, and whose every TCP socket agrees with the kernel's own counters."""
    assert_schema_true(report)
    assert_sums_agree(report)
    assert report["complete"], report["warnings"]
    assert_audits_match(report)
    return report


def tcp_rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The TCP sockets that moved bytes."""
    return [row for row in report["sockets"] if row["protocol"] == "tcp" and (row["sent"] or row["received"])]


def over_tcp(report: dict[str, Any]) -> tuple[int, int]:
    """(sent, received) over TCP alone: many programs talk to themselves over unix sockets as well."""
    rows = tcp_rows(report)
    return sum(row["sent"] for row in rows), sum(row["received"] for row in rows)


def strace_words(file: Path) -> list[str]:
    """strace without -f: a line for each call, with the socket that it was on. For a program of one thread."""
    return [program("strace"), "-yy", "-o", str(file), "-e", f"trace={TRANSFERS}", "--"]


def strace_sums(file: Path) -> tuple[int, int]:
    """(sent, received) over TCP by strace's lines."""
    sums = {"sent": 0, "received": 0}
    for name, result in STRACE_LINE.findall(file.read_text()):
        sums["received" if name.startswith(("read", "recv")) else "sent"] += int(result)
    return sums["sent"], sums["received"]
