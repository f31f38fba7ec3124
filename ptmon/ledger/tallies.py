# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger's own rows: mutable sums, each class with its frozen counterpart in report.py. Sockets are in a file of
their own.
"""

from __future__ import annotations

import errno

from ptmon.records import Direction, Transfer
from ptmon.report import Ended, PathReport, ProcessReport, SyscallReport, ThreadReport, Totals, seconds

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED  # an enum's member is found more slowly


class TotalsTally:
    """Sums over everything."""

    __slots__ = ("calls_received", "calls_sent", "errors", "fast", "peeked", "received", "sent")

    def __init__(self) -> None:
        self.sent = self.received = self.peeked = 0
        self.calls_sent = self.calls_received = self.errors = self.fast = 0

    def add(self, record: Transfer) -> None:
        direction = record.direction
        if direction == SENT:
            self.sent += record.bytes
            self.calls_sent += record.calls
        else:
            self.calls_received += record.calls
            if direction == RECEIVED:
                self.received += record.bytes
            else:
                self.peeked += record.bytes
        if record.error:
            self.errors += record.calls
        if record.fast:
            self.fast += record.calls

    def report(self) -> Totals:
        return Totals(self.sent, self.received, self.peeked, self.calls_sent, self.calls_received, self.errors)

    def path(self) -> PathReport:
        return PathReport(self.fast, self.calls_sent + self.calls_received - self.fast)


class SyscallTally:
    """One system call. ``last``: the time of a call of it that was told last."""

    __slots__ = ("bytes", "calls", "errnos", "last", "sent")

    def __init__(self) -> None:
        self.calls = self.bytes = self.sent = 0
        self.last = 0.0
        self.errnos: dict[int, int] = {}

    def add(self, record: Transfer) -> None:
        self.calls += record.calls
        self.last = record.time
        direction = record.direction
        if direction == SENT:
            self.bytes += record.bytes
            self.sent += record.bytes
        elif direction == RECEIVED:
            self.bytes += record.bytes
        if record.error:
            self.errnos[record.error] = self.errnos.get(record.error, 0) + record.calls

    def report(self) -> SyscallReport:
        frequent = sorted(self.errnos.items(), key=lambda item: (-item[1], item[0]))
        errnos = {errno.errorcode.get(number, f"E{number}"): count for number, count in frequent}
        return SyscallReport(self.calls, sum(self.errnos.values()), self.bytes, errnos)


class ThreadTally:
    """One thread. ``name`` None: that of its process."""

    __slots__ = ("name", "received", "sent")

    def __init__(self) -> None:
        self.name: str | None = None
        self.sent = self.received = 0


class ProcessTally:
    """One process, from its birth (or its first record) to its end. A pid used again is another process."""

    __slots__ = ("argv", "calls", "ended", "exit", "name", "pid", "ppid", "received", "sent", "started", "threads")

    def __init__(self, pid: int, started: float) -> None:
        self.pid = pid
        self.ppid: int | None = None
        self.name = "?"
        self.argv: tuple[str, ...] = ()
        self.started = started
        self.ended: float | None = None
        self.exit: Ended | None = None
        self.sent = self.received = self.calls = 0
        self.threads: dict[int, ThreadTally] = {}

    def thread(self, tid: int) -> ThreadTally:
        thread = self.threads.get(tid)
        if thread is None:
            thread = self.threads[tid] = ThreadTally()
        return thread

    def add(self, record: Transfer) -> None:
        thread = self.threads.get(record.tid) or self.thread(record.tid)
        self.calls += record.calls
        direction = record.direction
        if direction == SENT:
            self.sent += record.bytes
            thread.sent += record.bytes
        elif direction == RECEIVED:
            self.received += record.bytes
            thread.received += record.bytes

    def report(self) -> ProcessReport:
        threads = tuple(
            ThreadReport(tid, self.name if thread.name is None else thread.name, thread.sent, thread.received)
            for tid, thread in self.threads.items()
        )
        return ProcessReport(
            self.pid,
            self.ppid,
            self.name,
            self.argv,
            seconds(self.started),
            None if self.ended is None else seconds(self.ended),
            self.exit,
            self.sent,
            self.received,
            threads,
        )
