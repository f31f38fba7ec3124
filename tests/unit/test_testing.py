# SPDX-License-Identifier: GPL-2.0-or-later
"""Which test a process belongs to, and what is answered: by records alone, without a pytest that is traced."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ptmon import syscalls
from ptmon.records import (
    Called,
    Clone,
    Denied,
    Direction,
    Entered,
    Exec,
    Incomplete,
    Reason,
    Record,
    SocketSeen,
    Transfer,
)
from ptmon.report import Header
from ptmon.testing import marks
from ptmon.testing.tally import REACHED_MOST, Tally
from tests.unit.build import inet

ROOT = 100
HEADER = Header("here", ("pytest",), "launch", "native", "2026-01-01T00:00:00.000000Z", ROOT, 1)
PIPE_SIZE = 65536


class Traced:
    """A Tally, and what its program would read."""

    def __init__(self) -> None:
        self.answers, ours = os.pipe()
        self.theirs = os.dup(self.answers)
        self.tally = Tally(ours, self.theirs)
        self.ours = ours
        self.tally.start(HEADER)
        self.take(Exec(0.0, ROOT, ROOT, "python3", "/usr/bin/python3", ("pytest",), False, None))

    def take(self, *records: Record) -> list[Record]:
        return list(self.tally.take(records))

    def mark(self, word: str, number: int, pid: int = ROOT) -> None:
        call = Called(0, False, (0,) * 6, ((64, f"/dev/null/ptmon/{word}/{number}\0".encode()),))
        assert self.take(Entered(0.0, pid, pid, call)) == []

    def ask(self, word: str = marks.ASK, number: int = 7) -> dict[str, Any]:
        self.mark(word, number)
        found: dict[str, Any] = json.loads(os.read(self.answers, PIPE_SIZE))
        assert found.pop("answers") == number
        return found


@pytest.fixture
def traced() -> Iterator[Traced]:
    made = Traced()
    yield made
    os.close(made.answers)
    os.close(made.ours)


def born(pid: int, parent: int) -> Clone:
    return Clone(0.0, pid, pid, parent)


def moved(pid: int, count: int, row: int = 0) -> Transfer:
    return Transfer(0.0, pid, pid, "sendto", 3, row, Direction.SENT, 1, count, 0)


def reached(pid: int, host: str) -> Denied:
    (number, compat), *_ = syscalls.numbers("connect")
    address = inet(host, 80)
    return Denied(0.0, pid, pid, Called(number, compat, (3, 64, len(address), 0, 0, 0), ((64, address),)), "x", 0)


def test_a_grandchild_belongs_to_the_test_in_which_its_parent_was_born(traced: Traced) -> None:
    traced.mark(marks.BEGIN, 1)
    traced.take(born(101, ROOT), born(102, 101), moved(102, 5), moved(ROOT, 1))
    assert traced.ask()["sent"] == 6
    traced.mark(marks.END, 1)
    traced.mark(marks.BEGIN, 2)
    traced.take(born(103, 102), moved(103, 50), moved(ROOT, 2))
    assert traced.ask()["sent"] == 2
    traced.mark(marks.END, 2)
    assert traced.ask(marks.SUM)["rows"] == [[1, 56, 0], [2, 2, 0]]


def test_a_pid_that_is_given_out_anew_is_another_process(traced: Traced) -> None:
    traced.mark(marks.BEGIN, 1)
    traced.take(born(101, ROOT))
    traced.mark(marks.END, 1)
    traced.mark(marks.BEGIN, 2)
    traced.take(born(101, ROOT), moved(101, 3))
    assert traced.ask()["sent"] == 3


def test_what_is_in_no_test_is_told_apart(traced: Traced) -> None:
    traced.take(moved(ROOT, 9), born(101, ROOT))
    traced.mark(marks.BEGIN, 1)
    traced.take(moved(101, 1))
    assert traced.ask()["sent"] == 0
    assert traced.ask(marks.SUM)["outside"] == [10, 0]


def test_nobody_but_the_tests_own_process_makes_marks(traced: Traced) -> None:
    traced.mark(marks.BEGIN, 1)
    traced.take(born(101, ROOT))
    traced.mark(marks.END, 1, pid=101)
    traced.mark(marks.SUM, 1, pid=101)
    traced.take(moved(ROOT, 4))
    assert traced.ask()["sent"] == 4


def test_a_socket_that_was_there_before_the_test_reaches_out_too(traced: Traced) -> None:
    seen = SocketSeen(0.0, ROOT, ROOT, 3, 5, 1, socket.AF_INET, 1, 6, b"", inet("192.0.2.1", 80))
    traced.take(seen)
    traced.mark(marks.BEGIN, 1)
    assert traced.ask()["reached"] == []
    traced.take(moved(ROOT, 4, row=5))
    assert traced.ask()["reached"] == [f"python3[{ROOT}] reached out to 192.0.2.1:80 (sendto)"]


def test_notes_are_for_nobody_else_and_private_peers_are_no_breach(traced: Traced) -> None:
    traced.mark(marks.BEGIN, 1)
    assert traced.take(reached(ROOT, "10.0.0.1"), reached(ROOT, "127.0.0.1")) == []
    assert traced.ask()["reached"] == []


def test_what_is_reached_after_the_end_is_told_at_the_end(traced: Traced) -> None:
    traced.mark(marks.BEGIN, 1)
    traced.take(born(101, ROOT), reached(101, "192.0.2.1"))
    traced.mark(marks.END, 1)
    assert traced.ask(marks.SUM)["late"] == []
    traced.take(reached(101, "192.0.2.2"))
    assert traced.ask(marks.SUM)["late"] == [[1, "python3[101] reached out to 192.0.2.2:80 (connect)"]]


def test_what_may_be_missing_is_told(traced: Traced) -> None:
    traced.take(Incomplete(0.0, 101, Reason.IO_URING, None, 0))
    (line,) = traced.ask(marks.SUM)["missing"]
    assert "io_uring" in line


def test_an_answer_fits_into_the_pipe_whatever_programs_are_called(traced: Traced) -> None:
    traced.mark(marks.BEGIN, 1)
    for pid in range(101, 101 + 5 * REACHED_MOST):
        traced.take(born(pid, ROOT), Exec(0.0, pid, pid, "\N{BUG}\n" * 200, "x", (), False, None))
        traced.take(reached(pid, "192.0.2.1"))
    row = traced.ask()
    assert len(row["reached"]) == REACHED_MOST and row["more"] == 4 * REACHED_MOST
    assert not any("\n" in line for line in row["reached"])


@pytest.mark.parametrize(
    "path", [b"", b"x", b"/dev/null/ptmon/begin", b"/dev/null/ptmon/go/1", b"/dev/null/ptmon/end/-1", b"\xff/\xff/1"]
)
def test_what_looks_like_no_mark_is_none(path: bytes) -> None:
    assert marks.read(path) is None


def test_a_mark_is_what_was_made() -> None:
    assert marks.read(b"/dev/null/ptmon/begin/12") == ("begin", 12)
