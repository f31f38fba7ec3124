# SPDX-License-Identifier: GPL-2.0-only
"""The ledger's sockets. It remembers at most about ``max_sockets``: beyond, closed ones are folded into one row for
each family, type, protocol, peer's host, verdict of the audit and direction. Totals stay exact whatever is folded.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import chain

from ptmon import addresses
from ptmon.ledger.socket_tally import SocketTally, add_counters
from ptmon.records import SocketClosed, SocketSeen


class SocketTable:
    """The rows by the engine's socket numbers."""

    def __init__(self, max_sockets: int) -> None:
        self.max_sockets = max_sockets
        self.seen_count = 0
        self.folded_count = 0
        self._tallies: dict[int, SocketTally] = {}
        """By their own number."""
        self._by_number: dict[int, SocketTally] = {}
        """By every number that the engine's table has had for them; without the folded ones."""
        self._by_identity: dict[object, SocketTally] = {}
        self._closed: deque[SocketTally] = deque()
        """In the order of their first close."""
        self._folds: dict[object, SocketTally] = {}
        self._folded_numbers: OrderedDict[int, SocketTally] = OrderedDict()
        """The youngest of them: a closed fd may have been one of several, so that bytes can follow."""

    def __iter__(self) -> Iterator[SocketTally]:
        return chain(self._tallies.values(), self._folds.values())

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
        elif self._by_identity.get(tally.identity) is tally:
            del self._by_identity[tally.identity]
        tally.seen(record)
        if (identity := tally.identity) is None:
            return
        known = self._by_identity.setdefault(identity, tally)
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
        while len(self._tallies) >= self.max_sockets and self._closed:
            self._fold(self._closed.popleft())
        tally = SocketTally(number, moment)
        self._tallies[number] = self._by_number[number] = tally
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
        if self._tallies.get(tally.id) is not tally:
            return  # merged since
        self._forget(tally)
        if self._by_identity.get(tally.identity) is tally:
            del self._by_identity[tally.identity]
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
        tally.aliases = ()
        while len(self._folded_numbers) > self.max_sockets:
            self._folded_numbers.popitem(last=False)

    def _forget(self, tally: SocketTally) -> None:
        del self._tallies[tally.id]
        for number in (tally.id, *tally.aliases):
            self._by_number.pop(number, None)
