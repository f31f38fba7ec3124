# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger's sockets. It remembers at most about ``max_sockets``: beyond, closed ones are folded (folds.py). Totals
stay exact whatever is folded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

from ptmon.ledger.folds import FoldTable
from ptmon.ledger.identities import IdentityTable
from ptmon.ledger.lives import LifeBook, is_closed, number_of
from ptmon.ledger.socket_tally import SocketTally
from ptmon.records import Lives, SocketClosed, SocketSeen

CHURN = 1024
"""Rows: to make the dicts anew for fewer is not worth while."""


class SocketTable:
    """The rows by the engine's socket numbers."""

    def __init__(self, max_sockets: int) -> None:
        self.max_sockets = max_sockets
        self.seen_count = 0
        self._count = 0
        """Rows, without the folded ones."""
        self._by_number: dict[int, SocketTally | bytes] = {}
        """By every number that the engine's table has had for them; without the folded ones. Bytes: a life."""
        self._known = IdentityTable()
        self._closed: deque[int] = deque()
        """In the order of their first close."""
        self._book = LifeBook(0)
        self._ending: dict[int, bytes] = {}
        """Lives whose rows are objects, and whose closes come later."""
        self._folds = FoldTable(max_sockets)
        self._churned = 0
        """Rows that have been taken out of the dicts since they were made."""

    def __iter__(self) -> Iterator[SocketTally]:
        return chain(self._own(), self._folds)

    @property
    def folded_count(self) -> int:
        """Sockets that were folded."""
        return self._folds.count

    def __len__(self) -> int:
        return self._count + len(self._folds)

    def get(self, number: int, moment: float) -> SocketTally:
        """The row of a socket number; a new one where there is none. Number 0: what belongs to no known socket."""
        tally = self._tally(number) or self._folds.get(number)
        return self._new(number, moment) if tally is None else tally

    def seen(self, record: SocketSeen) -> None:
        """A row is new or better known; or the engine had forgotten a socket and now tells it anew."""
        if self._folds.get(record.socket) is not None:
            return
        tally = self._tally(record.socket)
        if tally is None:
            tally = self._new(record.socket, record.time if record.opened is None else record.opened)
        else:
            self._known.remove(tally)
        tally.seen(record)
        self._know(tally)

    def closed(self, record: SocketClosed) -> None:
        """An fd of a socket is closed, or left open at a detach: either way its counters were read."""
        tally = self._tally(record.socket)
        if tally is None:
            return  # folded, or never told of
        if record.fd >= 0:
            if tally.closed is None:
                self._closed.append(tally.id)
            tally.closed = record.time
        if record.tcp is not None:
            tally.read(record.tcp)

    def lives(self, record: Lives) -> None:
        """Many rows at once, with what came of them."""
        rows, more = record.rows, len(record.rows)
        self._book = LifeBook(record.start) if self._book.start != record.start else self._book
        if self._has_room(more) and self._known.add_lives(record.inodes, rows):
            self._make_room(more)
            self._by_number.update(zip(record.sockets, rows, strict=True))
            self._count += more
            self.seen_count += more
            one = dict(zip(record.sockets, record.sockets, strict=True))  # a number is one object, wherever it is kept
            for number in filter(None, record.steps):
                self._end(one.get(number, number))
            return
        begun = zip(record.sockets, record.inodes, rows, strict=True)
        for step in record.steps:
            if step:
                self._end(step)
            else:
                self._begin(*next(begun))

    def _begin(self, number: int, inode: int, life: bytes) -> None:
        """As :meth:`seen` and what is told behind it, but for the close."""
        self._make_room(1)
        self.seen_count += 1
        self._count += 1
        if self._known.add_life(inode, life):
            self._by_number[number] = life
            return
        tally = self._by_number[number] = self._book.begun(life)
        self._know(tally)
        self._book.add(self.get(number, tally.opened), life)
        if is_closed(life):
            self._ending[number] = life

    def _end(self, number: int) -> None:
        """A close that its life has told."""
        life = self._ending.pop(number, None) if self._ending else None
        record = self._book.closed(life) if life else None
        if record is None:
            self._closed.append(number)
        else:
            self.closed(record)

    def _own(self) -> Iterator[SocketTally]:
        for number, row in self._by_number.items():
            if isinstance(row, bytes):
                yield self._look(number, row)
            elif row.id == number:
                yield row

    def _tally(self, number: int) -> SocketTally | None:
        row = self._by_number.get(number)
        return self._look(number, row) if isinstance(row, bytes) else row

    def _look(self, number: int, life: bytes) -> SocketTally:
        """It is an object from now on."""
        tally = self._by_number[number] = self._book.tally(life)
        tally.id = number
        self._known.replace(tally)
        return tally

    def _look_early(self, number: int, life: bytes) -> None:
        """The same where its close is perhaps still to come: another row may be of the same socket."""
        if not is_closed(life) or number in self._closed:
            self._look(number, life)
            return
        tally = self._by_number[number] = self._book.begun(life)
        self._book.add(tally, life)
        self._known.replace(tally)
        self._ending[number] = life

    def _know(self, tally: SocketTally) -> None:
        life = self._known.life(tally.inode)
        if life is not None:
            self._look_early(number_of(life), life)
        known = self._known.add(tally)
        if known is not tally:
            self._merge(tally, known)

    def _new(self, number: int, moment: float) -> SocketTally:
        self.seen_count += 1
        self._make_room(1)
        tally = self._by_number[number] = SocketTally(number, moment)
        self._count += 1
        return tally

    def _has_room(self, more: int) -> bool:
        """Room can be made without those that are about to be told."""
        return self._count + more - self.max_sockets <= len(self._closed)

    def _make_room(self, more: int) -> None:
        lives: list[bytes] = []
        while self._count + more > self.max_sockets and self._closed:
            number = self._closed.popleft()
            row = self._by_number.get(number)
            if isinstance(row, bytes):
                del self._by_number[number]
                self._count -= 1
                lives.append(row)
            elif row is not None and row.id == number:  # else it was merged since
                self._give_up(lives)
                lives = []
                self._forget(row)
                self._known.remove(row)
                self._folds.add(row)
                self._churned += 1
        if lives:
            self._give_up(lives)
        if self._churned >= max(self.max_sockets // 2, CHURN):
            self._compact()

    def _merge(self, tally: SocketTally, known: SocketTally) -> None:
        """``tally`` is the same socket as ``known``, which the engine had forgotten."""
        self.seen_count -= 1
        self._forget(tally)
        known.absorb(tally)
        for number in (tally.id, *tally.aliases):
            self._by_number[number] = known
        known.aliases += (tally.id, *tally.aliases)

    def _give_up(self, lives: Sequence[bytes]) -> None:
        self._known.remove_lives(lives)
        self._folds.add_lives(self._book, lives)
        self._churned += len(lives)

    def _compact(self) -> None:
        """A dict that loses as much as it gets is made for three times as much whenever it is full of what it lost."""
        self._by_number = dict(self._by_number)
        self._folds.compact()
        self._known.compact()
        self._churned = 0

    def _forget(self, tally: SocketTally) -> None:
        self._count -= 1
        for number in (tally.id, *tally.aliases):
            self._by_number.pop(number, None)
