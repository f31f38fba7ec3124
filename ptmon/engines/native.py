# SPDX-License-Identifier: GPL-2.0-only
"""The native engine: the C core does the tracing; this turns its batches into records.

Nothing here runs between a tracee's stop and its resume: the loop is in C, with the GIL released, and comes back with
a batch of records every 100 ms or when the batch is full.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from ptmon.engines import EngineSettings
from ptmon.engines.boundary import ffi, lib
from ptmon.errors import AttachError, LaunchError, PtmonError, Step, kernel_word
from ptmon.records import (
    Clone,
    Direction,
    Exec,
    Exit,
    Incomplete,
    Reason,
    Record,
    SocketClosed,
    SocketSeen,
    TcpCounters,
    Transfer,
)

BATCH_MS = 100
SECCOMP = {"auto": lib.PT_SECCOMP_AUTO, "on": lib.PT_SECCOMP_ON, "off": lib.PT_SECCOMP_OFF}
REASONS = {getattr(lib, f"PT_REASON_{reason.name}"): reason for reason in Reason}
DIRECTIONS = {int(direction): direction for direction in Direction}
NO_SYSCALL = 0xFFFF
BLOCKED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


class NativeEngine:
    """Traces by the C core. See :class:`ptmon.engines.Engine`."""

    name = "native"

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.root = 0
        self.started = 0.0
        self.counting = True
        self.exit: Exit | None = None
        self._start = 0
        self._end: int | None = None
        self._tracer: Any = ffi.NULL
        self._syscalls: dict[int, str] = {}

    def elapsed(self) -> float:
        return ((time.monotonic_ns() if self._end is None else self._end) - self._start) / 1e9

    def __enter__(self) -> NativeEngine:
        settings = self.settings
        only = ffi.NULL if settings.only is None else ffi.new("char[]", os.fsencode(settings.only))
        options = ffi.new("struct pt_options *")
        options.only = only
        options.seccomp = SECCOMP[settings.seccomp]
        options.no_follow = not settings.follow
        options.no_io_uring = not settings.io_uring
        options.aggregate = 1
        tracer = ffi.new("struct pt_tracer **")
        _check(lib.pt_create(options, tracer), "cannot make a tracer")
        self._tracer = tracer[0]
        self.started = time.time()
        self._start = time.monotonic_ns()
        try:
            if settings.attach:
                self._attach()
            else:
                self._launch()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The C core blocks these from create to destroy. One that is still pending was meant for the program, or comes
        # after another that has ended the attach: ignored for a moment, it is discarded (POSIX, 2.4.3).
        handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in BLOCKED]
        lib.pt_destroy(self._tracer)
        self._tracer = ffi.NULL
        for number, handler in handlers:
            signal.signal(number, handler or signal.SIG_DFL)

    def __iter__(self) -> Iterator[list[Record]]:
        batch = ffi.new("struct pt_batch *")
        tracees = 1
        while tracees:
            tracees = _check(lib.pt_run(self._tracer, self._timeout_ms(), batch), "tracing failed")
            over = self.counting and self._remaining() <= 0
            if over or (self.settings.attach and batch.signal):
                self._stop()
            yield self._records(batch)
            if tracees and not self.counting and self.settings.attach:
                _check(lib.pt_detach(self._tracer, batch), "cannot detach")
                yield self._records(batch)
                return

    def _launch(self) -> None:
        command = self.settings.command
        strings = [ffi.new("char[]", os.fsencode(word)) for word in command]
        environment = [ffi.new("char[]", entry) for entry in original_environment()]
        step = ffi.new("int32_t *")
        argv = ffi.new("char *[]", [*strings, ffi.NULL])
        envp = ffi.new("char *[]", [*environment, ffi.NULL])
        result = lib.pt_launch(self._tracer, argv, envp, step)
        if result < 0:
            raise LaunchError(command[0], -result, Step(step[0]))
        self.root = result

    def _attach(self) -> None:
        step = ffi.new("int32_t *")
        self.root = self.settings.attach[0]
        for pid in self.settings.attach:
            result = lib.pt_attach(self._tracer, pid, step)
            if result < 0:
                raise AttachError(pid, -result, Step(step[0]))

    def _stop(self) -> None:
        """Nothing that ends from now on is counted."""
        self._end = time.monotonic_ns()
        self.counting = False
        if not self.settings.attach:
            lib.pt_stop_counting(self._tracer)

    def _remaining(self) -> float:
        duration = self.settings.duration
        return 1.0 if duration is None else duration - self.elapsed()

    def _timeout_ms(self) -> int:
        if not self.counting:
            return BATCH_MS
        return max(1, min(BATCH_MS, int(self._remaining() * 1000) + 1))

    def _records(self, batch: Any) -> list[Record]:
        """The batch as records: a copy, for the C core writes over it in its next run."""
        data = ffi.buffer(batch.data, batch.data_length)[:] if batch.data_length else b""
        records = []
        rows = batch.records
        for index in range(batch.count):
            row = rows[index]
            make = MAKERS.get(row.kind)
            if make is None:
                raise PtmonError(f"the C core told a record of unknown kind {row.kind}")
            start = row.data_offset
            blob = data[start : start + row.data_length]
            record = make(self, row, (row.time - self._start) / 1e9, blob)
            if row.kind == lib.PT_EXIT and row.tid == self.root == row.tgid:
                self.exit = record
            records.append(record)
        return records

    def _syscall(self, index: int) -> str:
        name = self._syscalls.get(index)
        if name is None:
            pointer = lib.pt_syscall_name(index)
            name = f"syscall_{index}" if pointer == ffi.NULL else ffi.string(pointer).decode()
            self._syscalls[index] = name
        return name


def original_environment() -> list[bytes]:
    """The environment as ptmon was given it. os.environ is not: Python's C locale coercion (PEP 538) adds to it."""
    try:
        with open("/proc/self/environ", "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return [name + b"=" + value for name, value in os.environb.items()]


def _check(result: int, what: str) -> int:
    if result < 0:
        raise PtmonError(f"{what}: {kernel_word(-result)}")
    return result


def _transfer(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    return Transfer(
        moment,
        row.tgid,
        row.tid,
        engine._syscall(row.syscall),
        row.fd,
        row.socket,
        DIRECTIONS[row.direction],
        row.calls,
        row.bytes,
        row.error,
    )


def _clone(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    return Clone(moment, row.tgid, row.tid, row.value)


def _exec(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    words = [os.fsdecode(word) for word in data.split(b"\0")[:-1]]
    name, executable, *argv = [*words, "", ""] if len(words) < 2 else words
    attached = row.kind == lib.PT_ATTACHED
    tid, parent = (row.tid, row.value) if attached else (row.value, None)
    return Exec(moment, row.tgid, tid, name, executable, tuple(argv), attached, parent)


def _exit(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    status = row.value
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return Exit(moment, row.tgid, row.tid, os.fsdecode(data.rstrip(b"\0")), code, number)


def _socket(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    info = ffi.from_buffer("struct pt_socket_info *", data)
    local = ffi.buffer(info.local)[: info.local_length]
    peer = ffi.buffer(info.peer)[: info.peer_length]
    return SocketSeen(
        moment,
        row.tgid,
        row.tid,
        row.fd,
        row.socket,
        info.inode,
        info.family,
        info.type,
        info.protocol,
        local,
        peer,
    )


def _close(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    tcp = None
    if data:
        info = ffi.from_buffer("struct pt_tcp_info *", data)
        tcp = TcpCounters(info.bytes_sent, info.bytes_received, info.retransmitted, info.rtt_us, bool(info.auditable))
    return SocketClosed(moment, row.tgid, row.tid, row.fd, row.socket, tcp)


def _warning(engine: NativeEngine, row: Any, moment: float, data: bytes) -> Record:
    syscall = None if row.syscall == NO_SYSCALL else engine._syscall(row.syscall)
    return Incomplete(moment, row.tgid, REASONS[row.value], syscall, row.error)


MAKERS: dict[int, Callable[[NativeEngine, Any, float, bytes], Any]] = {
    lib.PT_TRANSFER: _transfer,
    lib.PT_CLONE: _clone,
    lib.PT_EXEC: _exec,
    lib.PT_ATTACHED: _exec,
    lib.PT_EXIT: _exit,
    lib.PT_SOCKET: _socket,
    lib.PT_CLOSE: _close,
    lib.PT_WARNING: _warning,
}
