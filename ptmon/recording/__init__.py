# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings: what an engine told of one run, whole, in a file that any output can be made of later.

A file begins with MAGIC and goes on with blocks. Each is a FRAME (its kind, the length of its body, a checksum over
both and the body) and the body:

* HEAD, once, the first: JSON. What is known from the start: the report's Header, ``started`` (seconds since the epoch),
  ``start`` (nanoseconds of the clock from which times count), the names of the system calls and the texts of the rules
  that the rows have numbers of, and the sizes of the structs in their data.
* ROWS: a batch of records. A BATCH, the rows as pt_pack() of native/api/pack.c writes them, and their data by zlib.
* DENY: JSON. A call that a hook refused: a Denied of :mod:`ptmon.records`. Rules refuse in rows.
* LOST, through a pipe alone: JSON. How many batches are missing here, for the reader was too slow.
* END, once, the last: JSON. How long it took, and what the report tells that is in no record.

A block is written at once and never changed, so that of a run that was killed all blocks but perhaps the last are
there. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from ptmon.static import Any, Protocol

MAGIC = b"ptmon recording 1\n"
HEAD, ROWS, DENY, END, LOST = b"HEAD", b"ROWS", b"DENY", b"END ", b"LOST"
FRAME = struct.Struct("<4sII")
"""Kind, length of the body in bytes, CRC-32 of the kind, the length and the body."""
BATCH = struct.Struct("<QIII")
"""Until when it tells (nanoseconds of the rows' clock), how many rows, bytes of the packed rows and of their data."""
MOST = 1 << 28
"""Bytes of a body, or of a batch's data, at most: more is a damaged file."""


class Recorder(Protocol):
    """Keeps what an engine tells, as it tells it."""

    def begin(self, known: Mapping[str, Any]) -> None:
        """What its batches can't be read without; before the first."""

    def add(self, body: bytes) -> None:
        """A batch: the body of a block of ROWS."""

    def refuse(self, refusal: Mapping[str, Any]) -> None:
        """A call that a hook refused, after its batch: the body of a block of DENY."""
