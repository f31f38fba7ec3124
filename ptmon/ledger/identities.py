# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of sockets by what they tell of: an engine that had forgotten a socket tells it anew, as another row."""

from __future__ import annotations

from collections.abc import Sequence

from ptmon.ledger.lives import inode_of
from ptmon.ledger.socket_tally import Identity, SocketTally


class IdentityTable:
    """Most rows are the only one of their inode, and need no key of their own; nor are they looked at, so they may be
    bytes still (lives.py).
    """

    def __init__(self) -> None:
        self._by_inode: dict[int, SocketTally | bytes | dict[Identity, SocketTally]] = {}

    def add(self, tally: SocketTally) -> SocketTally:
        """The row that tells of the same socket already, or else ``tally``. The former is no :meth:`life`."""
        if not tally.inode:
            return tally
        there = self._by_inode.setdefault(tally.inode, tally)
        if there is tally or isinstance(there, bytes):
            return tally
        if isinstance(there, SocketTally):
            if there.identity == tally.identity:
                return there
            there = self._by_inode[tally.inode] = {there.identity: there}
        return there.setdefault(tally.identity, tally)

    def add_life(self, inode: int, life: bytes) -> bool:
        """False, and nothing is added: it may be another row's socket."""
        return inode != 0 and self._by_inode.setdefault(inode, life) is life

    def add_lives(self, inodes: Sequence[int], lives: Sequence[bytes]) -> bool:
        """The same of many: all of them or none."""
        alone = set(inodes)
        if len(alone) < len(inodes) or 0 in alone or not self._by_inode.keys().isdisjoint(alone):
            return False
        self._by_inode.update(zip(inodes, lives, strict=True))
        return True

    def life(self, inode: int) -> bytes | None:
        """The row of this inode, if it is bytes still."""
        there = self._by_inode.get(inode)
        return there if isinstance(there, bytes) else None

    def replace(self, tally: SocketTally) -> None:
        """It was bytes until now."""
        self._by_inode[tally.inode] = tally

    def compact(self) -> None:
        """Gives back the room of what was removed."""
        self._by_inode = dict(self._by_inode)

    def remove_lives(self, lives: Sequence[bytes]) -> None:
        """They are there."""
        for life in lives:
            del self._by_inode[inode_of(life)]

    def remove(self, tally: SocketTally) -> None:
        """Does nothing if it is not in the table."""
        there = self._by_inode.get(tally.inode)
        if there is tally:
            del self._by_inode[tally.inode]
        elif isinstance(there, dict) and there.get(tally.identity) is tally:
            del there[tally.identity]
            if not there:
                del self._by_inode[tally.inode]
