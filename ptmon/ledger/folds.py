# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows that stand for many closed sockets each: one for each family, type, protocol, peer's host, verdict of the audit
and direction.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from ptmon import addresses
from ptmon.ledger.lives import NUMBERS, Fields, LifeBook, fold_key
from ptmon.ledger.socket_tally import SocketTally, add_counters

KEYS_MOST = 4096
"""Of so many lives it is kept into which row they are folded."""


class FoldTable:
    """Remembers of about ``most`` sockets into which row they were folded: a closed fd may have been one of several, so
    that bytes can follow.
    """

    def __init__(self, most: int) -> None:
        self.count = 0
        """Sockets that were folded."""
        self._most = most
        self._rows: dict[object, SocketTally] = {}
        self._of_life: dict[bytes, SocketTally] = {}
        """By :func:`fold_key`."""
        self._by_number: dict[int, SocketTally] = {}
        """The youngest of them."""
        self._order: deque[int] = deque()
        """The same, by their age. An OrderedDict would take twice the room."""

    def __iter__(self) -> Iterator[SocketTally]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, number: int) -> SocketTally | None:
        """The row into which that of this number was folded, if that is remembered."""
        return self._by_number.get(number)

    def compact(self) -> None:
        """Gives back the room of what was forgotten."""
        self._by_number = dict(self._by_number)

    def add(self, tally: SocketTally) -> None:
        """Folds a row."""
        self._fold(tally)
        self._forget()

    def add_lives(self, book: LifeBook, lives: Sequence[bytes]) -> None:
        """The same of many that are bytes still, one behind the other."""
        more: dict[int, tuple[SocketTally, list[Fields]]] = {}
        """By the row's id()."""
        for life in lives:
            key = fold_key(life)
            row = self._of_life.get(key)
            if row is None:
                _add_up(book, more)
                row = self._fold(book.tally(life))
                if len(self._of_life) >= KEYS_MOST:
                    self._of_life.clear()
                self._of_life[key] = row
                continue
            fields = NUMBERS.unpack_from(life)
            there = more.get(id(row))
            if there is None:
                more[id(row)] = row, [fields]
            else:
                there[1].append(fields)
            self._by_number[fields[14]] = row
            self._order.append(fields[14])
            self.count += 1
        _add_up(book, more)
        self._forget()

    def _fold(self, tally: SocketTally) -> SocketTally:
        """The row that it is in from now on."""
        self.count += 1
        key = (tally.family, tally.type, tally.protocol, addresses.host(tally.peer), tally.audit, tally.origin)
        row = self._rows.get(key)
        if row is None:
            tally.folded = 1
            tally.inode, tally.local = 0, b""
            self._rows[key] = row = tally
        else:
            row.tcp = add_counters(row.tcp, tally.tcp)
            row.absorb(tally)
            row.folded += 1
        for number in (tally.id, *tally.aliases):
            self._by_number[number] = row
            self._order.append(number)
        tally.aliases = ()
        return row

    def _forget(self) -> None:
        while len(self._order) > self._most:
            self._by_number.pop(self._order.popleft(), None)


def _add_up(book: LifeBook, more: dict[int, tuple[SocketTally, list[Fields]]]) -> None:
    for row, lives in more.values():
        book.fold(row, lives)
    more.clear()
