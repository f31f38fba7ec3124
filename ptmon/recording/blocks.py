# SPDX-License-Identifier: GPL-2.0-or-later
"""The blocks of a recording as bytes, and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from ptmon.recording import FRAME, MAGIC, MOST
from ptmon.static import Any

MALFORMED = (ArithmeticError, LookupError, TypeError, ValueError)
"""What it may raise to read a document that says something else than it should."""


class DamagedError(Exception):
    """From here on a recording is not what was written; the text says where, and how that is known."""


def block(kind: bytes, body: bytes) -> bytes:
    """One block, as it stands in the file."""
    return FRAME.pack(kind, len(body), _checksum(kind, len(body), body)) + body


def document(kind: bytes, body: Mapping[str, Any]) -> bytes:
    """A block whose body is JSON."""
    return block(kind, json.dumps(body, separators=(",", ":")).encode())


def blocks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each block of a file. Raises DamagedError behind the last one that is whole; OSError."""
    if file.read(len(MAGIC)) != MAGIC:
        raise DamagedError("it does not begin as one")
    at = len(MAGIC)
    while frame := file.read(FRAME.size):
        if len(frame) < FRAME.size:
            raise DamagedError(f"it ends in the middle of a block (at byte {at})")
        kind, length, checksum = FRAME.unpack(frame)
        if length > MOST:
            raise DamagedError(f"a block has an impossible length (at byte {at})")
        body = file.read(length)
        if len(body) < length:
            raise DamagedError(f"it ends in the middle of a block (at byte {at})")
        if _checksum(kind, length, body) != checksum:
            raise DamagedError(f"a block's checksum is wrong (at byte {at})")
        yield kind, body
        at += FRAME.size + length


def _checksum(kind: bytes, length: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(kind + length.to_bytes(4, "little")))
