# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger's connects: by the address that they named, and what became of each.

At most about ``most`` addresses are kept apart: what names a further one is added up by family, type and protocol.
"""

from __future__ import annotations

import errno
from collections import OrderedDict
from collections.abc import Callable

from ptmon import addresses
from ptmon.records import Connect, Connected
from ptmon.report import ConnectReport, seconds

Key = tuple[int, int, int, bytes]


class ConnectTally:
    """Connects to one address."""

    __slots__ = ("abandoned", "calls", "connected", "errnos", "failed", "longest", "timed", "took")

    def __init__(self) -> None:
        self.calls = self.connected = self.failed = self.abandoned = 0
        self.errnos: dict[int, int] = {}
        self.timed = 0
        """Those of which it is known how long they took, connected or failed; ``took`` seconds together."""
        self.took = self.longest = 0.0

    def time(self, took: float | None) -> None:
        if took is not None:
            self.timed += 1
            self.took += took
            self.longest = max(self.longest, took)

    def fail(self, error: int) -> None:
        self.failed += 1
        if error:
            self.errnos[error] = self.errnos.get(error, 0) + 1

    def report(self, key: Key, names: tuple[str, ...]) -> ConnectReport:
        family, kind, protocol, peer = key
        frequent = sorted(self.errnos.items(), key=lambda item: (-item[1], item[0]))
        return ConnectReport(
            addresses.family_name(family),
            addresses.type_name(kind),
            addresses.protocol_name(family, protocol),
            addresses.address_text(peer),
            addresses.host(peer),
            addresses.port(peer),
            addresses.scope(family, peer),
            self.calls,
            self.connected,
            self.failed,
            self.calls - self.connected - self.failed - self.abandoned,
            self.abandoned,
            {errno.errorcode.get(number, f"E{number}"): count for number, count in frequent},
            seconds(self.took / self.timed) if self.timed else None,
            seconds(self.longest) if self.timed else None,
            names,
        )


class ConnectTable:
    """By address; and those that are in progress, by inode."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._tallies: dict[Key, ConnectTally] = {}
        self._open: OrderedDict[int, tuple[ConnectTally, Connected]] = OrderedDict()
        """As they were told last: RETURNED is one in progress."""

    def add(self, record: Connect) -> None:
        """Takes what is told of one."""
        if record.end is Connected.RETURNED:
            tally = self._tally(record)
            tally.calls += 1
            if record.error == errno.EINPROGRESS:
                self._remember(record.inode, tally, record.end)
            else:
                self._ended(tally, record)
            return
        known = self._open.pop(record.inode, None)
        if known is None:  # its call was not told: a signal has ended it
            tally = self._tally(record)
            tally.calls += 1
        else:
            tally, end = known
            tally.failed -= end is Connected.FAILED
            tally.abandoned -= end is Connected.ABANDONED
        self._ended(tally, record)

    def report(self, names: Callable[[bytes], tuple[str, ...]]) -> tuple[ConnectReport, ...]:
        """The rows, those with most failures first. ``names``: those of a peer."""
        rows = (tally.report(key, names(key[3])) for key, tally in self._tallies.items())
        return tuple(sorted(rows, key=lambda row: (-row.failed, -row.calls)))

    def _ended(self, tally: ConnectTally, record: Connect) -> None:
        tally.time(record.took)
        if record.end is Connected.ABANDONED:
            tally.abandoned += 1
        elif record.end is Connected.FAILED or record.error:
            tally.fail(record.error)
        else:
            tally.connected += 1
        if record.end is Connected.ABANDONED or (record.end is Connected.FAILED and not record.error):
            self._remember(record.inode, tally, record.end)  # more may be told

    def _remember(self, inode: int, tally: ConnectTally, end: Connected) -> None:
        if not inode:
            return
        self._open[inode] = (tally, end)
        if len(self._open) > self._most:
            self._open.popitem(last=False)

    def _tally(self, record: Connect) -> ConnectTally:
        key = (record.family, record.type, record.protocol, record.peer)
        if key not in self._tallies and len(self._tallies) >= self._most:
            key = (*key[:3], b"")
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = ConnectTally()
        return tally
