# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger: records in, totals per process, thread, socket and system call out, at any instant or at the end.

Every transfer is added to a process, one of its threads, a socket, a system call and the totals; so the sums agree
whatever is unknown about it.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from ptmon import notices
from ptmon.defaults import MAX_SOCKETS
from ptmon.ledger.connects import ConnectTable
from ptmon.ledger.names import NameTable
from ptmon.ledger.peers import peers
from ptmon.ledger.rates import Meter
from ptmon.ledger.snapshot import Since, Snapshot
from ptmon.ledger.socket_table import SocketTable
from ptmon.ledger.socket_tally import SocketTally
from ptmon.ledger.tallies import RECEIVED, SENT, ProcessTally, SyscallTally, TotalsTally
from ptmon.ledger.view import View
from ptmon.records import (
    IN_LIFE,
    Clone,
    Connect,
    Denied,
    Entered,
    Exec,
    Exit,
    Fallback,
    FallbackReason,
    Incomplete,
    Lives,
    Named,
    Record,
    Returned,
    SocketClosed,
    SocketSeen,
    Transfer,
    Transfers,
)
from ptmon.report import (
    Bytes,
    DeniedReport,
    Ended,
    FallbackReport,
    Header,
    Notice,
    Report,
    SocketReport,
    SocketRows,
    Totals,
    seconds,
)
from ptmon.static import Any


class Ledger:
    """Turns records into a report."""

    def __init__(self, header: Header, max_sockets: int = MAX_SOCKETS) -> None:
        self.header = header
        self._totals = TotalsTally()
        self._sent = Meter()
        self._received = Meter()
        self._syscalls: dict[str, SyscallTally] = {}
        self._denied: Counter[tuple[str, str, str]] = Counter()
        """By rule, system call and errno."""
        self._sockets = SocketTable(max_sockets)
        self._connects = ConnectTable(max_sockets)
        self._names = NameTable(max_sockets)
        self._processes: list[ProcessTally] = []
        self._by_pid: dict[int, ProcessTally] = {}
        self._notices: dict[tuple[str, int | None], Notice] = {}
        self._fallbacks: dict[tuple[int, FallbackReason], FallbackReport] = {}
        self._complete = True
        self._uncounted_exit: Ended | None = None
        """Of the program, if it is no process of the report."""
        self._add: dict[type, Callable[[Any], object]] = {
            Transfer: self._transfer,
            Transfers: self._transfers,
            Lives: self._sockets.lives,
            Clone: self._clone,
            Exec: self._exec,
            Exit: self._exit,
            SocketSeen: self._sockets.seen,
            SocketClosed: self._sockets.closed,
            Connect: self._connects.add,
            Named: self._names.add,
            Incomplete: self._incomplete,
            Fallback: self._fallback,
            Entered: _nothing,
            Returned: _nothing,
            Denied: self._refused,
        }

    def add(self, record: Record) -> None:
        """Takes one record."""
        self._add[type(record)](record)

    def add_all(self, records: Iterable[Record]) -> None:
        """Takes one record after the other."""
        add = self._add
        for record in records:
            add[type(record)](record)

    def moved(self) -> tuple[int, int]:
        """Bytes sent and received so far."""
        return self._sent.total, self._received.total

    def snapshot(self, moment: float, last: Snapshot | None = None) -> Snapshot:
        """The ledger now, ``moment`` seconds after the start.

        ``last`` is the snapshot that this one is compared with, None the start. It is the caller's to keep, so that
        several may take snapshots, each at a pace of its own.
        """
        totals = self._totals.report()
        before, start = (Totals(), 0.0) if last is None else (last.totals, last.time)
        since = Since(max(moment - start, 0.0), totals.sent - before.sent, totals.received - before.received)
        return Snapshot(
            moment,
            totals,
            self._sent.last_second(moment),
            self._received.last_second(moment),
            sum(process.ended is None for process in self._by_pid.values()),
            self._sockets.seen_count,
            self._complete,
            since,
        )

    def view(self, moment: float, last: Snapshot | None = None) -> View:
        """All rows as they are now. It takes a moment, however many there are: they are not copied."""
        return View(
            self.header,
            self.snapshot(moment, last),
            self._totals.path(),
            tuple(self._processes),
            tuple(self._sockets),
            tuple(self._syscalls.items()),
            tuple(self._notices.values()),
            self._names.of_socket,
        )

    def report(self, duration: float) -> Report:
        """The ledger at the end, ``duration`` seconds after the start."""
        root = next((process for process in self._processes if process.pid == self.header.root), None)
        warnings = self._warnings()
        return Report(
            header=self.header,
            command=self.header.command or (root.argv if root else ()),
            duration_s=seconds(duration),
            exit=root.exit if root else self._uncounted_exit,
            complete=self._complete and not any(warning.reason in ("audit", "only") for warning in warnings),
            warnings=warnings,
            totals=self._totals.report(),
            by_family=_by(self._sockets, lambda tally: tally.family_name),
            by_scope=_by(self._sockets, lambda tally: tally.scope),
            by_syscall={name: self._syscalls[name].report() for name in sorted(self._syscalls)},
            rates={"sent": self._sent.rate(duration), "received": self._received.rate(duration)},
            path=self._totals.path(),
            fallbacks=tuple(self._fallbacks.values()),
            denied=tuple(DeniedReport(*key, calls) for key, calls in self._denied.items()),
            processes=tuple(process.report() for process in self._processes),
            sockets=SocketRows(self._socket_rows, len(self._sockets)),
            by_peer=peers(self._sockets, self._names.of_row),
            connects=self._connects.report(self._names.of_address),
        )

    def _socket_rows(self) -> Iterator[SocketReport]:
        return (tally.report(self._names.of_socket(tally)) for tally in self._sockets)

    def _transfer(self, record: Transfer) -> None:
        self._totals.add(record)
        moment, count = record.time, record.bytes
        if count:
            direction = record.direction
            if direction == SENT:
                self._sent.add(moment, count)
            elif direction == RECEIVED:
                self._received.add(moment, count)
        syscall = self._syscalls.get(record.syscall)
        if syscall is None:
            syscall = self._syscalls[record.syscall] = SyscallTally()
        syscall.add(record)
        self._process(record.pid, moment).add(record)
        if record.socket != IN_LIFE:
            self._sockets.get(record.socket, moment).add(record)

    def _transfers(self, record: Transfers) -> None:
        for group in record.groups:
            self._transfer(group.sum)

    def _clone(self, record: Clone) -> None:
        if record.pid != record.tid:
            self._process(record.pid, record.time).thread(record.tid)
            return
        process = self._by_pid.get(record.pid)
        if process is None or process.ended is not None:
            process = self._new_process(record.pid, record.time)
        process.ppid = record.parent
        parent = self._by_pid.get(record.parent)
        if parent is not None and not process.argv:
            process.name, process.argv = parent.name, parent.argv

    def _exec(self, record: Exec) -> None:
        process = self._process(record.pid, record.time)
        process.name, process.argv = record.name or "?", record.argv
        process.thread(record.pid).name = None  # the leader is called as the program
        if record.parent is not None:
            process.ppid = record.parent

    def _exit(self, record: Exit) -> None:
        if record.pid == self.header.root and record.pid not in self._by_pid:  # --only: it ran nothing that is counted
            self._uncounted_exit = Ended(record.code, record.signal)
            return
        process = self._process(record.pid, record.time)
        if record.name:
            process.thread(record.tid).name = record.name
        if record.pid == record.tid:
            process.ended = record.time
            process.exit = Ended(record.code, record.signal)

    def _incomplete(self, record: Incomplete) -> None:
        key = (record.reason.value, record.pid)
        if key not in self._notices or record.count > 1:  # then it says how many there are by now
            self._notices[key] = notices.notice(record)
        if record.reason not in notices.HARMLESS:
            self._complete = False

    def _fallback(self, record: Fallback) -> None:
        self._fallbacks.setdefault((record.pid, record.reason), notices.fallback(record))

    def _refused(self, record: Denied) -> None:
        from ptmon import syscalls

        name = syscalls.name(record.call.number, record.call.compat)
        self._denied[record.rule, name, errno.errorcode.get(record.error, str(record.error))] += 1

    def _process(self, pid: int, moment: float) -> ProcessTally:
        """The process that has ``pid`` now, or had it last."""
        return self._by_pid.get(pid) or self._new_process(pid, moment)

    def _new_process(self, pid: int, moment: float) -> ProcessTally:
        process = self._by_pid[pid] = ProcessTally(pid, moment)
        process.thread(pid)
        if pid == self.header.root:
            process.ppid = self.header.ppid
        self._processes.append(process)
        return process

    def _warnings(self) -> tuple[Notice, ...]:
        differ: Counter[int | None] = Counter()
        for tally in self._sockets:
            if tally.audit == "differ":
                differ[next(iter(tally.pids), None)] += tally.folded or 1
        said = [*self._notices.values(), *(notices.differing(pid, count) for pid, count in differ.items())]
        if self.header.only is not None and not self._processes:
            said.append(notices.never_ran(self.header.only))
        if self._sockets.folded_count:
            said.append(notices.folded(self._sockets.folded_count, self._sockets.max_sockets))
        return tuple(said)


def _nothing(record: Record) -> None:
    """It moves no bytes."""


def _by(tallies: Iterable[SocketTally], name: Callable[[SocketTally], str]) -> dict[str, Bytes]:
    """Bytes of the sockets that were used, by what ``name`` calls them."""
    sums: dict[str, list[int]] = {}
    for tally in tallies:
        if tally.calls_sent or tally.calls_received or tally.sent or tally.received:
            row = sums.setdefault(name(tally), [0, 0])
            row[0] += tally.sent
            row[1] += tally.received
    return {key: Bytes(*sums[key]) for key in sorted(sums)}
