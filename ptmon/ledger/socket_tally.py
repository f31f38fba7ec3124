# SPDX-License-Identifier: GPL-2.0-or-later
"""One socket's row in the ledger: mutable sums, and the verdict on them by the kernel's own TCP counters."""

from __future__ import annotations

from functools import lru_cache

from ptmon import addresses
from ptmon.records import Direction, Origin, SocketSeen, TcpCounters, Transfer
from ptmon.report import SocketReport, TcpReport, seconds

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED  # an enum's member is found more slowly
Identity = tuple[int, int, int, int, bytes, bytes]


class SocketTally:
    """One socket (or one peer of a datagram socket). It may have had several rows in an engine's table."""

    __slots__ = (
        "aliases",
        "audit",
        "calls_received",
        "calls_sent",
        "closed",
        "connect",
        "family",
        "folded",
        "id",
        "inode",
        "local",
        "opened",
        "origin",
        "peeked",
        "peer",
        "pids",
        "protocol",
        "received",
        "sent",
        "tcp",
        "type",
    )

    def __init__(self, number: int, opened: float) -> None:
        self.id = number
        self.aliases: tuple[int, ...] = ()
        """Further row numbers that the engine's table had for it."""
        self.inode = 0
        self.family = -1
        self.type = 0
        self.protocol = 0
        self.local = self.peer = b""
        self.opened = opened
        self.closed: float | None = None
        self.pids: tuple[int, ...] = ()
        self.sent = self.received = self.peeked = 0
        self.calls_sent = self.calls_received = 0
        self.tcp: TcpCounters | None = None
        self.audit = "unavailable"
        self.folded = 0
        self.origin = Origin.UNKNOWN
        self.connect: float | None = None

    @property
    def identity(self) -> Identity:
        """Equal for two rows that tell of the same socket, if ``inode`` is known."""
        return (self.inode, self.family, self.type, self.protocol, self.local, self.peer)

    @property
    def family_name(self) -> str:
        return addresses.family_name(self.family)

    @property
    def scope(self) -> str:
        return addresses.scope(self.family, self.peer)

    def seen(self, record: SocketSeen) -> None:
        """Is new, or better known than before."""
        self.inode = record.inode
        self.family, self.type, self.protocol = record.family, record.type, record.protocol
        self.local, self.peer = record.local, record.peer
        self.origin, self.connect = record.origin, record.connect

    def add(self, record: Transfer) -> None:
        pid, direction = record.pid, record.direction
        if pid not in self.pids:
            self.pids = (*self.pids, pid) if self.pids else alone(pid)
        if direction == SENT:
            self.sent += record.bytes
            self.calls_sent += record.calls
        else:
            self.calls_received += record.calls
            if direction == RECEIVED:
                self.received += record.bytes
            else:
                self.peeked += record.bytes
                return
        if record.bytes:
            self.audit = "unavailable"  # what the kernel said at an earlier close is stale

    def read(self, counters: TcpCounters) -> None:
        """Compares with the kernel's counters of this moment."""
        self.tcp = counters
        if not counters.auditable:
            self.audit = "unavailable"
            return
        agree = (counters.bytes_sent, counters.bytes_received) == (self.sent, self.received)
        self.audit = "match" if agree else "differ"

    def absorb(self, other: SocketTally) -> None:
        """Takes over another row's sums."""
        self.opened = min(self.opened, other.opened)
        if self.closed is None or (other.closed is not None and other.closed > self.closed):
            self.closed = other.closed
        if other.pids != self.pids:
            self.pids += tuple(pid for pid in other.pids if pid not in self.pids)
        self.sent += other.sent
        self.received += other.received
        self.peeked += other.peeked
        self.calls_sent += other.calls_sent
        self.calls_received += other.calls_received
        self.audit = worse(self.audit, other.audit)

    def report(self, peer_name: str | None = None) -> SocketReport:
        tcp = self.tcp
        local, local_host, local_port = addresses.parts(self.local)
        peer, peer_host, peer_port = addresses.parts(self.peer)
        return SocketReport(
            self.id,
            self.inode or None,
            self.family_name,
            addresses.type_name(self.type),
            addresses.protocol_name(self.family, self.protocol),
            local,
            peer_host if self.folded else peer,
            self.scope,
            seconds(self.opened),
            None if self.closed is None else seconds(self.closed),
            self.pids,
            self.sent,
            self.received,
            self.peeked,
            self.calls_sent,
            self.calls_received,
            None if tcp is None else TcpReport(tcp.bytes_sent, tcp.bytes_received, tcp.retransmitted, tcp.rtt_us),
            self.audit,
            self.folded,
            self.origin.value,
            local_host,
            local_port,
            peer_host,
            None if self.folded else peer_port,
            None if self.folded or self.connect is None else seconds(self.connect),
            None if self.folded or self.closed is None else seconds(self.closed - self.opened),
            peer_name,
        )


@lru_cache(1024)
def alone(pid: int) -> tuple[int]:
    """One object for all sockets of a process."""
    return (pid,)


def worse(one: str, other: str) -> str:
    """The verdict on two sockets together."""
    if "differ" in (one, other):
        return "differ"
    return one if one == other else "unavailable"


def add_counters(one: TcpCounters | None, other: TcpCounters | None) -> TcpCounters | None:
    """The counters of two sockets together; the round-trip time is that of ``other``."""
    if one is None or other is None:
        return None
    return TcpCounters(
        one.bytes_sent + other.bytes_sent,
        one.bytes_received + other.bytes_received,
        one.retransmitted + other.retransmitted,
        other.rtt_us,
        one.auditable and other.auditable,
    )
