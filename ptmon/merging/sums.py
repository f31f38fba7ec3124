# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums over the reports that are merged, but for those by socket: in room that does not grow with their number.

Peers and connects are kept apart by address as long as there are not more than ``most``, as the ledger does it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ptmon.report import Bytes, ConnectReport, PathReport, PeerReport, SyscallReport, Totals

NAMES_MOST = 64
"""Names of one peer."""
TOTALS = Totals.__match_args__
LOCAL = frozenset({"unix", "netlink", "vsock"})
PeerKey = tuple[str, str | None, int | None, str]
ConnectKey = tuple[str, str, str | None, str | None, str | None, int | None, str]


class TotalsSum:
    """Of totals."""

    def __init__(self) -> None:
        self._sums = [0] * len(TOTALS)

    def add(self, totals: Totals) -> None:
        self._sums = [count + getattr(totals, name) for count, name in zip(self._sums, TOTALS, strict=True)]

    def report(self) -> Totals:
        return Totals(*self._sums)


class BytesSum:
    """Of bytes by name: by family, by scope."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int]] = {}

    def add(self, rows: Mapping[str, Bytes]) -> None:
        for name, row in rows.items():
            sent, received = self._sums.get(name, (0, 0))
            self._sums[name] = (sent + row.sent, received + row.received)

    def report(self) -> dict[str, Bytes]:
        return {name: Bytes(*self._sums[name]) for name in sorted(self._sums)}


class SyscallSum:
    """Of system calls."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[int, int, int]] = {}
        self._errnos: dict[str, Counter[str]] = {}

    def add(self, rows: Mapping[str, SyscallReport]) -> None:
        for name, row in rows.items():
            calls, errors, count = self._sums.get(name, (0, 0, 0))
            self._sums[name] = (calls + row.calls, errors + row.errors, count + row.bytes)
            self._errnos.setdefault(name, Counter()).update(row.errnos)

    def report(self) -> dict[str, SyscallReport]:
        return {name: SyscallReport(*self._sums[name], frequent(self._errnos[name])) for name in sorted(self._sums)}


class PathSum:
    """Of how calls were seen."""

    def __init__(self) -> None:
        self._fast = self._stop = 0

    def add(self, path: PathReport) -> None:
        self._fast += path.fast
        self._stop += path.stop

    def report(self) -> PathReport:
        return PathReport(self._fast, self._stop)


class PeerSum:
    """By peer. Beyond ``most`` rows those of a transport are one, without an address."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sums: dict[PeerKey, list[int]] = {}
        self._names: dict[PeerKey, dict[str, None]] = {}

    def add(self, rows: Iterable[PeerReport]) -> None:
        for row in rows:
            key: PeerKey = (row.transport, row.peer_address, row.port, row.scope)
            sums = self._sums.get(key)
            if sums is None:
                if len(self._sums) >= self._most:
                    key = (row.transport, None, None, row.scope)
                sums = self._sums.setdefault(key, [0] * 5)
            counts = (row.sockets, row.sent, row.received, row.calls_sent, row.calls_received)
            for at, count in enumerate(counts):
                sums[at] += count
            if row.names:
                _name(self._names.setdefault(key, {}), row.names)

    def report(self) -> tuple[PeerReport, ...]:
        """The busiest first."""
        rows = []
        for key, (sockets, sent, received, calls_sent, calls_received) in self._sums.items():
            names = tuple(self._names.get(key, ()))
            rows.append(PeerReport(*key, sockets, sent, received, calls_sent, calls_received, names))
        return tuple(sorted(rows, key=lambda row: -row.sent - row.received))


class ConnectSum:
    """By address. Beyond ``most`` rows those of a family, type and protocol are one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tallies: dict[ConnectKey, ConnectTally] = {}

    def add(self, rows: Iterable[ConnectReport]) -> None:
        for row in rows:
            key: ConnectKey = (
                row.family, row.type, row.protocol, row.peer, row.peer_address, row.peer_port, row.scope
            )  # fmt: skip
            tally = self._tallies.get(key)
            if tally is None:
                if len(self._tallies) >= self._most:
                    scope = "local" if row.family in LOCAL else "unknown"
                    key = (row.family, row.type, row.protocol, None, None, None, scope)
                tally = self._tallies.setdefault(key, ConnectTally())
            tally.add(row)

    def report(self) -> tuple[ConnectReport, ...]:
        """Those with most failures first."""
        rows = (tally.report(key) for key, tally in self._tallies.items())
        return tuple(sorted(rows, key=lambda row: (-row.failed, -row.calls)))


class ConnectTally:
    """Connects to one address."""

    __slots__ = (
        "abandoned",
        "calls",
        "connected",
        "errnos",
        "failed",
        "in_progress",
        "longest",
        "names",
        "timed",
        "took",
    )

    def __init__(self) -> None:
        self.calls = self.connected = self.failed = self.in_progress = self.abandoned = 0
        self.errnos: Counter[str] = Counter()
        self.timed = 0
        """Those that have an average: of each report all that have come to an end."""
        self.took = self.longest = 0.0
        self.names: dict[str, None] = {}

    def add(self, row: ConnectReport) -> None:
        self.calls += row.calls
        self.connected += row.connected
        self.failed += row.failed
        self.in_progress += row.in_progress
        self.abandoned += row.abandoned
        self.errnos.update(row.errnos)
        _name(self.names, row.names)
        if row.average_s is not None:
            timed = row.connected + row.failed or 1
            self.timed += timed
            self.took += timed * row.average_s
            self.longest = max(self.longest, row.longest_s or 0.0)

    def report(self, key: ConnectKey) -> ConnectReport:
        average = round(self.took / self.timed, 6) if self.timed else None
        longest = self.longest if self.timed else None
        return ConnectReport(
            *key,
            self.calls,
            self.connected,
            self.failed,
            self.in_progress,
            self.abandoned,
            frequent(self.errnos),
            average,
            longest,
            tuple(self.names),
        )


def frequent(errnos: Counter[str]) -> dict[str, int]:
    """The most frequent first."""
    return dict(sorted(errnos.items(), key=lambda item: (-item[1], item[0])))


def _name(known: dict[str, None], names: Iterable[str]) -> None:
    for name in names:
        if len(known) < NAMES_MOST:
            known[name] = None
