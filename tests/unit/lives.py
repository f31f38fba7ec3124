# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches as the C core packs them: new rows with what comes of them as Lives, all else as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ptmon.frozen import replace
from ptmon.ledger.lives import ORIGINS
from ptmon.records import IN_LIFE, LIFE, Direction, Lives, Record, SocketClosed, SocketSeen, TcpCounters, Transfer

START = 7_000_000_000
LONGEST = 28
"""Bytes of an address that a life has room for."""


@dataclass
class Life:
    """A row that began in the batch."""

    seen: SocketSeen
    pid: int = 0
    sums: list[int] = field(default_factory=lambda: [0] * 5)
    """Sent, received, peeked, calls that sent, others."""
    close: SocketClosed | None = None

    def add(self, record: Transfer) -> None:
        self.pid = record.pid
        self.sums[record.direction - 1] += record.bytes
        self.sums[3 if record.direction is Direction.SENT else 4] += record.calls

    def bytes(self) -> bytes:
        seen, close = self.seen, self.close
        assert seen.opened is not None
        tcp = close.tcp if close is not None and close.tcp is not None else TcpCounters(0, 0, 0, 0, False)
        return LIFE.pack(
            seen.inode,
            nanoseconds(seen.opened),
            round((seen.connect or 0) * 1e9),
            nanoseconds(close.time) if close else 0,
            *self.sums,
            *(tcp.bytes_sent, tcp.bytes_received, tcp.retransmitted, tcp.rtt_us, tcp.auditable),
            *(seen.socket, self.pid, seen.family, seen.type, seen.protocol, ORIGINS.index(seen.origin)),
            *(len(seen.local), len(seen.peer), close is not None and close.tcp is not None, seen.local, seen.peer),
        )


def nanoseconds(moment: float) -> int:
    return START + round(moment * 1e9)


class Packer:
    """Packs one batch after the other."""

    def __init__(self) -> None:
        self.told: set[int] = set()
        self.closed: set[int] = set()

    def pack(self, batch: Iterable[Record]) -> list[Record]:
        """A batch that stands for the same."""
        packing = Packing(self)
        for record in batch:
            packing.take(record)
        return packing.records()


class Packing:
    """One batch."""

    def __init__(self, packer: Packer) -> None:
        self._packer = packer
        self._lives: dict[int, Life] = {}
        self._live: set[int] = set()
        self._packed: list[Record | list[int]] = []
        """Lists: the steps of a run."""
        self._run: list[int] | None = None

    def take(self, record: Record) -> None:
        if isinstance(record, SocketSeen):
            done = self._seen(record)
        elif isinstance(record, SocketClosed):
            done = self._close(record)
        else:
            done = isinstance(record, Transfer) and self._move(record)
        if done:
            return
        if isinstance(record, SocketSeen | SocketClosed | Transfer):
            self._live.discard(record.socket)
            if not isinstance(record, Transfer) or record.socket in self._packer.closed:
                self._run = None
        self._packed.append(record)

    def records(self) -> list[Record]:
        records: list[Record] = []
        lives, at = list(self._lives.values()), 0
        for record in self._packed:
            if isinstance(record, list):
                part = lives[at : at + record.count(0)]
                at += len(part)
                numbers, inodes = [life.seen.socket for life in part], [life.seen.inode for life in part]
                record = Lives([life.bytes() for life in part], numbers, inodes, record, START)
            records.append(record)
        return records

    def _seen(self, record: SocketSeen) -> bool:
        new = record.socket not in self._packer.told
        self._packer.told.add(record.socket)
        if not new or record.family < 0 or max(len(record.local), len(record.peer)) > LONGEST:
            return False
        self._lives[record.socket] = Life(record)
        self._live.add(record.socket)
        self._step(0)
        return True

    def _close(self, record: SocketClosed) -> bool:
        self._packer.closed.add(record.socket)
        if record.socket not in self._live or record.fd < 0 or record.maybe:
            return False
        self._lives[record.socket].close = record
        self._live.remove(record.socket)
        self._step(record.socket)
        return True

    def _move(self, record: Transfer) -> bool:
        if record.socket not in self._live or self._lives[record.socket].pid not in (0, record.pid):
            return False
        self._lives[record.socket].add(record)
        self._packed.append(replace(record, socket=IN_LIFE, fd=-1))
        return True

    def _step(self, what: int) -> None:
        if self._run is None:
            self._run = []
            self._packed.append(self._run)
        self._run.append(what)
