# SPDX-License-Identifier: GPL-2.0-only
"""Lives: rows that come from the engine as bytes, and stay so until something more is told of one, or it is shown. A
row takes some microseconds to become an object, which most need only at the end.
"""

from __future__ import annotations

import struct

from ptmon.ledger.socket_tally import SocketTally, add_counters, alone, worse
from ptmon.records import LIFE, Origin, SocketClosed, TcpCounters

Fields = tuple[int, ...]
"""Of a life, as it has them: the addresses, which are bytes, are read apart."""

ORIGINS = tuple(Origin)
"""By the numbers of ``enum pt_origin``."""
NUMBERS = struct.Struct(LIFE.format.removesuffix("28s28s5x"))
ROW = struct.Struct("=I")
ROW_AT, LOCAL_AT, PEER_AT = 104, 131, 159
KIND, KIND_AND_LENGTHS, FAMILY, HOST, PEER = (
    slice(112, 128),
    slice(112, 130),
    slice(159, 161),
    slice(163, 187),
    slice(159, 187),
)
"""Where these stand: family, type, protocol and origin; the peer's family; the peer from behind its port on."""
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
        _sum(tally, fields[15], (sent, received, peeked, calls_sent, calls_received))
        if sent or received:
            tally.audit = "unavailable"  # as after any transfer, until its close is told

    def closed(self, life: bytes) -> SocketClosed | None:
        """Its close, if that is told."""
        fields = NUMBERS.unpack_from(life)
        if not fields[3]:
            return None
        tcp = self._counters(fields[9:14]) if fields[22] else None
        return SocketClosed((fields[3] - self.start) / 1e9, fields[15], fields[15], 0, fields[14], tcp)

    def fold(self, fold: SocketTally, life: bytes) -> None:
        """Adds a life that is closed to those that share a row."""
        fields = NUMBERS.unpack_from(life)
        _, opened, _, closed, sent, received, peeked, calls_sent, calls_received = fields[:9]
        fold.opened = min(fold.opened, (opened - self.start) / 1e9)
        fold.closed = max(fold.closed or 0.0, (closed - self.start) / 1e9)
        _sum(fold, fields[15], (sent, received, peeked, calls_sent, calls_received))
        fold.audit = worse(fold.audit, audit_of(fields))
        fold.tcp = add_counters(fold.tcp, self._counters(fields[9:14]) if fields[22] else None)
        fold.folded += 1

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
    """Equal for two lives only if one row is to be made of both; there may be several for one such row."""
    fields = NUMBERS.unpack_from(life)
    place = life[KIND] + life[HOST] if life[FAMILY] in WITH_PORTS else life[KIND_AND_LENGTHS] + life[PEER]
    return audit_of(fields).encode() + place


def audit_of(fields: Fields) -> str:
    """The verdict on a life: what :meth:`SocketTally.read` comes to."""
    if not (fields[3] and fields[22] and fields[13]):
        return "unavailable"
    return "match" if fields[9:11] == fields[4:6] else "differ"


def _sum(tally: SocketTally, pid: int, sums: tuple[int, int, int, int, int]) -> None:
    if pid and pid not in tally.pids:
        tally.pids = (*tally.pids, pid) if tally.pids else alone(pid)
    tally.sent += sums[0]
    tally.received += sums[1]
    tally.peeked += sums[2]
    tally.calls_sent += sums[3]
    tally.calls_received += sums[4]
