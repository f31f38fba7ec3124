# SPDX-License-Identifier: GPL-2.0-or-later
"""--log: files that lose nothing, and readers who are slow, asleep or gone."""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ptmon.errors import PtmonError
from ptmon.events import Event, EventMaker
from ptmon.outputs import Outputs, log, sinks
from ptmon.outputs.log import LogOutput
from ptmon.outputs.sinks import FileSink, StreamSink
from ptmon.records import Group, Record, Transfer, Transfers, singles
from tests.unit.build import HEADER, ROOT, close, executes, exits, report_of, sent, server, tcp
from tests.unit.schema import event_validator
from tests.unit.test_stderr import piped_stderr

PARTS = [f"{number:099}\n" for number in range(1000)]
"""A hundred bytes each."""


def told(count: int) -> str:
    return f"-{count}\n"


def read_all(number: int) -> bytes:
    """What waits in a pipe."""
    got = b""
    while select.select([number], [], [], 0)[0] and (more := os.read(number, 1 << 20)):
        got += more
    return got


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for number in (reader, writer):
        try:
            os.close(number)
        except OSError:
            continue


def events(*records: object) -> tuple[Event, ...]:
    return tuple(EventMaker().events(records or server()))  # type: ignore[arg-type]


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_has_every_event_once_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "%p-%h-%%.log"
    output = LogOutput(str(path), "jsonl", "here")
    with output:
        assert list(tmp_path.iterdir()) == []
        output.start(HEADER)
        (file,) = tmp_path.iterdir()
        assert file.name == f"{ROOT}-here-%.log"
        assert [row["schema"] for row in lines(file)] == ["ptmon.event/1"]
        output.write(events())
        assert len(lines(file)) == 1 + len(server())
        output.write(())
        output.finish(report_of(server()))
    documents = lines(file)
    assert len(documents) == 1 + len(server())
    for document in documents:
        event_validator().validate(document)


def test_an_older_log_is_kept_until_the_program_runs(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("older\n")
    with LogOutput(str(path), "jsonl", "here"):
        pass
    assert path.read_text() == "older\n"
    with LogOutput(str(path), "jsonl", "here") as output:
        output.start(HEADER)
    assert "older" not in path.read_text()


def test_no_empty_file_is_left_where_the_program_did_not_start(tmp_path: Path) -> None:
    with LogOutput(str(tmp_path / "x.log"), "text", "here"):
        assert [path.name for path in tmp_path.iterdir()] == ["x.log"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["missing/x.log", "missing/%p.log", ".", "file/x.log"])
def test_a_file_that_cannot_be_written_is_an_error_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PtmonError, match="cannot write the log to"), LogOutput(str(tmp_path / name), "text", "here"):
        pass


def test_a_fifo_that_nobody_reads_is_an_error_and_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PATIENCE", 0.05)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(PtmonError, match="nobody reads this FIFO"), LogOutput(f"{tmp_path}/fifo", "text", "here"):
        pass


def test_a_fifo_is_waited_for_a_little(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_text()))
    output = LogOutput(f"{tmp_path}/fifo", "dmesg", "here")
    thread.start()
    with output:
        output.start(HEADER)
        output.write(events())
        output.finish(report_of(server()))
    thread.join()
    assert got[0].count("process sent 35 bytes.\n") == 5
    assert got[0].endswith("Traffic module: unloaded.\n")


class FakeRows(tuple[Transfer, ...]):
    """Rows that are objects already."""

    def text(self, frames: Sequence[tuple[str, str, str]]) -> bytes:
        texts = zip(self, frames, strict=True)
        return "".join(f"{head}{one.time}{middle}{one.bytes}{tail}" for one, (head, middle, tail) in texts).encode()


def run_of(*transfers: Transfer) -> Transfers:
    return Transfers(tuple(Group(one, one.calls) for one in transfers), FakeRows(transfers))


MIXED: list[Record] = [executes("x"), tcp(1), run_of(sent(1), sent(2, error=11), sent(3, calls=0)), close(1), exits()]
"""Runs stand where they belong."""


@pytest.mark.parametrize("format", ["jsonl", "text"])
def test_transfers_that_come_as_one_are_written_as_others(tmp_path: Path, format: str) -> None:
    logs = []
    records: Sequence[Record]
    for name, records in (("runs", MIXED), ("singles", [*singles(MIXED)])):
        output = LogOutput(str(tmp_path / name), format, "here")
        with Outputs([output]) as outputs:
            outputs.start(HEADER)
            outputs.write(records)
            outputs.finish(report_of(records))
        logs.append((tmp_path / name).read_text())
        assert output.takes_runs == (format == "jsonl")
    assert logs[0] == logs[1]


class Disk:
    """os.write to a disk that has room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.write = os.write

    def __call__(self, number: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count = self.write(number, data[: self.room])
        self.room -= count
        return count


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Disk]:
    def full(room: int) -> Disk:
        disk = Disk(room)
        monkeypatch.setattr(os, "write", disk)
        return disk

    return full


@pytest.mark.parametrize("room", range(0, 36, 5))
def test_a_full_disk_takes_whole_events_alone_and_the_gap_is_told(
    tmp_path: Path, disk: Callable[[int], Disk], room: int
) -> None:
    path = tmp_path / "file"
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sink = FileSink(number, told, "utf-8", own=True)
    full = disk(room)
    parts = ["one 1234\n", "two 1234\ntwo 5678\n", "", "six 1234\n"]  # 9, 18 and 9 bytes
    with pytest.raises(OSError, match="No space left"):
        sink.put(parts)
    kept = 0 if room < 9 else 1 if room < 27 else 2
    assert path.read_text() == "".join(parts[:kept])
    assert sink.lost == 3 - kept
    full.room = 0
    with pytest.raises(OSError, match="No space left"):
        sink.put(["seven\n"])
    full.room = 1000
    sink.put(["eight\n"])
    sink.put(["nine\n"])
    sink.finish(0)
    sink.close()
    assert path.read_text() == "".join(parts[:kept]) + f"-{4 - kept}\neight\nnine\n"
    assert sink.lost == 4 - kept


@pytest.mark.parametrize("room", range(0, 46, 5))
def test_of_a_run_a_full_disk_takes_whole_events_too(tmp_path: Path, disk: Callable[[int], Disk], room: int) -> None:
    path = tmp_path / "file"
    sink = FileSink(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), told, "utf-8", own=True)
    disk(room)
    with pytest.raises(OSError, match="No space left"):
        sink.put(["one 1234\n", b"two 1234\nthree 78\nfour 678\n", "five 678\n", b"six 5678\n"])
    sink.close()
    kept = room // 9
    assert path.read_text().count("\n") == kept and path.stat().st_size == 9 * kept
    assert sink.lost == 6 - kept


@pytest.mark.parametrize("room", range(12))
def test_a_disk_that_is_full_again_loses_no_count(tmp_path: Path, disk: Callable[[int], Disk], room: int) -> None:
    path = tmp_path / "file"
    sink = FileSink(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), told, "utf-8", own=True)
    full = disk(0)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            sink.put(["event\n"])
    full.room = room
    if room < 9:
        with pytest.raises(OSError, match="No space left"):
            sink.put(["event\n"])
    else:
        sink.put(["event\n"])
    full.room = 1000
    sink.put(["last\n"])
    sink.close()
    text = path.read_text()
    gaps = sum(int(line) for line in text.splitlines() if line.startswith("-"))
    assert text.endswith("last\n")
    assert -gaps + text.count("event\n") == 4
    assert -gaps == sink.lost


def test_a_full_disk_is_said_once_and_the_run_goes_on(
    tmp_path: Path, disk: Callable[[int], Disk], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    with LogOutput(str(path), "jsonl", "here") as output:
        output.start(HEADER)
        full = disk(0)
        output.write(events(sent(1), sent(2)))
        output.write(events(sent(3)))
        full.room = 1 << 20
        output.write(events(sent(4)))
        output.finish(report_of(server()))
    assert [row.get("count") or row.get("bytes") for row in lines(path)[1:]] == [3, 4]
    assert capfd.readouterr().err == (
        f"ptmon: cannot write the log to {path}: ENOSPC: No space left on device; the program goes on\n"
        f"ptmon: 3 events could not be written to the log ({path})\n"
    )


def test_a_reader_who_reads_gets_everything(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False)
    got = b""
    for start in range(0, 1000, 50):
        sink.put(PARTS[start : start + 50])
        got += read_all(reader)
    sink.finish(0)
    assert got.decode() == "".join(PARTS)
    assert sink.lost == 0


def test_a_reader_who_sleeps_misses_whole_lines_and_is_told_how_many(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False, most=10_000)
    for start in range(0, 1000, 10):
        sink.put(PARTS[start : start + 10])
    got = read_all(reader)
    sink.put(["awake\n"])
    got += read_all(reader)
    rows = got.decode().splitlines(keepends=True)
    (gap,) = [row for row in rows if row.startswith("-")]
    kept = [row for row in rows if row in PARTS]
    assert kept == PARTS[: len(kept)]
    assert rows[len(kept) :] == [gap, "awake\n"]
    assert len(kept) - int(gap) == 1000
    assert sink.lost == -int(gap) > 0


def test_of_a_run_a_reader_who_sleeps_misses_whole_lines_too(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False, most=10_000)
    sink.put(["".join(PARTS).encode()])
    sink.finish(0)
    kept = [row for row in read_all(reader).decode().splitlines(keepends=True) if row in PARTS]
    assert kept == PARTS[: len(kept)]
    assert len(kept) + sink.lost == 1000


def test_the_open_file_description_of_others_is_left_as_it_is(pipe: tuple[int, int]) -> None:
    _, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False, most=10_000)
    sink.put(PARTS)
    assert os.get_blocking(writer)
    sink.close()
    os.fstat(writer)


def test_without_another_description_nothing_waits_either(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "reopened", lambda _number: None)
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False, most=10_000)
    sink.put(PARTS)
    assert os.get_blocking(writer)
    got = read_all(reader).decode()
    assert got == "".join(PARTS)[: len(got)]
    assert len(got) >= 4096
    assert sink.lost == 1000 - (len(got) + 10_000) // 100


def test_a_socket_as_stderr_nobody_reads_does_not_wait() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = StreamSink(ours.fileno(), told, "utf-8", own=False, most=10_000)
        for _ in range(20):
            sink.put(PARTS)
        assert sink.lost > 0
        assert ours.getblocking()
        assert theirs.recv(100).decode() == PARTS[0]


def test_what_waits_at_the_end_is_written_when_the_reader_wakes(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False)
    sink.put(PARTS)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.extend(iter(lambda: os.read(reader, 1 << 16), b"")))
    thread.start()
    sink.finish(30)
    sink.close()
    os.close(writer)
    thread.join()
    assert b"".join(got).decode() == "".join(PARTS)
    assert sink.lost == 0


def test_a_reader_who_never_wakes_is_waited_for_a_little(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False, most=10_000)
    sink.put(PARTS)
    sink.finish(0.05)
    got = read_all(reader).decode().splitlines(keepends=True)
    assert got == PARTS[: len(got)]
    assert sink.lost == 1000 - len(got)


def test_a_line_longer_than_a_pipe_takes_at_once_arrives_whole(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    sink = StreamSink(writer, told, "utf-8", own=False)
    part = "x" * 10_000 + "\n"
    sink.put([part, PARTS[0]])
    assert read_all(reader).decode() == part + PARTS[0]


def test_a_reader_who_has_gone_ends_the_log_and_not_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with LogOutput(f"{tmp_path}/fifo", "text", "here") as output:
        output.start(HEADER)
        os.close(reader)
        output.write(events(sent(1)))
        output.write(events(sent(2)))
        output.finish(report_of(server()))
    said = capfd.readouterr().err
    assert said == f"ptmon: cannot write the log to {tmp_path}/fifo: EPIPE: Broken pipe; the program goes on\n"


def test_a_device_that_is_full_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    with LogOutput("/dev/full", "jsonl", "here") as output:
        output.start(HEADER)
        output.write(events())
        output.write(events())
        output.finish(report_of(server()))
    first, second = capfd.readouterr().err.splitlines()
    assert "ENOSPC" in first
    assert second == f"ptmon: {2 * len(server()) + 1} events could not be written to the log (/dev/full)"


def test_stderr_has_the_log_and_what_it_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with piped_stderr(monkeypatch) as reader:
        with LogOutput("", "jsonl", "here") as output:
            output.start(HEADER)
            output.write(events())
            output.finish(report_of(server()))
        assert len(read_all(reader).splitlines()) == 1 + len(server())


def test_a_stderr_that_is_not_utf_8_gets_ascii(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = pipe
    with open(writer, "w", encoding="ascii", closefd=False) as file:
        monkeypatch.setattr("sys.stderr", file)
        with LogOutput("", "text", "here") as output:
            output.start(HEADER)
            output.write(events(executes("é"), tcp(1), sent(1), close(1), exits()))
        monkeypatch.undo()
    text = read_all(reader).decode("ascii")
    assert "tcp 127.0.0.1:8080 - 127.0.0.1:50000" in text
    assert "\\xe9[17]" in text


def test_without_a_stderr_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    with LogOutput("", "text", "here") as output:
        output.start(HEADER)
        output.write(events())
        output.finish(report_of(server()))


def test_a_stderr_that_is_a_file_is_not_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    with open(path, "w") as file:
        file.write("earlier\n")
        monkeypatch.setattr("sys.stderr", file)
        with LogOutput("", "dmesg", "here") as output:
            file.flush()
            output.start(HEADER)
            output.write(events())
            output.finish(report_of(server()))
        monkeypatch.undo()
    text = path.read_text()
    assert text.startswith("earlier\n[    0.000000] Traffic module: loaded.\n")
    assert text.endswith("unloaded.\n")
