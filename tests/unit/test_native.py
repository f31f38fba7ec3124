# SPDX-License-Identifier: GPL-2.0-or-later
"""The native engine's reading of the C core's batches."""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from ptmon.engines import EngineSettings
from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native import NativeEngine, original_environment, watching
from ptmon.engines.native.batches import FALLBACKS, REASONS, VERDICTS, BatchReader
from ptmon.engines.native.rows import DIRECTIONS, SHARED_MOST
from ptmon.errors import PtmonError, Step
from ptmon.records import (
    Called,
    Clone,
    Connect,
    Connected,
    Denied,
    Direction,
    Entered,
    Exec,
    Exit,
    Fallback,
    FallbackReason,
    Incomplete,
    Origin,
    Reason,
    Record,
    Returned,
    SocketClosed,
    SocketSeen,
    TcpCounters,
    Transfer,
)
from ptmon.watches import Answer, CaptureKind, Condition, Held, Rule
from tests.unit.build import inet

START = 5_000_000_000


def batch_of(kind: int, data: bytes = b"", **fields: int) -> Any:
    """A batch of one row with these fields and this blob."""
    row = ffi.new("struct pt_record[1]")
    for name, value in {"kind": kind, "time": START + 250_000_000, "tgid": 7, "tid": 8, **fields}.items():
        setattr(row[0], name, value)
    padding = b"other"  # blobs do not begin at 0
    blob = ffi.new("uint8_t[]", padding + data)
    row[0].data_offset, row[0].data_length = len(padding), len(data)
    batch = ffi.new("struct pt_batch *", {"records": row, "count": 1, "data": blob, "data_length": len(blob)})
    KEPT[batch] = (row, blob)
    return batch


KEPT: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
"""What a batch points to must live as long as it."""


def read(kind: int, data: bytes = b"", **fields: int) -> Record:
    """The record that is made of such a row."""
    (record,) = BatchReader(START, RULES).read(batch_of(kind, data, **fields))
    return record


RULES = (Rule("first", 1, False, 1), Rule("connect:global", 42, False, 13))


def call_data(*chunks: tuple[int, bytes], result: int = 0, at_exit: int = 0) -> bytes:
    """struct pt_call and chunks, as the C core writes them."""
    facts = {"number": 42, "args": [3, 2**64 - 1, 16, 0, 0, 0], "result": result, "at_exit": at_exit, "compat": 1}
    data = bytes(ffi.buffer(ffi.new("struct pt_call *", facts)))
    for address, memory in chunks:
        data += bytes(ffi.buffer(ffi.new("struct pt_chunk *", [address, len(memory)])))
        data += memory + bytes(-len(memory) % 8)
    return data


CALL = Called(42, True, (3, 2**64 - 1, 16, 0, 0, 0))


def syscall(name: str) -> int:
    index = 0
    while ffi.string(lib.pt_syscall_name(index)).decode() != name:
        index += 1
    return index


def test_a_transfer() -> None:
    record = read(
        lib.PT_TRANSFER, syscall=syscall("recvfrom"), fd=4, socket=3, direction=2, calls=2, bytes=2**40, error=0
    )
    assert record == Transfer(0.25, 7, 8, "recvfrom", 4, 3, Direction.RECEIVED, 2, 2**40, 0)


def test_a_transfer_that_was_counted_inside_the_program() -> None:
    record = read(lib.PT_TRANSFER, syscall=syscall("sendto"), fd=4, socket=3, direction=1, calls=1, bytes=5, fast=1)
    assert record == Transfer(0.25, 7, 8, "sendto", 4, 3, Direction.SENT, 1, 5, 0, True)


def test_a_fallback() -> None:
    record = read(lib.PT_FALLBACK, value=lib.PT_FALLBACK_MEMORY, error=12)
    assert record == Fallback(0.25, 7, FallbackReason.MEMORY, 12)


def test_a_clone() -> None:
    assert read(lib.PT_CLONE, value=6) == Clone(0.25, 7, 8, 6)


def test_an_exec_names_the_thread_that_made_it() -> None:
    record = read(lib.PT_EXEC, b"name\0/bin/x\0argv0\0\xff\0\0", tid=7, value=9)
    assert record == Exec(0.25, 7, 9, "name", "/bin/x", ("argv0", "\udcff", ""), False, None)


def test_an_attach_names_the_parent() -> None:
    record = read(lib.PT_ATTACHED, b"name\0/bin/x\0", tid=7, value=1)
    assert record == Exec(0.25, 7, 7, "name", "/bin/x", (), True, 1)


def test_a_program_that_could_not_be_read_has_no_name() -> None:
    assert read(lib.PT_EXEC, value=7) == Exec(0.25, 7, 7, "", "", (), False, None)


@pytest.mark.parametrize(
    ("status", "code", "signal"), [(3 << 8, 3, None), (9, None, 9), (11 | 0x80, None, 11), (0, 0, None)]
)
def test_an_exit_is_read_from_the_wait_status(status: int, code: int | None, signal: int | None) -> None:
    record = read(lib.PT_EXIT, b"comm\0", tid=7, value=status)
    assert record == Exit(0.25, 7, 7, "comm", code, signal)


def test_a_socket() -> None:
    local, peer = inet("127.0.0.1", 80), inet("10.0.0.1", 99)
    facts: dict[str, Any] = {"inode": 2**33, "family": 2, "type": 1, "protocol": 6}
    facts |= {"local_length": len(local), "peer_length": len(peer), "local": local, "peer": peer}
    info = ffi.new("struct pt_socket_info *", facts)
    record = read(lib.PT_SOCKET, ffi.buffer(info)[:], fd=4, socket=2)
    assert record == SocketSeen(0.25, 7, 8, 4, 2, 2**33, 2, 1, 6, local, peer)


def test_how_a_socket_came_by_its_ends() -> None:
    info = ffi.new("struct pt_socket_info *", {"origin": lib.PT_ORIGIN_CONNECTED, "connect": 250_000_000})
    record = read(lib.PT_SOCKET, ffi.buffer(info)[:], fd=4, socket=2)
    assert isinstance(record, SocketSeen)
    assert (record.origin, record.connect) == (Origin.CONNECTED, 0.25)


def test_a_connect() -> None:
    peer = inet("10.0.0.1", 99)
    facts = {"inode": 7, "family": 2, "type": 1, "protocol": 6, "peer_length": len(peer), "peer": peer}
    data = ffi.buffer(ffi.new("struct pt_connect *", {"socket": facts, "took": 500_000_000}))[:]
    record = read(lib.PT_CONNECT, data, fd=4, error=111, value=lib.PT_CONNECTED_RETURNED)
    assert record == Connect(0.25, 7, 8, 4, 7, 2, 1, 6, peer, Connected.RETURNED, 111, 0.5)


def test_equal_addresses_and_counters_are_one_object_and_no_more_are_kept_than_are_in_use() -> None:
    reader = BatchReader(START)

    def seen(port: int) -> SocketSeen:
        facts = {"inode": port, "family": 2, "local_length": 16, "local": inet("10.0.0.1", port)}
        (record,) = reader.read(batch_of(lib.PT_SOCKET, ffi.buffer(ffi.new("struct pt_socket_info *", facts))[:]))
        assert isinstance(record, SocketSeen)
        assert record.local == inet("10.0.0.1", port)
        return record

    def counters(count: int) -> TcpCounters:
        data = ffi.buffer(ffi.new("struct pt_tcp_info *", [count, 0, 0, 0, 1]))[:]
        (record,) = reader.read(batch_of(lib.PT_CLOSE, data))
        assert isinstance(record, SocketClosed)
        assert record.tcp == TcpCounters(count, 0, 0, 0, True)
        return record.tcp

    assert seen(1).local is seen(1).local
    assert counters(1) is counters(1)
    first, told = seen(1).local, counters(1)
    for number in range(2, 3 * SHARED_MOST):
        seen(number)
        counters(number)
    assert seen(1).local is not first
    assert counters(1) is not told


def test_a_close_with_and_without_the_kernels_counters() -> None:
    info = ffi.new("struct pt_tcp_info *", [2**40, 2, 3, 4, 1])
    record = read(lib.PT_CLOSE, ffi.buffer(info)[:], fd=4, socket=2)
    assert record == SocketClosed(0.25, 7, 8, 4, 2, TcpCounters(2**40, 2, 3, 4, True))
    assert read(lib.PT_CLOSE, fd=4, socket=2) == SocketClosed(0.25, 7, 8, 4, 2, None)


def test_a_warning() -> None:
    record = read(lib.PT_WARNING, value=lib.PT_REASON_AIO, error=1, syscall=0xFFFF)
    assert record == Incomplete(0.25, 7, Reason.AIO, None, 1)
    record = read(lib.PT_WARNING, value=lib.PT_REASON_IO_URING, syscall=syscall("sendto"))
    assert record == Incomplete(0.25, 7, Reason.IO_URING, "sendto", 0)


def test_a_close_that_may_be_none() -> None:
    assert read(lib.PT_CLOSE, fd=4, socket=2, value=1) == SocketClosed(0.25, 7, 8, 4, 2, None, True)


def test_a_call_that_is_told_has_the_memory_that_was_kept() -> None:
    chunks = ((2**63, b"seven b"), (4096, b"eightbyt"), (5, b""))
    called = Called(CALL.number, CALL.compat, CALL.args, chunks)
    assert read(lib.PT_ENTER, call_data(*chunks)) == Entered(0.25, 7, 8, called)
    assert read(lib.PT_ENTER, call_data()) == Entered(0.25, 7, 8, CALL)
    data = call_data(*chunks, result=-512, at_exit=1)
    assert read(lib.PT_RETURN, data) == Returned(0.25, 7, 8, called, -512)


def test_a_denial_names_its_rule() -> None:
    assert read(lib.PT_DENIED, call_data(), value=1, error=13) == Denied(0.25, 7, 8, CALL, "connect:global", 13)


def test_who_is_held_is_no_record() -> None:
    reader = BatchReader(START)
    assert reader.read(batch_of(lib.PT_HELD, call_data(result=7))) == []
    (entry,) = reader.held
    assert (entry.time, entry.pid, entry.tid, entry.call, entry.result) == (0.25, 7, 8, CALL, None)
    reader.read(batch_of(lib.PT_HELD, call_data(result=7, at_exit=1)))
    assert [held.result for held in reader.held] == [7]
    reader.read(batch_of(lib.PT_CLONE))
    assert reader.held == []


@pytest.mark.parametrize(
    ("result", "said", "answered", "told"),
    [
        (None, None, (1, 0), False),
        (None, Answer(5), (0, 5), False),
        (None, Answer(-13, "hook x"), (0, -13), True),
        (7, Answer(-13, "hook x"), (1, 0), False),  # it has been made
    ],
)
def test_an_answer(
    monkeypatch: pytest.MonkeyPatch, result: int | None, said: Answer | None, answered: tuple[int, int], told: bool
) -> None:
    heard: list[tuple[int, ...]] = []

    class Core:
        gone = False

        def pt_answer(self, tracer: object, *answer: int) -> int:
            heard.append(answer)
            return -3 if self.gone else 0

    core = Core()
    monkeypatch.setattr(watching, "lib", core)
    held = Held(0.25, 7, 8, CALL, result, lambda address, length: b"")
    denied = watching.answer(None, held, lambda _: said, 0.5)
    assert heard == [(8, *answered)]
    assert denied == (Denied(0.5, 7, 8, CALL, "hook x", 13) if told else None)
    core.gone = True  # killed meanwhile
    assert watching.answer(None, held, lambda _: said, 0.5) is None


def test_a_kind_that_is_not_known_is_an_error() -> None:
    with pytest.raises(PtmonError, match="unknown kind 99"):
        read(99)


def test_the_enums_are_those_of_the_boundary() -> None:
    assert {f"PT_REASON_{reason.name}" for reason in REASONS.values()} == names("pt_reason")
    assert {f"PT_FALLBACK_{reason.name}" for reason in FALLBACKS.values()} == names("pt_fallback")
    assert {f"PT_SITE_{verdict.name}" for verdict in VERDICTS.values()} == names("pt_verdict")
    assert {f"PT_{direction.name}" for direction in DIRECTIONS.values()} == names("pt_direction")
    assert {f"PT_STEP_{step.name}" for step in Step} == names("pt_step")
    assert all(getattr(lib, f"PT_STEP_{step.name}") == step for step in Step)
    assert all(getattr(lib, f"PT_{direction.name}") == direction for direction in Direction)
    assert all(getattr(lib, f"PT_CAPTURE_{kind.name}") == kind for kind in CaptureKind)
    assert {f"PT_CAPTURE_{kind.name}" for kind in CaptureKind} == names("pt_capture_kind")
    assert [int(condition) for condition in Condition] == [
        lib.PT_ALWAYS, lib.PT_IF_VALUE, lib.PT_IF_ADDRESS, lib.PT_IF_MESSAGE, lib.PT_IF_MESSAGES
    ]  # fmt: skip
    assert len(Condition) == len(names("pt_condition"))
    assert watching.CALL.size == ffi.sizeof("struct pt_call") and watching.CHUNK.size == ffi.sizeof("struct pt_chunk")


def names(enum: str) -> set[str]:
    return set(ffi.typeof(f"enum {enum}").relements)


def test_the_environment_is_the_one_that_ptmon_was_given() -> None:
    code = (
        "import os, sys; os.environ['LATE'] = '1'\n"
        "from ptmon.engines.native import original_environment\n"
        "sys.stdout.buffer.write(b'\\0'.join(original_environment()))"
    )
    given = {b"B": b"\xff", b"A": b"x=y", b"LC_ALL": b"", b"PYTHONPATH": os.fsencode(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, check=True)
    assert done.stdout == b"\0".join(name + b"=" + value for name, value in given.items())


def test_without_proc_the_environment_is_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_proc(*_args: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", no_proc)
    monkeypatch.setenv("ONE_MORE", "é")
    assert "ONE_MORE=é".encode() in original_environment()


def test_a_batch_waits_no_longer_than_the_duration() -> None:
    engine = NativeEngine(EngineSettings(command=("x",)))
    assert engine._timeout_ms() == 100
    engine = NativeEngine(EngineSettings(command=("x",), duration=0.02))
    engine._start = engine._end = START
    assert engine._timeout_ms() == 21
    engine._end = START + 19_900_000
    assert engine._timeout_ms() == 1
    engine.counting = False
    assert engine._timeout_ms() == 100
