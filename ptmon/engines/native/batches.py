# SPDX-License-Identifier: GPL-2.0-only
"""Batches of the C core (struct pt_batch) -> records."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ptmon.engines.boundary import ORIGINS, ffi, lib
from ptmon.engines.native import runs, watching
from ptmon.errors import PtmonError
from ptmon.records import (
    Clone,
    Connect,
    Connected,
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
    SocketClosed,
    SocketSeen,
    TcpCounters,
    Verdict,
)
from ptmon.static import TYPE_CHECKING
from ptmon.watches import Held, Rule

if TYPE_CHECKING:
    from ptmon.engines.boundary import pt_batch, pt_record

REASONS = {getattr(lib, f"PT_REASON_{reason.name}"): reason for reason in Reason}
FALLBACKS = {getattr(lib, f"PT_FALLBACK_{reason.name}"): reason for reason in FallbackReason}
CONNECTED = {getattr(lib, f"PT_CONNECTED_{end.name}"): end for end in Connected}
VERDICTS = {getattr(lib, f"PT_SITE_{verdict.name}"): verdict for verdict in Verdict}
NO_SYSCALL = 0xFFFF


class BatchReader:
    """Reads batches.

    ``start`` is the time, in nanoseconds of CLOCK_MONOTONIC, from which the records' times count; ``rules`` are those
    that refuse, by id.
    """

    def __init__(self, start: int, rules: Sequence[Rule] = ()) -> None:
        self.held: list[Held] = []
        """The tracees that the last batch told to be held: they come after its records."""
        self.explained: list[Site | Inside] = []
        """What --fast-explain asks for, of all batches."""
        self.rules = rules
        self.start = start
        self._syscalls: dict[int, str] = {}

    def read(self, batch: pt_batch) -> list[Record]:
        """The batch as records: a copy, for the C core writes over it in its next run."""
        data = ffi.buffer(batch.data, batch.data_length)[:] if batch.data_length else b""
        records: list[Record] = []
        self.held = []
        rows, count = batch.records, batch.count
        index = 0
        while index < count:
            row = rows[index]
            if row.kind == lib.PT_TRANSFER:
                many = lib.pt_transfers(rows + index, count - index)
                records += runs.read(rows + index, many, self.start, self.syscall)
                index += many
                continue
            offset = row.data_offset
            record = self._record(row, data[offset : offset + row.data_length])
            if record is not None:
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
        return make(self, row, (row.time - self.start) / 1e9, data)


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


def _socket(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    info = ffi.from_buffer("struct pt_socket_info *", data)
    local = ffi.buffer(info.local)[: info.local_length]
    peer = ffi.buffer(info.peer)[: info.peer_length]
    return SocketSeen(
        moment,
        row.tgid,
        row.tid,
        row.fd,
        row.socket,
        info.inode,
        info.family,
        info.type,
        info.protocol,
        local,
        peer,
        (info.opened - reader.start) / 1e9 if info.opened else None,
        ORIGINS[info.origin],
        info.connect / 1e9 if info.connect else None,
    )


def _connect(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    told = ffi.from_buffer("struct pt_connect *", data)
    info = told.socket
    peer = bytes(ffi.buffer(info.peer)[: info.peer_length])
    took = told.took / 1e9 if told.took else None
    what = (info.inode, info.family, info.type, info.protocol, peer, CONNECTED[row.value], row.error, took)
    return Connect(moment, row.tgid, row.tid, row.fd, *what)


def _payload(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    size = ffi.sizeof("struct pt_payload")
    told = ffi.from_buffer("struct pt_payload *", data[:size])
    peer = bytes(ffi.buffer(told.peer)[: told.peer_length])
    what = (told.inode, told.family, told.type, peer, Direction(row.direction), told.moved)
    return Payload(moment, row.tgid, row.tid, row.socket, *what, data[size:])


def _close(reader: BatchReader, row: pt_record, moment: float, data: bytes) -> Record:
    tcp = None
    if data:
        info = ffi.from_buffer("struct pt_tcp_info *", data)
        tcp = TcpCounters(info.bytes_sent, info.bytes_received, info.retransmitted, info.rtt_us, bool(info.auditable))
    return SocketClosed(moment, row.tgid, row.tid, row.fd, row.socket, tcp, row.value == 1)


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
    lib.PT_SOCKET: _socket,
    lib.PT_CLOSE: _close,
    lib.PT_CONNECT: _connect,
    lib.PT_PAYLOAD: _payload,
    lib.PT_WARNING: _warning,
    lib.PT_FALLBACK: _fallback,
    lib.PT_ENTER: _enter,
    lib.PT_RETURN: _return,
    lib.PT_DENIED: _deny,
    lib.PT_HELD: _hold,
    lib.PT_SITE: _site,
    lib.PT_INSIDE: _inside,
}
