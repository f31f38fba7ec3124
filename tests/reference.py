# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the reference engine share: how to run it, and a server of one thread with its clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import DEADLINE, PTMON, Outcome, Targets, run_plain, run_ptmon, started

REFERENCE = ("--engine", "reference")
TEXT = 35
"""Bytes that a client and its server exchange each way."""


def reference(command: list[str | Path], folder: Path, *options: str, **keywords: Any) -> Outcome:
    return run_ptmon(command, folder / "report.json", [*REFERENCE, *options], **keywords)


def quietly(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    command = [*PTMON, *REFERENCE, "-q", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, **keywords)


@contextmanager
def server(targets: Targets) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of one thread, and its port."""
    with started([targets("send_recv_server"), "0"]) as process:
        yield process, port_of(process)


def port_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word, port = process.stdout.readline().split()
    assert word == "listening"
    return port


def talk(targets: Targets, port: str, clients: int) -> None:
    for _ in range(clients):
        assert run_plain(targets("send_recv_client"), port).stdout == '{"sent": 35, "received": 35}\n'


def assert_exchanged(report: dict[str, Any], clients: int) -> None:
    assert report["engine"] == "reference"
    assert report["complete"], report["warnings"]
    assert (report["totals"]["sent"], report["totals"]["received"]) == (clients * TEXT, clients * TEXT)
    assert (report["totals"]["calls_sent"], report["totals"]["calls_received"]) == (clients, clients)
    rows = [(row["sent"], row["received"], row["audit"]) for row in report["sockets"]]
    assert rows == [(TEXT, TEXT, "match")] * clients
