# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon's own lines: on a stderr that is slow, non-blocking, broken or not there at all."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ptmon.ledger.snapshot import Since, Snapshot
from ptmon.outputs import stderr
from ptmon.outputs.interval import IntervalOutput
from ptmon.report import Totals
from tests.unit.build import HEADER
from tests.unit.schema import event_validator

SNAPSHOT = Snapshot(1.0, Totals(sent=35), 35, 0, 1, 1, complete=False, since=Since(0.5, 20, 0))


@contextmanager
def piped_stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """stderr is a pipe; the value is its reading end."""
    reader, writer = os.pipe()
    with open(writer, "w") as file:
        monkeypatch.setattr("sys.stderr", file)
        try:
            yield reader
        finally:
            monkeypatch.undo()
    os.close(reader)


def fill(writer: int) -> int:
    """Fills a pipe; returns how many bytes that took."""
    os.set_blocking(writer, False)
    count = 0
    try:
        while True:
            count += os.write(writer, b"x" * 4096)
    except BlockingIOError:
        return count
    finally:
        os.set_blocking(writer, True)


def writer_of(reader: int) -> int:
    import sys

    assert sys.stderr is not None
    assert sys.stderr.fileno() != reader
    return sys.stderr.fileno()


def test_nothing_is_lost_where_the_program_made_stderr_non_blocking(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f"{number}\n" for number in range(100_000))
    with piped_stderr(monkeypatch) as reader:
        writer = writer_of(reader)
        os.set_blocking(writer, False)
        assert fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) < len(text)
        thread = threading.Thread(target=stderr.put, args=(lambda file: file.write(text),))
        thread.start()
        got = b""
        while len(got) < len(text):
            got += os.read(reader, 1 << 16)
        thread.join()
    assert got.decode() == text


def test_a_broken_pipe_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as file:
        monkeypatch.setattr("sys.stderr", file)
        stderr.say("x")
        stderr.put(lambda stream: stream.write("x" * 1_000_000))
        monkeypatch.undo()


def test_without_a_stderr_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    stderr.say("x")
    assert not stderr.would_wait()


def test_lines_that_would_wait_are_missed_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    output = IntervalOutput("iec")
    with piped_stderr(monkeypatch) as reader:
        count = fill(writer_of(reader))
        output.snapshot(SNAPSHOT)
        output.snapshot(SNAPSHOT)
        while count:
            count -= len(os.read(reader, count))
        output.snapshot(SNAPSHOT)
        line = "ptmon: 1.00 s: sent 35 B (+20 B, 40 B/s), received 0 B (+0 B, 0 B/s), 1 process, 1 socket, not complete"
        assert os.read(reader, 1 << 16).decode() == f"{line} (2 lines missed)\n"
        output.snapshot(SNAPSHOT)
        assert os.read(reader, 1 << 16).decode() == f"{line}\n"


def test_snapshots_as_json_are_events_and_tell_what_was_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    output = IntervalOutput("iec", "jsonl")
    with piped_stderr(monkeypatch) as reader:
        output.start(HEADER)
        output.snapshot(SNAPSHOT)
        first = [json.loads(line) for line in os.read(reader, 1 << 16).splitlines()]
        assert [row.get("schema") or row["event"] for row in first] == ["ptmon.event/1", "snapshot"]
        assert (first[1]["sent"], first[1]["since"]["sent_per_second"]) == (35, 40)
        count = fill(writer_of(reader))
        output.snapshot(SNAPSHOT)
        while count:
            count -= len(os.read(reader, count))
        output.snapshot(SNAPSHOT)
        later = [json.loads(line) for line in os.read(reader, 1 << 16).splitlines()]
        assert [row["event"] for row in later] == ["dropped", "snapshot"]
        assert later[0]["count"] == 1
        for row in (*first, *later):
            event_validator().validate(row)


def test_a_line_that_ctrl_c_interrupts_when_it_is_written_is_not_written_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    written = stderr.PatientFile.write

    def interrupted(self: stderr.PatientFile, data: bytes, /) -> int:
        written(self, data)
        raise KeyboardInterrupt

    with piped_stderr(monkeypatch) as reader:
        with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
            context.setattr(stderr.PatientFile, "write", interrupted)
            stderr.say("once")
        stderr.say("end")
        assert os.read(reader, 4096) == b"ptmon: once\nptmon: end\n"


def test_what_is_said_is_one_line_that_moves_no_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    with piped_stderr(monkeypatch) as reader:
        stderr.say("cannot read \x1b]0;title\x07\r\n\x9bname\udcff · ⇄")
        assert os.read(reader, 1000).decode() == "ptmon: cannot read \\x1b]0;title\\x07\\x0d\\x0a\\x9bname\\xff · ⇄\n"
