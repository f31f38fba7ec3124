# SPDX-License-Identifier: GPL-2.0-or-later
"""--limit: a program that moves more is ended, attached ones are let go; the report and the exit status say so."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.counting import assert_schema_true
from tests.support import process_state, run_plain, run_ptmon, started, tracing

EXIT_LIMIT = 124
ENDLESS = """
import os, signal, socket, sys
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, lambda *_: None)
if "child" in sys.argv:
    os.fork()
print(os.getpid(), flush=True)
a, b = socket.socketpair()
while True:
    a.send(b"x" * 1000)
    b.recv(1000)
"""
TEN = """
import socket
a, b = socket.socketpair()
for _ in range(10):
    a.send(b"x" * 500)
    b.recv(500)
"""
PYTHON = [sys.executable, "-c"]


def gone(pids: str) -> bool:
    """An orphan may still wait for who reaps it."""
    return all(process_state(int(pid)) in ("", "Z") for pid in pids.split())


@pytest.mark.parametrize("words", [[], ["stubborn"], ["child"]], ids=["", "without SIGTERM", "with a child"])
@pytest.mark.parametrize("fast", [["--fast-after", "1"], ["--fast", "off"]], ids=["inside", "at stops"])
def test_a_program_that_moves_more_is_ended(tmp_path: Path, words: list[str], fast: list[str]) -> None:
    outcome = run_ptmon([*PYTHON, ENDLESS, *words], tmp_path / "r.json", ["--limit", "1MB", *fast])
    report = outcome.report
    assert_schema_true(report)
    assert outcome.returncode == EXIT_LIMIT, outcome.stderr
    assert outcome.stderr.startswith("ptmon: ") and "more than --limit 1.00 MB: the program is ended" in outcome.stderr
    assert report["limit"] == {"bytes": 1_000_000, "passed": True}
    assert report["totals"]["sent"] + report["totals"]["received"] > 1_000_000
    assert report["complete"] and (report["path"]["fast"] > 0) == (fast[0] == "--fast-after")
    assert report["exit"] == {"code": None, "signal": 9 if words == ["stubborn"] else 15}
    assert len(report["processes"]) == 1 + (words == ["child"])
    assert gone(outcome.stdout)


@pytest.mark.parametrize(
    ("limit", "status"),
    [("10kB", 0), ("9.9kB", EXIT_LIMIT), ("9999", EXIT_LIMIT), ("9 KiB", EXIT_LIMIT), ("0", EXIT_LIMIT)],
)
def test_what_moves_no_more_than_the_limit_is_left_alone(tmp_path: Path, limit: str, status: int) -> None:
    outcome = run_ptmon([*PYTHON, TEN], tmp_path / "r.json", ["--limit", limit])
    assert outcome.returncode == status, outcome.stderr
    assert outcome.report["limit"]["passed"] == bool(status)
    assert bool(outcome.stderr) == bool(status)
    if not status:
        assert outcome.report["totals"]["sent"] + outcome.report["totals"]["received"] == 10_000


def test_the_reference_engine_ends_a_program_too(tmp_path: Path) -> None:
    outcome = run_ptmon([*PYTHON, ENDLESS], tmp_path / "r.json", ["--limit", "10kB", "--engine", "reference"])
    assert outcome.returncode == EXIT_LIMIT, outcome.stderr
    assert outcome.report["exit"] == {"code": None, "signal": 15}


def test_attached_processes_are_let_go_and_run_on(tmp_path: Path) -> None:
    with started([*PYTHON, ENDLESS]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        options: list[str | Path] = [
            "--limit",
            "1MB",
            "--format",
            "json",
            "-o",
            tmp_path / "r.json",
            "-p",
            str(process.pid),
        ]
        done = run_plain(*tracing(*options))
        assert done.returncode == EXIT_LIMIT, done.stderr
        assert "more than --limit 1.00 MB: ptmon lets its targets go" in done.stderr
        report: dict[str, Any] = json.loads((tmp_path / "r.json").read_text())
        assert report["limit"]["passed"] and report["exit"] is None
        assert process.poll() is None
        process.kill()


@pytest.mark.parametrize("limit", ["10mb", "-1", "1e6", "", "ten", "10 Mbit"])
def test_what_is_no_size_is_an_error_before_the_program_starts(tmp_path: Path, limit: str) -> None:
    witness = tmp_path / "started"
    done = run_plain(*tracing(f"--limit={limit}"), "--", "touch", witness)
    assert done.returncode == 2
    assert f"--limit: {limit!r} is no size" in done.stderr and done.stderr.count("\n") == 1
    assert not witness.exists()
