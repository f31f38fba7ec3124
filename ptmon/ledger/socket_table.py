# SPDX-License-Identifier: GPL-2.0-only
"""The ledger's sockets. It remembers at most about ``max_sockets``: beyond, closed ones are folded into one row for
each family, type, protocol, peer's host, verdict of the audit and direction. Totals stay exact whatever is folded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain

from ptmon import addresses
from ptmon.ledger.socket_tally import Identity, SocketTally, add_counters
from ptmon.records import SocketClosed, SocketSeen

CHURN = 1024
"""Rows: to make the dicts anew for fewer is not worth while."""


class SocketTable:
    """The rows by the engine's socket numbers."""

    def __init__(self, max_sockets: int) -> None:
        self.max_sockets = max_sockets
        self.seen_count = 0
        self.folded_count = 0
        self._count = 0
        """Rows, without the folded ones."""
        self._by_number: dict[int, SocketTally] = {}
        """By every number that the engine's table has had for them; without the folded ones."""
        self._known = IdentityTable()
        self._closed: deque[SocketTally] = deque()
        """In the order of their first close."""
        self._folds: dict[object, SocketTally] = {}
        self._folded_numbers: dict[int, SocketTally] = {}
        """The youngest of them: a closed fd may have been one of several, so that bytes can follow."""
        self._folded_order: deque[int] = deque()
        """The same, by their age. An OrderedDict would take twice the room."""
        self._churned = 0
        """Rows that have been taken out of the dicts since they were made."""

    def __iter__(self) -> Iterator[SocketTally]:
        own = (tally for number, tally in self._by_number.items() if tally.id == number)
        return chain(own, self._folds.values())

    def __len__(self) -> int:
        return self._count + len(self._folds)

    def get(self, number: int, moment: float) -> SocketTally:
        """The row of a socket number; a new one where there is none. Number 0: what belongs to no known socket."""
        tally = self._by_number.get(number) or self._folded_numbers.get(number)
        return self._new(number, moment) if tally is None else tally

    def seen(self, record: SocketSeen) -> None:
        """A row is new or better known; or the engine had forgotten a socket and now tells it anew."""
        if record.socket in self._folded_numbers:
            return
        tally = self._by_number.get(record.socket)
        if tally is None:
            tally = self._new(record.socket, record.time if record.opened is None else record.opened)
        else:
            self._known.remove(tally)
        tally.seen(record)
        known = self._known.add(tally)
        if known is not tally:
            self._merge(tally, known)

    def closed(self, record: SocketClosed) -> None:
        """An fd of a socket is closed, or left open at a detach: either way its counters were read."""
        tally = self._by_number.get(record.socket)
        if tally is None:
            return  # folded, or never told of
        if record.fd >= 0:
            if tally.closed is None:
                self._closed.append(tally)
            tally.closed = record.time
        if record.tcp is not None:
            tally.read(record.tcp)

    def _new(self, number: int, moment: float) -> SocketTally:
        self.seen_count += 1
        while self._count >= self.max_sockets and self._closed:
            self._fold(self._closed.popleft())
        tally = self._by_number[number] = SocketTally(number, moment)
        self._count += 1
        return tally

    def _merge(self, tally: SocketTally, known: SocketTally) -> None:
        """``tally`` is the same socket as ``known``, which the engine had forgotten."""
        self.seen_count -= 1
        self._forget(tally)
        known.absorb(tally)
        for number in (tally.id, *tally.aliases):
            self._by_number[number] = known
        known.aliases += (tally.id, *tally.aliases)

    def _fold(self, tally: SocketTally) -> None:
        if self._by_number.get(tally.id) is not tally:
            return  # merged since
        self._forget(tally)
        self._known.remove(tally)
        self.folded_count += 1
        key = (tally.family, tally.type, tally.protocol, addresses.host(tally.peer), tally.audit, tally.origin)
        fold = self._folds.get(key)
        if fold is None:
            tally.folded = 1
            tally.inode, tally.local = 0, b""
            self._folds[key] = fold = tally
        else:
            fold.tcp = add_counters(fold.tcp, tally.tcp)
            fold.absorb(tally)
            fold.folded += 1
        for number in (tally.id, *tally.aliases):
            self._folded_numbers[number] = fold
            self._folded_order.append(number)
        tally.aliases = ()
        while len(self._folded_order) > self.max_sockets:
            self._folded_numbers.pop(self._folded_order.popleft(), None)
        self._churned += 1
        if self._churned >= max(self.max_sockets // 2, CHURN):
            self._compact()

    def _compact(self) -> None:
        """A dict that loses as much as it gets is made for three times as much whenever it is full of what it lost."""
        self._by_number = dict(self._by_number)
        self._folded_numbers = dict(self._folded_numbers)
        self._known.compact()
        self._churned = 0

    def _forget(self, tally: SocketTally) -> None:
        self._count -= 1
        for number in (tally.id, *tally.aliases):
            self._by_number.pop(number, None)


class IdentityTable:
    """Rows by what they tell of. Most are the only one of their inode, and need no key of their own."""

    def __init__(self) -> None:
        self._by_inode: dict[int, SocketTally | dict[Identity, SocketTally]] = {}

    def add(self, tally: SocketTally) -> SocketTally:
        """The row that tells of the same socket already, or else ``tally``."""
        if not tally.inode:
            return tally
        there = self._by_inode.setdefault(tally.inode, tally)
        if there is tally:
            return tally
        if isinstance(there, SocketTally):
            if there.identity == tally.identity:
                return there
            there = self._by_inode[tally.inode] = {there.identity: there}
        return there.setdefault(tally.identity, tally)

    def compact(self) -> None:
        """Gives back the room of what was removed."""
        self._by_inode = dict(self._by_inode)

    def remove(self, tally: SocketTally) -> None:
        """Does nothing if it is not in the table."""
        there = self._by_inode.get(tally.inode)
        if there is tally:
            del self._by_inode[tally.inode]
        elif isinstance(there, dict) and there.get(tally.identity) is tally:
            del there[tally.identity]
            if not there:
                del self._by_inode[tally.inode]
