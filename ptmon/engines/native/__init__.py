# SPDX-License-Identifier: GPL-2.0-or-later
"""The native engine: the C core does the tracing; this turns its batches into records.

Nothing here runs between a tracee's stop and its resume: the loop is in C, with the GIL released, and comes back with
a batch of records every 100 ms or when the batch is full.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from ptmon.engines import EngineSettings, Past
from ptmon.engines.boundary import BLOCKED, ffi, lib
from ptmon.engines.native import watching
from ptmon.engines.native.batches import BatchReader
from ptmon.errors import AttachError, LaunchError, PtmonError, Step, kernel_word
from ptmon.records import Denied, Exit, Inside, Record, Site
from ptmon.static import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ptmon.engines.boundary import pt_batch, pt_options
    from ptmon.engines.native.debug import DebugRing

BATCH_MS = 100
SECCOMP = {"auto": lib.PT_SECCOMP_AUTO, "on": lib.PT_SECCOMP_ON, "off": lib.PT_SECCOMP_OFF}


class NativeEngine:
    """Traces by the C core. See :class:`ptmon.engines.Engine`."""

    name = "native"

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.root = 0
        self.started = 0.0
        self.counting = True
        self.exit: Exit | None = None
        self.refused: list[AttachError] = []
        self.told = 0.0
        self.past: Past | None = None
        self._asked_to_stop = False
        self._start = 0
        self._end: int | None = None
        self._tracer: Any = ffi.NULL
        self._reader = BatchReader(0)
        self._debug: DebugRing | None = None

    def stop(self) -> None:
        self._asked_to_stop = True  # seen when the batch under way ends

    def send_signal(self, number: int) -> None:
        lib.pt_signal(self._tracer, number)

    def elapsed(self) -> float:
        return ((time.monotonic_ns() if self._end is None else self._end) - self._start) / 1e9

    def __enter__(self) -> NativeEngine:
        settings = self.settings
        only = ffi.NULL if settings.only is None else ffi.new("char[]", os.fsencode(settings.only))
        options: pt_options = ffi.new("struct pt_options *")
        options.only = only
        options.seccomp = SECCOMP[settings.seccomp]
        options.no_follow = not settings.follow
        options.no_io_uring = not settings.io_uring
        options.aggregate = not settings.every_call
        options.lives = settings.lives
        options.fast = settings.fast
        options.names = settings.names != "off"
        options.content = settings.content
        options.explain = settings.fast_explain
        options.embedded = settings.guest
        options.reopens = settings.reopen is not None
        options.ignored_known = settings.ignored is not None
        options.ignored = settings.ignored or 0
        cwd = ffi.NULL if settings.cwd is None else ffi.new("char[]", os.fsencode(settings.cwd))
        options.cwd = cwd
        if settings.streams is not None:
            options.streams, (options.out, options.err) = True, settings.streams
        if settings.debug is not None:
            from ptmon.engines.native.debug import DebugRing

            self._debug = DebugRing(settings.debug)
            options.debug = self._debug.ring
        tracer = ffi.new("struct pt_tracer **")
        _check(lib.pt_create(options, tracer), "cannot make a tracer")
        self._tracer = tracer[0]
        self.started = time.time()
        self._start = time.monotonic_ns()
        self._reader = BatchReader(self._start, settings.rules)
        if settings.recorders:
            self._begin_recording()
        try:
            watching.prepare(self._tracer, settings)
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
        if self._debug is not None and error is not None:
            self._debug.freeze()
        blocked = () if self.settings.guest else BLOCKED
        handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in blocked]
        lib.pt_destroy(self._tracer)
        self._tracer = ffi.NULL
        for number, handler in handlers:
            signal.signal(number, handler or signal.SIG_DFL)
        if self._debug is not None:
            self._debug.tell(self._start)

    def __iter__(self) -> Iterator[list[Record]]:
        batch: pt_batch = ffi.new("struct pt_batch *")
        tracees = 1
        while tracees:
            tracees = _check(lib.pt_run(self._tracer, self._timeout_ms(), batch), "tracing failed")
            wants_end = bool(self.settings.attach and batch.signal)
            if batch.reopen and self.settings.reopen is not None:
                self.settings.reopen()
            records = self._read(batch)
            if self.counting and (wants_end or self._asked_to_stop or self._remaining() <= 0):
                records += self._explain(batch)
                self._stop()
            yield records
            if tracees and not self.counting and self.settings.attach:
                _check(lib.pt_detach(self._tracer, batch), "cannot detach")
                yield self._read(batch)
                return

    def _launch(self) -> None:
        command = self.settings.command
        strings = [ffi.new("char[]", os.fsencode(word)) for word in command]
        entries: Sequence[bytes] | None = self.settings.environment
        if entries is None:
            entries = host_environment() if self.settings.guest else original_environment()
        environment = [ffi.new("char[]", entry) for entry in entries]
        step = ffi.new("int32_t *")
        argv = ffi.new("char *[]", [*strings, ffi.NULL])
        envp = ffi.new("char *[]", [*environment, ffi.NULL])
        result = lib.pt_launch(self._tracer, argv, envp, step)
        if result < 0:
            raise LaunchError(command[0], -result, Step(step[0]), self.settings.cwd)
        self.root = result

    def _attach(self) -> None:
        step = ffi.new("int32_t *")
        for pid in self.settings.attach:
            result = lib.pt_attach(self._tracer, pid, step)
            if result < 0:
                self.refused.append(AttachError(pid, -result, Step(step[0])))
            elif not self.root:
                self.root = pid
        if not self.root:
            raise self.refused[0]

    def _begin_recording(self) -> None:
        from ptmon.engines.native import packing

        self._pack = packing.pack
        rules = [rule.text for rule in self.settings.rules]
        known = {"layout": packing.layout(), "syscalls": packing.syscalls(), "rules": rules, "start": self._start}
        for recorder in self.settings.recorders:
            recorder.begin({**known, "started": self.started})

    def _read(self, batch: pt_batch) -> list[Record]:
        # A program that is only passed on is no part of the run any more.
        if self.settings.recorders and (self.counting or self.settings.attach):
            packed = self._pack(batch, stripped=self.settings.content > 0)
            for recorder in self.settings.recorders:
                recorder.add(packed)
        records = self._reader.read(batch)
        self.told = max(self.told, (batch.time - self._start) / 1e9)
        for one in self._reader.held:
            refusal = watching.answer(self._tracer, one, self.settings.hold, self.told)
            if refusal is not None:
                self._recorded(refusal)
                records.append(refusal)
        if Exit in set(map(type, records)):
            for record in records:
                if isinstance(record, Exit) and record.pid == record.tid == self.root:
                    self.exit = record
        return records

    def _recorded(self, refusal: Denied) -> None:
        if self.settings.recorders:
            from ptmon.engines.native import packing

            for recorder in self.settings.recorders:
                recorder.refuse(packing.pack_refusal(refusal))

    @property
    def explained(self) -> Sequence[Site | Inside]:
        return self._reader.explained

    def _explain(self, batch: pt_batch) -> list[Record]:
        """Now, for nothing is told any more of processes that end later."""
        if not self.settings.fast_explain:
            return []
        _check(lib.pt_explain(self._tracer, batch), "cannot explain")
        return self._read(batch)

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
        if self._asked_to_stop:
            return 1
        return max(1, min(BATCH_MS, int(self._remaining() * 1000) + 1))


def host_environment() -> list[bytes]:
    """The environment as the program that ptmon is a guest of has made it."""
    return [name + b"=" + value for name, value in os.environb.items()]


def original_environment() -> list[bytes]:
    """The environment as ptmon was given it. os.environ is not: Python's C locale coercion (PEP 538) adds to it."""
    try:
        with open("/proc/self/environ", "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return host_environment()


def _check(result: int, what: str) -> int:
    if result < 0:
        raise PtmonError(f"{what}: {kernel_word(-result)}")
    return result
