# SPDX-License-Identifier: GPL-2.0-or-later
"""What the view shows: views of the ledger in; totals, rates and sorted rows out. It knows no terminal.

Names and addresses come from others: each text that leaves here is printable.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest

from ptmon import addresses
from ptmon.frozen import dataclass
from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.socket_tally import SocketTally
from ptmon.ledger.tallies import ProcessTally, SyscallTally
from ptmon.ledger.view import View
from ptmon.outputs.summary_rows import in_brackets, socket_name
from ptmon.static import Any
from ptmon.text import counted, printable

SAMPLES = 512
"""Of rates that are remembered: more than a terminal has columns."""
ROWS_MOST = 400
"""Rows of a table that are made, the first ones in its order; no terminal shows more."""
SEARCHED_MOST = 20_000
"""Rows that a filter looks at, the first ones in the table's order."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table."""

    name: str
    middle: str
    """pid, sockets' owners, or how many calls failed."""
    sent: int
    received: int
    calls: int
    seconds: float
    """How long it has lasted; of a system call how long ago it was made."""
    over: bool = False
    """The process has ended, the socket is closed."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table that are to be seen."""

    title: str
    middle: str
    """What stands above Row.middle."""
    seconds: str
    """What stands above Row.seconds."""
    rows: tuple[Row, ...]
    all: int
    """How many rows there are, those that a filter hides included."""


SORTS = {
    "b": "bytes",
    "s": "sent",
    "r": "received",
    "c": "calls",
    "t": "time",
}
"""By the key that asks for it: what the busiest of comes first. Time: who has lasted longest, what was called last."""
PANELS = ("processes", "connections", "calls")


class Model:
    """What is seen now."""

    def __init__(self) -> None:
        self.sort = "b"
        self.filter = ""
        self.by_peer = False
        """Connections are summed up by their peers' hosts."""
        self.view: View | None = None
        self.sent: deque[int] = deque(maxlen=SAMPLES)
        """Bytes per second from view to view."""
        self._made: dict[object, Table] = {}
        """Tables of this view: to sort very many rows takes a while."""
        self.received: deque[int] = deque(maxlen=SAMPLES)

    @property
    def last(self) -> Snapshot | None:
        """What the next view is compared with."""
        return None if self.view is None else self.view.snapshot

    def update(self, view: View) -> None:
        """Takes the next view, which was compared with ``last``."""
        if self.view is not None or view.snapshot.since.seconds >= 0.5:  # else an attach's first bytes are a rate
            self.sent.append(view.snapshot.since.sent_per_second)
            self.received.append(view.snapshot.since.received_per_second)
        self.view = view
        self._made.clear()

    def table(self, panel: str) -> Table:
        """The rows of one of PANELS, sorted and filtered."""
        if self.view is None:
            return Table(panel, "", "", (), 0)
        asked = (panel, self.sort, self.filter, self.by_peer)
        if asked not in self._made:
            self._made[asked] = getattr(self, f"_{panel}")(self.view)
        return self._made[asked]

    def warnings(self) -> tuple[str, ...]:
        """What the reader has to know."""
        return () if self.view is None else tuple(printable(notice.message) for notice in self.view.notices)

    def counted(self) -> str:
        """How calls were counted: inside the program, or at stops."""
        path = None if self.view is None else self.view.path
        if path is None:
            return "" if self.view is None else "totals of all; the tables since this view is connected"
        if not (path.fast or path.stop):
            return "no call counted yet"
        if not path.fast:
            return f"counted at stops (slow): {path.stop:,} calls"
        return f"counted inside the program (fast): {path.fast:,} calls, at stops (slow): {path.stop:,}"

    def _processes(self, view: View) -> Table:
        now = view.snapshot.time

        def row(tally: ProcessTally) -> Row:
            threads = len(tally.threads)
            name = tally.name if threads < 2 else f"{tally.name} ({counted(threads, 'thread')})"
            lasted = (now if tally.ended is None else tally.ended) - tally.started
            over = tally.ended is not None
            return Row(printable(name), str(tally.pid), tally.sent, tally.received, tally.calls, max(lasted, 0.0), over)

        rows = self._chosen(view.processes, row, _process_key)
        return Table("processes", "pid", "lasts", rows, len(view.processes))

    def _connections(self, view: View) -> Table:
        if self.by_peer:
            return self._peers(view)
        now = view.snapshot.time

        def row(tally: SocketTally) -> Row:
            report = tally.report(view.peer_name(tally))
            owners = str(report.pids[0]) if len(report.pids) == 1 else f"{len(report.pids)} pids"
            lasted = (now if tally.closed is None else tally.closed) - tally.opened
            calls = tally.calls_sent + tally.calls_received
            over = tally.closed is not None
            unknown = report.id and report.family == "unknown"
            name = f"unknown socket {report.id}" if unknown else printable(socket_name(report))
            return Row(name, owners, tally.sent, tally.received, calls, max(lasted, 0.0), over)

        return Table("connections", "pid", "lasts", self._chosen(view.sockets, row, _socket_key), len(view.sockets))

    def _peers(self, view: View) -> Table:
        now = view.snapshot.time
        sums: dict[tuple[str, str], list[Any]] = {}
        for tally in view.sockets:
            kind = addresses.protocol_name(tally.family, tally.protocol) or tally.family_name
            host = addresses.host(tally.peer) or addresses.host(tally.local) or "(unnamed)"
            total = sums.setdefault((kind, host), [0, 0, 0, 0, now, True, None])
            total[0] += tally.folded or 1
            total[1] += tally.sent
            total[2] += tally.received
            total[3] += tally.calls_sent + tally.calls_received
            total[4] = min(total[4], tally.opened)
            total[5] = total[5] and tally.closed is not None
            total[6] = total[6] or view.peer_name(tally)

        def row(item: tuple[tuple[str, str], list[Any]]) -> Row:
            (kind, host), (count, sent, received, calls, opened, over, called) = item
            name = printable(f"{kind}  {host}{in_brackets(called)}")
            return Row(name, f"{count:,}", sent, received, calls, max(now - opened, 0.0), over)

        def key(item: tuple[tuple[str, str], list[Any]]) -> tuple[int, int, int, float]:
            total = item[1]
            return total[1], total[2], total[3], now - total[4]

        return Table("peers", "sockets", "lasts", self._chosen(tuple(sums.items()), row, key), len(sums))

    def _calls(self, view: View) -> Table:
        now = view.snapshot.time

        def row(item: tuple[str, SyscallTally]) -> Row:
            name, tally = item
            failed = f"{sum(tally.errnos.copy().values()):,}"
            return Row(
                printable(name), failed, tally.sent, tally.bytes - tally.sent, tally.calls, max(now - tally.last, 0.0)
            )

        rows = self._chosen(view.syscalls, row, lambda item: _syscall_key(item[1]))
        return Table("system calls", "failed", "ago", rows, len(view.syscalls))

    def _chosen(
        self,
        tallies: Sequence[Any],
        row: Callable[[Any], Row],
        key: Callable[[Any], tuple[int, int, int, float]],
    ) -> tuple[Row, ...]:
        """The first rows in the order that is asked for. Of the others none is made: there may be very many."""
        order = _ORDERS[self.sort]
        wanted = self.filter.casefold()
        first = nlargest(SEARCHED_MOST if wanted else ROWS_MOST, tallies, key=lambda tally: order(*key(tally)))
        rows: Iterable[Row] = map(row, first)
        if wanted:
            rows = (one for one in rows if wanted in f"{one.name} {one.middle}".casefold())
        return tuple(one for one, _ in zip(rows, range(ROWS_MOST), strict=False))


_ORDERS: dict[str, Callable[[int, int, int, float], float]] = {
    "b": lambda sent, received, calls, lasts: sent + received,
    "s": lambda sent, received, calls, lasts: sent,
    "r": lambda sent, received, calls, lasts: received,
    "c": lambda sent, received, calls, lasts: calls,
    "t": lambda sent, received, calls, lasts: lasts,
}


def _process_key(tally: ProcessTally) -> tuple[int, int, int, float]:
    return tally.sent, tally.received, tally.calls, -tally.started


def _socket_key(tally: SocketTally) -> tuple[int, int, int, float]:
    return tally.sent, tally.received, tally.calls_sent + tally.calls_received, -tally.opened


def _syscall_key(tally: SyscallTally) -> tuple[int, int, int, float]:
    return tally.sent, tally.bytes - tally.sent, tally.calls, tally.last
