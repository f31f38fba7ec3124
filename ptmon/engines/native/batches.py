# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches of the C core (struct pt_batch) -> records."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native import runs, watching
from ptmon.engines.native.lives import LifeReader
from ptmon.engines.native.rows import KIND, ROW, RowReader
from ptmon.errors import PtmonError
from ptmon.records import (
    Clone,
    Content,
    Direction,
    Exec,
    Exit,
    Fallback,
    FallbackReason,
    Incomplete,
    Inside,
    Payload,
    Reason,
    Record,
    Site,
    Verdict,
)
from ptmon.static import TYPE_CHECKING
from ptmon.watches import Held, Rule

if TYPE_CHECKING:
    from ptmon.engines.boundary import pt_batch, pt_record

REASONS = {getattr(lib, f"PT_REASON_{reason.name}"): reason for reason in Reason}
FALLBACKS = {getattr(lib, f"PT_FALLBACK_{reason.name}"): reason for reason in FallbackReason}
VERDICTS = {getattr(lib, f"PT_SITE_{verdict.name}"): verdict for verdict in Verdict}
NO_SYSCALL = 0xFFFF
FEW_TRANSFERS = [lib.PT_TRANSFER] * runs.FEW
"""Kinds of rows that are read as a run."""


class BatchReader:
    """Reads batches.

    ``start`` is the time, in nanoseconds of CLOCK_MONOTONIC, from which the records' times count; ``rules`` are those
    that refuse, by id; ``syscalls`` are names of system calls by index, where that is not the C core's own table.
    """

    def __init__(self, start: int, rules: Sequence[Rule] = (), syscalls: dict[int, str] | None = None) -> None:
        self.held: list[Held] = []
        """The tracees that the last batch told to be held: they come after its records."""
        self.explained: list[Site | Inside] = []
        """What --fast-explain asks for, of all batches."""
        self.rules = rules
        self.start = start
        self._rows = RowReader(start, self.syscall)
        self._lives = LifeReader(start)
        self._syscalls: dict[int, str] = syscalls or {}

    def read(self, batch: pt_batch) -> list[Record]:
        """The batch as records: a copy, for the C core writes over it in its next run."""
        data = ffi.buffer(batch.data, batch.data_length)[:] if batch.data_length else b""
        records: list[Record] = []
        self.held = []
        count = batch.count
        if not count:
            return records
        rows = ffi.buffer(batch.records, count * ROW.size)[:]
        self._lives.begin(batch)
        kinds = memoryview(rows).cast("I")[KIND :: ROW.size // 4].tolist()
        often = self._rows.makers
        unpack, size = ROW.unpack_from, ROW.size
        index = 0
        while index < count:
            if kinds[index : index + runs.FEW] == FEW_TRANSFERS:
                many = lib.pt_transfers(batch.records + index, count - index)
                records.append(runs.read(batch.records + index, many, self.start, self.syscall))
                index += many
                continue
            if kinds[index] == lib.PT_LIVES:
                records.append(self._lives.read(batch.records[index].calls))
                index += 1
                continue
            make = often.get(kinds[index])
            if make is not None:
                records.append(make(unpack(rows, index * size), data))
            elif (record := self._record(batch.records[index], data)) is not None:
                records.append(record)
            index += 1
        return records

    def syscall(self, index: int) -> str:
        """The name of a system call of the C core's table."""
        name = self._syscalls.get(index)
        if name is None:
            pointer = lib.pt_syscall_name(index)
            name = f"syscall_{index}" if pointer == ffi.NULL else ffi.string(pointer).decode()
            self._syscalls[index] = name
        return name

    def _record(self, row: pt_record, data: bytes) -> Record | None:
        make = MAKERS.get(row.kind)
        if make is None:
            raise PtmonError(f"the C core told a record of unknown kind {row.kind}")
        own = data[row.data_offset : row.data_offset + row.data_length]
        return make(self, row, (row.time - self.start) / 1e9, own)


def _clone(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    return Clone(moment, row.tgid, row.tid, row.value)


def _exec(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    words = [os.fsdecode(word) for word in data.split(b"\0")[:-1]]
    name, executable, *argv = [*words, "", ""] if len(words) < 2 else words
    attached = row.kind == lib.PT_ATTACHED
    tid, parent = (row.tid, row.value) if attached else (row.value, None)
    return Exec(moment, row.tgid, tid, name, executable, tuple(argv), attached, parent)


def _exit(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    status = row.value
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return Exit(moment, row.tgid, row.tid, os.fsdecode(data.rstrip(b"\0")), code, number)


def _payload(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    size = ffi.sizeof("struct pt_payload")
    told = ffi.from_buffer("struct pt_payload *", data[:size])
    peer = bytes(ffi.buffer(told.peer)[: told.peer_length])
    what = (told.inode, told.family, told.type, peer, Direction(row.direction), told.moved)
    return Payload(moment, row.tgid, row.tid, row.socket, *what, data[size:])


def _content(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    what = (row.fd, row.socket, Direction(row.direction), row.bytes, data, bool(row.value))
    return Content(moment, row.tgid, row.tid, reader.syscall(row.syscall), *what)


def _warning(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    syscall = None if row.syscall == NO_SYSCALL else reader.syscall(row.syscall)
    return Incomplete(moment, row.tgid, REASONS[row.value], syscall, row.error, row.calls or 1)


def _fallback(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    return Fallback(moment, row.tgid, FALLBACKS[row.value], row.error)


def _enter(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    return watching.entered(row, moment, data)


def _return(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    return watching.returned(row, moment, data)


def _deny(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    return watching.denied(row, moment, data, reader.rules)


def _hold(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> None:
    reader.held.append(watching.held(row, moment, data))


def _site(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> None:
    size = ffi.sizeof("struct pt_site")
    site = ffi.from_buffer("struct pt_site *", data[:size])
    file = os.fsdecode(data[size:])
    numbers = tuple(site.numbers)[: site.number_count]
    more, compat = bool(site.more), bool(site.compat)
    reader.explained.append(
        Site(row.tgid, site.address, file, site.offset, numbers, more, compat, site.stops, VERDICTS[site.verdict])
    )


def _inside(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> None:
    reader.explained.append(Inside(row.tgid, reader.syscall(row.syscall), row.calls))


MAKERS: dict[int, Callable[[BatchReader, pt_record, float, bytes], Record | None]] = {
    lib.PT_CLONE: _clone,
    lib.PT_EXEC: _exec,
    lib.PT_ATTACHED: _exec,
    lib.PT_EXIT: _exit,
    lib.PT_PAYLOAD: _payload,
    lib.PT_CONTENT: _content,
    lib.PT_WARNING: _warning,
    lib.PT_FALLBACK: _fallback,
    lib.PT_ENTER: _enter,
    lib.PT_RETURN: _return,
    lib.PT_DENIED: _deny,
    lib.PT_HELD: _hold,
    lib.PT_SITE: _site,
    lib.PT_INSIDE: _inside,
}
