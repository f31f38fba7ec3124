# SPDX-License-Identifier: GPL-2.0-or-later
"""The sockets of the reports that are merged: ``most`` of them one by one, those beyond folded as the ledger does it.

One row then stands for all sockets of a family, type, protocol, peer's host, verdict of the audit and direction,
whatever run they are of. Where the peers' hosts are more than ``most`` they are folded as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from ptmon.report import SocketReport, SocketRows, TcpReport
from ptmon.static import Any

FoldKey = tuple[str, str, str | None, str | None, str, str, str]


class Fold:
    """Many sockets; times are seconds since the epoch."""

    __slots__ = (
        "calls_received", "calls_sent", "closed", "count", "opened", "peeked", "pids", "received", "sent", "several",
        "source", "tcp",
    )  # fmt: skip

    def __init__(self, begun: float, source: int | None, row: SocketReport) -> None:
        self.source = source
        self.several = source is None
        """They are of several runs, of which a pid says nothing."""
        self.pids: dict[int, None] = {}
        self.count = self.sent = self.received = self.peeked = self.calls_sent = self.calls_received = 0
        self.opened = begun + row.opened_s
        self.closed: float | None = None
        self.tcp: tuple[int, ...] | None = (0, 0, 0, 0)

    def add(self, begun: float, source: int | None, row: SocketReport) -> None:
        """One more."""
        if source != self.source:
            self.several, self.source = True, None
            self.pids = {}
        if not self.several:
            self.pids.update(dict.fromkeys(row.pids))
        self.count += row.folded or 1
        self.sent += row.sent
        self.received += row.received
        self.peeked += row.peeked
        self.calls_sent += row.calls_sent
        self.calls_received += row.calls_received
        self.opened = min(self.opened, begun + row.opened_s)
        if row.closed_s is not None:
            self.closed = max(self.closed or 0.0, begun + row.closed_s)
        if row.tcp is None or self.tcp is None:
            self.tcp = None
        else:
            sent, received, again, _rtt = self.tcp
            tcp = row.tcp
            self.tcp = (
                sent + tcp.bytes_sent, received + tcp.bytes_received, again + tcp.retransmitted, tcp.rtt_us
            )  # fmt: skip

    def report(self, key: FoldKey, number: int, start: float) -> SocketReport:
        """As a row; ``number`` 0: what belongs to no known sockets."""
        family, kind, protocol, peer, audit, direction, scope = key
        return SocketReport(
            number,
            None,
            family,
            kind,
            protocol,
            None,
            peer,
            scope,
            since(self.opened, start),
            None if self.closed is None else since(self.closed, start),
            tuple(self.pids),
            self.sent,
            self.received,
            self.peeked,
            self.calls_sent,
            self.calls_received,
            None if self.tcp is None else TcpReport(*self.tcp),
            audit,
            self.count if number else 0,
            direction,
            peer_address=peer,
            source=None if self.several else self.source,
        )


class Sockets:
    """All of them, numbered anew."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: list[tuple[float, int | None, SocketReport]] = []
        """When its run began, which one that was, and a row of its report."""
        self._folds: dict[FoldKey, Fold] = {}
        self._unknown: dict[FoldKey, Fold] = {}
        """One at most: what belongs to no known socket of any run."""
        self.folded = 0

    def add(self, begun: float, source: int | None, row: SocketReport) -> None:
        """A row of a run that began at ``begun``, seconds since the epoch."""
        if not row.id:
            key = next(iter(self._unknown), _key(row))
            self._fold(self._unknown, key, begun, source, row)
        elif len(self._rows) < self._most:
            self._rows.append((begun, source, row))
        else:
            key = _key(row)
            if key not in self._folds and len(self._folds) >= self._most:
                key = (*key[:3], None, *key[4:])
            self._fold(self._folds, key, begun, source, row)
            self.folded += row.folded or 1

    def report(self, start: float) -> SocketRows:
        """The rows; ``start``: when the first run began."""
        count = len(self._unknown) + len(self._rows) + len(self._folds)
        return SocketRows(lambda: self._made(start), count)

    def _made(self, start: float) -> Iterator[SocketReport]:
        number = 0
        for key, fold in self._unknown.items():
            yield fold.report(key, 0, start)
        for begun, source, row in self._rows:
            number += 1
            yield moved(row, number, source, begun - start)
        for key, fold in self._folds.items():
            number += 1
            yield fold.report(key, number, start)

    def _fold(
        self, folds: dict[FoldKey, Fold], key: FoldKey, begun: float, source: int | None, row: SocketReport
    ) -> None:
        fold = folds.get(key)
        if fold is None:
            fold = folds[key] = Fold(begun, source, row)
        fold.add(begun, source, row)


def moved(row: SocketReport, number: int, source: int | None, later: float) -> SocketReport:
    """A row with another number, of a run that began so much later than the first."""
    values: dict[str, Any] = {name: getattr(row, name) for name in SocketReport.__match_args__}
    values |= {"id": number, "source": source, "opened_s": since(row.opened_s + later)}
    if row.closed_s is not None:
        values["closed_s"] = since(row.closed_s + later)
    return SocketReport(**values)


def since(moment: float, start: float = 0.0) -> float:
    """To the microsecond."""
    return round(max(moment - start, 0.0), 6)


def _key(row: SocketReport) -> FoldKey:
    return (row.family, row.type, row.protocol, row.peer_address, row.audit, row.direction, row.scope)
