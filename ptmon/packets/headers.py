# SPDX-License-Identifier: GPL-2.0-or-later
"""IP, TCP and UDP headers around bytes (RFC 791, 8200, 9293, 768), with checksums that are right.

Of a packet that is cut nobody can say what the checksum over the rest was: it is 0 then.
"""

from __future__ import annotations

import struct

from ptmon.frozen import dataclass

TCP, UDP = 6, 17
FIN, SYN, PSH, ACK = 1, 2, 8, 16
TCP_MOST = 65495
"""Bytes in a segment: with the headers of IPv4 that is a packet of 65535."""
UDP_MOST = 65507
_V4, _V6 = 4, 6
_TTL = 64
_WINDOW, _SCALE = 65535, 14
"""As large as it can be: nobody who reads this is to think that it was ever full."""


@dataclass(frozen=True, slots=True)
class End:
    """An address and a port."""

    address: bytes
    """Four bytes, or sixteen."""
    port: int


@dataclass(frozen=True, slots=True)
class Packet:
    """The bytes of a packet that were kept, and how many it has."""

    data: bytes
    length: int


def tcp(source: End, target: End, sequence: int, acknowledged: int, flags: int, data: bytes, length: int) -> Packet:
    """A segment, in which ``data`` is what was kept of ``length`` bytes."""
    # maximum segment size; no operation, window scale
    options = struct.pack("!BBHBBBB", 2, 4, TCP_MOST, 1, 3, 3, _SCALE) if flags & SYN else b""
    words = (5 + len(options) // 4) << 12 | flags
    ports = (source.port, target.port)
    head = struct.pack("!HHIIHHHH", *ports, sequence % 2**32, acknowledged % 2**32, words, _WINDOW, 0, 0) + options
    check = _checksum(source, target, TCP, head, data) if len(data) == length else 0
    return _packet(source, target, TCP, head[:16] + struct.pack("!H", check) + head[18:], data, length)


def udp(source: End, target: End, data: bytes, length: int) -> Packet:
    """A datagram, in which ``data`` is what was kept of ``length`` bytes."""
    head = struct.pack("!HHHH", source.port, target.port, 8 + length, 0)
    check = (_checksum(source, target, UDP, head, data) or 0xFFFF) if len(data) == length else 0
    return _packet(source, target, UDP, head[:6] + struct.pack("!H", check), data, length)


def bare(source: End, target: End, protocol: int, data: bytes, length: int) -> Packet:
    """``data`` is what another protocol has behind the IP header, with its own header in it."""
    return _packet(source, target, protocol, b"", data, length)


def _packet(source: End, target: End, protocol: int, head: bytes, data: bytes, length: int) -> Packet:
    rest = len(head) + length
    ip = (_ip4 if len(source.address) == _V4 else _ip6)(source.address, target.address, protocol, rest)
    return Packet(b"".join((ip, head, data)), len(ip) + rest)


def _ip4(source: bytes, target: bytes, protocol: int, rest: int) -> bytes:
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + rest, 0, 0x4000, _TTL, protocol, 0, source, target)
    return head[:10] + struct.pack("!H", _folded(head)) + head[12:]


def _ip6(source: bytes, target: bytes, protocol: int, rest: int) -> bytes:
    return struct.pack("!IHBB16s16s", _V6 << 28, rest, protocol, _TTL, source, target)


def _checksum(source: End, target: End, protocol: int, head: bytes, data: bytes) -> int:
    pseudo = struct.pack("!II", len(head) + len(data), protocol)
    return _folded(b"".join((source.address, target.address, pseudo, head, data)))


def _folded(data: bytes) -> int:
    """The complement of the one's complement sum of 16-bit words (RFC 1071): a remainder by 65535, as 65536 is one."""
    rest = int.from_bytes(data + bytes(len(data) % 2)) % 0xFFFF
    return 0xFFFF - rest if rest else 0
