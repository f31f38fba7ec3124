# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger's names: what a program was told that its peers are called."""

from __future__ import annotations

from collections import OrderedDict, deque

from ptmon import addresses
from ptmon.ledger.socket_tally import SocketTally
from ptmon.records import Named

TOLD_MOST = 64
"""Times that the name of one address was told, each another one than before: the last of them are kept."""


class NameTable:
    """By address, in the order in which they were told; and of connections that have named their peer themselves."""

    def __init__(self, most: int) -> None:
        self._most = most
        """Addresses, and connections."""
        self._by_address: OrderedDict[str, deque[tuple[float, str]]] = OrderedDict()
        self._by_socket: OrderedDict[int, str] = OrderedDict()

    def add(self, record: Named) -> None:
        """A name was told."""
        told = self._by_address.setdefault(record.address, deque(maxlen=TOLD_MOST))
        if not told or told[-1][1] != record.name:
            told.append((record.time, record.name))
        if len(self._by_address) > self._most:
            self._by_address.popitem(last=False)
        if record.socket is not None:
            self._by_socket[record.socket] = record.name
            if len(self._by_socket) > self._most:
                self._by_socket.popitem(last=False)

    def of_address(self, peer: bytes) -> tuple[str, ...]:
        """All names of a peer's address, whatever its port."""
        return tuple(dict.fromkeys(name for _, name in self._told(peer)))

    def of_socket(self, tally: SocketTally) -> str | None:
        """The name that the connection has told itself; else the one that was told last before it was opened.

        From any thread.
        """
        for number in (tally.id, *tally.aliases) if self._by_socket else ():
            if number in self._by_socket:
                return self._by_socket[number]
        told = () if tally.folded else self._told(tally.peer)
        return next((name for moment, name in reversed(told) if moment <= tally.opened), None)

    def of_row(self, tally: SocketTally) -> tuple[str, ...]:
        """Those names of which ``tally`` is one, or a part."""
        if tally.folded:
            return self.of_address(tally.peer)
        name = self.of_socket(tally)
        return () if name is None else (name,)

    def _told(self, peer: bytes) -> tuple[tuple[float, str], ...]:
        """A copy, made at once: a view's reader is another thread."""
        address = addresses.host(peer) if self._by_address else None
        return tuple(self._by_address.get(address, ())) if address is not None else ()
