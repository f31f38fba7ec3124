# SPDX-License-Identifier: GPL-2.0-or-later
"""The blocks of a pcapng file (draft-ietf-opsawg-pcapng), in the byte order of this machine."""

from __future__ import annotations

import struct

RAW = 101
"""LINKTYPE_RAW: a packet begins with its IP header, of version 4 or 6."""
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
ORDER = 0x1A2B3C4D
COMMENT = 1
OPTION_MOST = 4096
"""Bytes of one option's text."""
_INBOUND, _OUTBOUND = 1, 2
_WORD = 4


def section(program: str, comment: str) -> bytes:
    """The first block: who has written the file, and of what."""
    body = struct.pack("=IHHq", ORDER, 1, 0, -1)
    return _block(SECTION, body + _options((COMMENT, _text(comment)), (3, b"Linux"), (4, _text(program))))


def interface(name: str, about: str) -> bytes:
    """The second: where the packets come from. Their times are in nanoseconds."""
    return _block(
        INTERFACE, struct.pack("=HHI", RAW, 0, 0) + _options((2, _text(name)), (3, _text(about)), (9, b"\x09"))
    )


def packet(time: int, data: bytes, length: int, *, sent: bool, comment: str) -> bytes:
    """A packet of which ``data`` is what was kept of ``length`` bytes. ``time``: nanoseconds since the epoch."""
    head = struct.pack("=IIIII", 0, time >> 32 & 0xFFFFFFFF, time & 0xFFFFFFFF, len(data), length)
    flags = struct.pack("=I", _OUTBOUND if sent else _INBOUND)
    return _block(PACKET, head + _padded(data) + _options((COMMENT, _text(comment)), (2, flags)))


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 3 * _WORD
    return b"".join((struct.pack("=II", kind, length), body, struct.pack("=I", length)))


def _options(*options: tuple[int, bytes]) -> bytes:
    written = [struct.pack("=HH", code, len(value)) + _padded(value) for code, value in options if value]
    return b"".join((*written, bytes(_WORD)))


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")[:OPTION_MOST].decode("utf-8", "ignore").encode()


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _WORD)
