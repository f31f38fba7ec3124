# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches of the C core as they stand in a recording, and back. See :mod:`ptmon.recording`."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count, takewhile

from ptmon.engines.boundary import ffi, lib
from ptmon.errors import kernel_word
from ptmon.recording import BATCH, MOST
from ptmon.recording.blocks import MALFORMED, DamagedError
from ptmon.records import Called, Denied
from ptmon.static import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ptmon.engines.boundary import pt_batch

STRUCTS = ("pt_call", "pt_chunk", "pt_connect", "pt_payload", "pt_socket_info", "pt_tcp_info")
"""What stands in the data of rows."""
LEVEL = 1
"""Of zlib: addresses are mostly zeros, which the least effort takes out."""

ALIGNED = 8
"""Structs are read from rows' data."""
_uncleared = ffi.new_allocator(should_clear_after_alloc=False)


def layout() -> dict[str, int]:
    """The sizes of the structs in rows' data, by which another version of ptmon sees whether it can read them."""
    return {name: ffi.sizeof(f"struct {name}") for name in STRUCTS}


def syscalls() -> list[str]:
    """The names that rows have numbers of."""
    pointers = map(lib.pt_syscall_name, count())
    return [ffi.string(one).decode() for one in takewhile(lambda one: one != ffi.NULL, pointers)]


def pack(batch: pt_batch, *, stripped: bool = False) -> bytes:
    """A batch as the body of a block; ``stripped``: without what calls have moved. Raises MemoryError."""
    records, rows, data = batch.records, batch.count, b""
    if stripped:
        records, rows, data = _without_content(batch)
    elif batch.data_length:
        data = ffi.buffer(batch.data, batch.data_length)
    room = rows * lib.PT_PACKED_MOST
    packed = _uncleared("uint8_t[]", room)
    length = lib.pt_pack(records, rows, packed, room)
    if length < 0:
        raise AssertionError(f"pt_pack: {kernel_word(-length)}")
    head = BATCH.pack(batch.time, rows, length, len(data))
    return b"".join((head, ffi.buffer(packed, length), zlib.compress(data, LEVEL) if data else b""))


def pack_refusal(refusal: Denied) -> dict[str, Any]:
    """A call that a hook refused, as the body of a block."""
    call = refusal.call
    memory = [(address, kept.hex()) for address, kept in call.memory]
    return {**asdict(refusal), "call": [call.number, call.compat, call.args, memory]}


def unpack_refusal(told: Mapping[str, Any]) -> Denied:
    """Raises DamagedError."""
    try:
        number, compat, args, memory = told["call"]
        kept = tuple((int(address), bytes.fromhex(text)) for address, text in memory)
        call = Called(int(number), bool(compat), tuple(map(int, args)), kept)
        time, rule = float(told["time"]), str(told["rule"])
        return Denied(time, int(told["pid"]), int(told["tid"]), call, rule, int(told["error"]))
    except MALFORMED as error:
        raise DamagedError(f"a refusal does not say what it should: {error!r}") from None


def _without_content(batch: pt_batch) -> tuple[Any, int, bytes]:
    """The rows of a batch, how many, and their data, without what calls have moved."""
    records = ffi.new(
        "struct pt_record[]", [row for row in batch.records[0 : batch.count] if row.kind != lib.PT_CONTENT]
    )
    data = bytearray()
    for row in records:
        kept = ffi.buffer(batch.data + row.data_offset, row.data_length)[:] if row.data_length else b""
        row.data_offset = len(data)
        data += kept + bytes(-len(kept) % ALIGNED)
    return records, len(records), bytes(data)


class Unpacked:
    """A batch that was read: ``batch`` is good as long as this lives. Raises DamagedError."""

    def __init__(self, body: bytes) -> None:
        if len(body) < BATCH.size:
            raise DamagedError("a batch has no head")
        time, rows, length, data_length = BATCH.unpack_from(body)
        if rows > length or BATCH.size + length > len(body) or data_length > MOST:
            raise DamagedError("a batch is longer than its block")
        packed = body[BATCH.size : BATCH.size + length]
        self._data = ffi.from_buffer(_inflated(body[BATCH.size + length :], data_length))
        self._records = ffi.new("struct pt_record[]", rows)
        if lib.pt_unpack(ffi.from_buffer(packed), length, self._records, rows, data_length) < 0:
            raise DamagedError("the rows of a batch are none")
        self.batch: pt_batch = ffi.new("struct pt_batch *")
        self.batch.records, self.batch.count, self.batch.time = self._records, rows, time
        self.batch.data, self.batch.data_length = ffi.cast("uint8_t *", self._data), data_length


def _inflated(stored: bytes, length: int) -> bytes:
    if not length:
        return b""
    try:
        data = zlib.decompressobj().decompress(stored, length)
    except zlib.error as error:
        raise DamagedError(f"the data of a batch is none: {error}") from None
    if len(data) != length:
        raise DamagedError("the data of a batch is too short")
    return data
