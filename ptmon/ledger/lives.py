# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives: rows that come from the engine as bytes, and stay so until something more is told of one, or it is shown. A
row takes some microseconds to become an object, which most need only at the end.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ptmon.ledger.socket_tally import SocketTally, add_counters, alone, worse
from ptmon.records import LIFE, Origin, SocketClosed, TcpCounters

Fields = tuple[int, ...]
"""Of a life, as it has them: the addresses, which are bytes, are read apart."""

ORIGINS = tuple(Origin)
"""By the numbers of ``enum pt_origin``."""
NUMBERS = struct.Struct(LIFE.format.removesuffix("28s28s5x"))
ROW = struct.Struct("=I")
ROW_AT, LOCAL_AT, PEER_AT = 104, 131, 159
MOVED, COUNTED, AUDITABLE = slice(32, 48), slice(72, 88), slice(100, 104)
"""Where these stand: bytes sent and received; the same of the kernel's counters; whether those are to be compared."""
KIND, FAMILY, PORT, HOST = slice(112, 131), slice(159, 161), slice(161, 163), slice(163, 187)
"""And these: from the family to whether it is TCP; of the peer."""
WITH_PORTS = frozenset({struct.pack("=H", 2), struct.pack("=H", 10)})
"""AF_INET and AF_INET6."""
CLOSED, NEVER = slice(24, 32), bytes(8)
SHARED_MOST = 4096
"""Addresses or counters that are kept to be shared."""


class LifeBook:
    """Reads lives. ``start``: nanoseconds, from which times count."""

    def __init__(self, start: int) -> None:
        self.start = start
        self._addresses: dict[bytes, bytes] = {}
        self._tcp: dict[Fields, TcpCounters] = {}

    def tally(self, life: bytes) -> SocketTally:
        """The row, with all that is told of it."""
        tally = self.begun(life)
        fields = NUMBERS.unpack_from(life)
        _, _, _, closed, tally.sent, tally.received, tally.peeked, tally.calls_sent, tally.calls_received = fields[:9]
        if fields[15]:
            tally.pids = alone(fields[15])
        if closed:
            tally.closed = (closed - self.start) / 1e9
            if fields[22]:
                tally.read(self._counters(fields[9:14]))
        return tally

    def begun(self, life: bytes) -> SocketTally:
        """The row as it was before anything was moved."""
        fields = NUMBERS.unpack_from(life)
        tally = SocketTally(fields[14], (fields[1] - self.start) / 1e9)
        tally.inode = fields[0]
        tally.connect = fields[2] / 1e9 if fields[2] else None
        tally.family, tally.type, tally.protocol = fields[16:19]
        tally.origin = ORIGINS[fields[19]]
        tally.local = self._address(life[LOCAL_AT : LOCAL_AT + fields[20]])
        tally.peer = self._address(life[PEER_AT : PEER_AT + fields[21]])
        return tally

    def add(self, tally: SocketTally, life: bytes) -> None:
        """Adds to a row what was moved."""
        fields = NUMBERS.unpack_from(life)
        _, _, _, _, sent, received, peeked, calls_sent, calls_received = fields[:9]
        _add_pid(tally, fields[15])
        _add(tally, sent, received, peeked, calls_sent, calls_received)
        if sent or received:
            tally.audit = "unavailable"  # as after any transfer, until its close is told

    def closed(self, life: bytes) -> SocketClosed | None:
        """Its close, if that is told."""
        fields = NUMBERS.unpack_from(life)
        if not fields[3]:
            return None
        tcp = self._counters(fields[9:14]) if fields[22] else None
        return SocketClosed((fields[3] - self.start) / 1e9, fields[15], fields[15], 0, fields[14], tcp)

    def fold(self, fold: SocketTally, lives: Sequence[Fields]) -> None:
        """Adds lives that are closed, and have one verdict, to those that share a row."""
        columns = list(zip(*lives, strict=True))
        fold.opened = min(fold.opened, (min(columns[1]) - self.start) / 1e9)
        fold.closed = max(fold.closed or 0.0, (max(columns[3]) - self.start) / 1e9)
        sent, received, peeked, calls_sent, calls_received = map(sum, columns[4:9])
        for pid in dict.fromkeys(columns[15]):
            _add_pid(fold, pid)
        _add(fold, sent, received, peeked, calls_sent, calls_received)
        fold.audit = worse(fold.audit, audit_of(lives[0]))
        tcp = None
        if all(columns[22]):
            told_sent, told_received, again = map(sum, columns[9:12])
            tcp = TcpCounters(told_sent, told_received, again, columns[12][-1], all(columns[13]))
        fold.tcp = add_counters(fold.tcp, tcp)
        fold.folded += len(lives)

    def _address(self, address: bytes) -> bytes:
        """One object for equal ones: a listener's address is that of all that it accepts."""
        shared = self._addresses.setdefault(address, address)
        if len(self._addresses) > SHARED_MOST:
            self._addresses.clear()
        return shared

    def _counters(self, fields: Fields) -> TcpCounters:
        """One object for equal ones: many a connection carries as much as the one before."""
        shared = self._tcp.get(fields)
        if shared is None:
            if len(self._tcp) >= SHARED_MOST:
                self._tcp.clear()
            sent, received, retransmitted, rtt, auditable = fields
            shared = self._tcp[fields] = TcpCounters(sent, received, retransmitted, rtt, auditable == 1)
        return shared


def number_of(life: bytes) -> int:
    """The row's number."""
    number: int = ROW.unpack_from(life, ROW_AT)[0]
    return number


def inode_of(life: bytes) -> int:
    return int.from_bytes(life[:8], "little")


def is_closed(life: bytes) -> bool:
    """Its close is told."""
    return life[CLOSED] != NEVER


def fold_key(life: bytes) -> bytes:
    """Equal for two lives only if they are folded into one row; there may be several for one such row."""
    key = life[AUDITABLE] + life[KIND] + life[FAMILY] + life[HOST]
    if life[FAMILY] not in WITH_PORTS:
        key += life[PORT]
    return key + b"=" if life[MOVED] == life[COUNTED] else key


def audit_of(fields: Fields) -> str:
    """The verdict on a life: what :meth:`SocketTally.read` comes to."""
    if not (fields[3] and fields[22] and fields[13]):
        return "unavailable"
    return "match" if fields[9:11] == fields[4:6] else "differ"


def _add(tally: SocketTally, sent: int, received: int, peeked: int, calls_sent: int, calls_received: int) -> None:
    tally.sent += sent
    tally.received += received
    tally.peeked += peeked
    tally.calls_sent += calls_sent
    tally.calls_received += calls_received


def _add_pid(tally: SocketTally, pid: int) -> None:
    if pid and pid not in tally.pids:
        tally.pids = (*tally.pids, pid) if tally.pids else alone(pid)
