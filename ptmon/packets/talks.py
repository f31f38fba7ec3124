# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets as talks: who the two ends are, and the packets of what goes between them."""

from __future__ import annotations

import _socket as socket
import struct
from collections import OrderedDict
from collections.abc import Iterator

from ptmon.packets import headers
from ptmon.packets.headers import ACK, FIN, PSH, SYN, End, Packet
from ptmon.packets.holders import Holders
from ptmon.records import Clone, Content, Direction, Origin, SocketClosed, SocketSeen

TALKS_MOST = 50_000
"""Sockets that are remembered; beyond, the one that was used longest ago is forgotten."""
_BEGUN = frozenset({Origin.CONNECTED, Origin.ACCEPTED, Origin.PAIR})
_MAPPED = bytes(10) + b"\xff\xff"
_FIRST_PORT, _PORTS = 49152, 16384
"""Those that no service has: Wireshark takes them for no protocol in particular."""
_HASH = 0x9E3779B1
"""Of a row, its first sequence number: of two connections of the same ends they differ."""
_PINGS = frozenset({socket.IPPROTO_ICMP, socket.IPPROTO_ICMPV6})


class Talk:
    """A row of the socket table, from its first content on. ``made_up``: its ends are not those of the socket."""

    def __init__(self, seen: SocketSeen, mine: End, other: End, *, existed: bool, made_up: bool) -> None:
        self.seen = seen
        self.mine = mine
        self.other = other
        self.made_up = made_up
        self.is_stream = seen.type == socket.SOCK_STREAM
        self._begins = self.is_stream and not existed and seen.origin in _BEGUN
        self._next = {
            Direction.SENT: seen.socket * _HASH % 2**32,
            Direction.RECEIVED: ~(seen.socket * _HASH) % 2**32,
        }
        """The sequence number of the next byte, each way."""

    def begin(self) -> Iterator[tuple[Direction, Packet]]:
        """The handshake, if it is a connection whose first byte comes now."""
        if not self._begins:
            return
        first, second = Direction.SENT, Direction.RECEIVED
        if self.seen.origin is Origin.ACCEPTED:
            first, second = second, first
        yield first, self._segment(first, SYN, acknowledges=False)
        self._next[first] += 1
        yield second, self._segment(second, SYN | ACK)
        self._next[second] += 1
        yield first, self._segment(first, ACK)

    def move(self, way: Direction, data: bytes, length: int) -> Iterator[Packet]:
        """What carries so many bytes, of which ``data`` are the first."""
        most = headers.TCP_MOST if self.is_stream else headers.UDP_MOST
        for at in range(0, length, most) if length or self.is_stream else (0,):
            part = min(most, length - at)
            yield self._packet(way, data[at : at + part], part)

    def end(self, way: Direction = Direction.SENT) -> Packet:
        """That side sends no more. If it does (by an fd that was not seen) this is as if it was not there."""
        return self._segment(way, FIN | ACK)

    def _packet(self, way: Direction, data: bytes, length: int) -> Packet:
        if self.is_stream:
            packet = self._segment(way, PSH | ACK, data, length)
            self._next[way] += length
            return packet
        source, target = self._ends(way)
        if self.seen.type == socket.SOCK_DGRAM and self.seen.protocol in _PINGS and not self.made_up:
            return headers.bare(source, target, self.seen.protocol, data, length)
        return headers.udp(source, target, data, length)

    def _segment(
        self, way: Direction, flags: int, data: bytes = b"", length: int = 0, *, acknowledges: bool = True
    ) -> Packet:
        back = Direction.RECEIVED if way is Direction.SENT else Direction.SENT
        acknowledged = self._next[back] if acknowledges else 0
        return headers.tcp(*self._ends(way), self._next[way], acknowledged, flags, data, length)

    def _ends(self, way: Direction) -> tuple[End, End]:
        return (self.mine, self.other) if way is Direction.SENT else (self.other, self.mine)


class Talks:
    """All of them, and which processes have them open, as far as that is seen."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, SocketSeen] = OrderedDict()
        self._talks: dict[int, Talk] = {}
        self._by_ends: dict[tuple[bool, End, End], int] = {}
        self._holders = Holders()

    def note(self, seen: SocketSeen) -> None:
        """A socket is new, or known better."""
        self._seen[seen.socket] = seen
        self._holders.add(seen.socket, seen.pid, seen.fd)
        while len(self._seen) > TALKS_MOST:
            self._forget(next(iter(self._seen)))

    def find(self, record: Content) -> tuple[Talk, bool]:
        """The talk of what was moved, and whether it begins by that."""
        number = record.socket
        seen = self._seen.get(number)
        if seen is None:  # forgotten: it is told again, as one of which nothing is known
            seen = SocketSeen(record.time, record.pid, record.tid, record.fd, number, 0, -1, 0, 0, b"", b"")
            self.note(seen)
        self._seen.move_to_end(number)
        self._holders.add(number, record.pid, record.fd)
        talk = self._talks.get(number)
        if talk is not None:
            return talk, False
        talk = self._made(seen, record.existed)
        self._talks[number] = talk
        self._by_ends[talk.is_stream, talk.mine, talk.other] = number
        return talk, True

    def forked(self, record: Clone) -> None:
        """A child has what its parent has."""
        self._holders.fork(record.parent, record.pid)

    def closed(self, record: SocketClosed) -> Talk | None:
        """The talk that is over by that."""
        if record.maybe or record.fd < 0 or not self._holders.close(record.socket, record.pid, record.fd):
            return None
        return self._ended(record.socket)

    def gone(self, pid: int) -> list[Talk]:
        """Talks that are over because a process has ended."""
        return [talk for row in self._holders.exit(pid) if (talk := self._ended(row)) is not None]

    def _ended(self, number: int) -> Talk | None:
        """It is kept: somebody may have a copy of an fd that was not seen yet."""
        talk = self._talks.get(number)
        if talk is not None and self._by_ends.get((talk.is_stream, talk.mine, talk.other)) == number:
            del self._by_ends[talk.is_stream, talk.mine, talk.other]
        return talk

    def _forget(self, number: int) -> None:
        self._ended(number)
        self._talks.pop(number, None)
        self._seen.pop(number, None)
        self._holders.forget(number)

    def _made(self, seen: SocketSeen, existed: bool) -> Talk:
        """Both ends of a connection may be traced: the second one that is seen is a talk of its own."""
        ends = _ends(seen)
        if ends is not None and (seen.type == socket.SOCK_STREAM, ends[1], ends[0]) not in self._by_ends:
            return Talk(seen, *ends, existed=existed, made_up=False)
        host, port = divmod(seen.socket, _PORTS)
        mine, other = (End(struct.pack("!BBH", 127, net, host % 2**16), _FIRST_PORT + port) for net in (1, 2))
        return Talk(seen, mine, other, existed=existed, made_up=True)


def _ends(seen: SocketSeen) -> tuple[End, End] | None:
    """The socket's own, and its peer; one that is not known is all zeros. None if they are not of IP."""
    if seen.family not in (socket.AF_INET, socket.AF_INET6) or seen.type not in (
        socket.SOCK_STREAM,
        socket.SOCK_DGRAM,
        socket.SOCK_SEQPACKET,
    ):
        return None
    mine, other = _end(seen.local), _end(seen.peer)
    if mine is None and other is None:
        return None
    wide = max(len(end.address) for end in (mine, other) if end is not None)
    mine, other = (_widened(end, wide) for end in (mine, other))
    return mine, other


def _widened(end: End | None, wide: int) -> End:
    if end is None:
        return End(bytes(wide), 0)
    if len(end.address) == wide:
        return end
    return End(_MAPPED + end.address if any(end.address) else bytes(wide), end.port)


def _end(address: bytes) -> End | None:
    if len(address) < 2:
        return None
    (family,) = struct.unpack_from("=H", address)
    if family == socket.AF_INET and len(address) >= 8:
        return End(address[4:8], *struct.unpack_from("!H", address, 2))
    if family == socket.AF_INET6 and len(address) >= 24:
        host = address[8:24]
        return End(host[12:] if host.startswith(_MAPPED) else host, *struct.unpack_from("!H", address, 2))
    return None
