# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of transfers: rows of the C core that stay rows, which C sums and makes text of. A row costs nanoseconds so, and
some microseconds as an object.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator, Sequence
from itertools import chain

from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native.rows import ROW, Name, transfer
from ptmon.errors import PtmonError, kernel_word
from ptmon.records import Group, Transfer, Transfers
from ptmon.static import Any

GROUP = struct.Struct("=QII")
"""struct pt_group."""
NUMBERS = 48
"""Bytes that a time and a count take at most."""
FEW = 4
"""A run has at least so many rows: fewer cost less as objects (measured)."""

_uncleared = ffi.new_allocator(should_clear_after_alloc=False)


class CoreRows:
    """Rows of struct pt_record, all of kind PT_TRANSFER. See :class:`ptmon.records.Rows`."""

    __slots__ = ("_count", "_data", "_group_of", "_name", "_rows", "_start")

    def __init__(self, rows: Any, count: int, start: int, name: Name) -> None:
        """Copies ``count`` rows from where a pointer points to. ``start``: nanoseconds, from which times count."""
        self._count = count
        self._data = ffi.buffer(rows, count * ROW.size)[:]
        self._rows = ffi.from_buffer("struct pt_record[]", self._data)
        self._start = start
        self._name = name
        self._group_of: Any = _uncleared("uint32_t[]", count)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Transfer]:
        for row in ROW.iter_unpack(self._data):
            yield transfer(row, self._start, self._name, row[1], row[2])

    def groups(self) -> tuple[Group, ...]:
        """Equal ones as one; before :meth:`text`. Raises MemoryError."""
        groups = _uncleared("struct pt_group[]", self._count)
        found = _check(lib.pt_group(self._rows, self._count, self._start, groups, self._group_of))
        return tuple(self._group(*group) for group in GROUP.iter_unpack(ffi.buffer(groups, found * GROUP.size)))

    def text(self, frames: Sequence[tuple[str, str, str]]) -> bytes:
        pieces = list(chain.from_iterable(frames))
        lengths = ffi.from_buffer("struct pt_frame[]", struct.pack(f"={len(pieces)}I", *map(len, pieces)))
        room = self._count * (NUMBERS + max(map(len, map("".join, frames))))
        text = _uncleared("uint8_t[]", room)
        data = "".join(pieces).encode("ascii")
        length = _check(
            lib.pt_format(self._rows, self._count, self._start, self._group_of, lengths, len(frames), data, text, room)
        )
        lines: bytes = ffi.buffer(text, length)[:]
        return lines

    def _group(self, moved: int, first: int, count: int) -> Group:
        row = ROW.unpack_from(self._data, first * ROW.size)
        return Group(transfer(row, self._start, self._name, row[1] * count, moved), row[1])


def read(rows: Any, count: int, start: int, name: Name) -> Transfers:
    """``count`` rows from where a pointer points to, as one record. Raises MemoryError."""
    kept = CoreRows(rows, count, start, name)
    return Transfers(kept.groups(), kept)


def _check(result: int) -> int:
    if result == -errno.ENOMEM:
        raise MemoryError
    if result < 0:
        raise PtmonError(f"cannot tell transfers: {kernel_word(-result)}")
    return result
