# SPDX-License-Identifier: GPL-2.0-or-later
"""--trace for the reference engine: a call that is watched is told twice, at its entry-stop and at its exit-stop, with
what its arguments point to. The records and the rules are those of the C core (native/calls: watch.c, capture.c).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence

from ptmon.engines.boundary import Call, read_memory
from ptmon.engines.reference.sockets import Journal
from ptmon.frozen import replace
from ptmon.records import Called, Entered, Returned
from ptmon.watches import Capture, CaptureKind, Watch

PAGE = os.sysconf("SC_PAGE_SIZE")
MOST = 16 * 1024
"""Bytes that are kept with one record."""
STRINGS_MOST, PARTS_MOST, MESSAGES_MOST = 64, 64, 16
NAME_MOST = 128  # sizeof(struct sockaddr_storage)

POINTER = {False: struct.Struct("=Q"), True: struct.Struct("=I")}
IOVEC = {False: struct.Struct("=QQ"), True: struct.Struct("=II")}
# Of struct msghdr: msg_name, msg_namelen, msg_iov, msg_iovlen. Of struct mmsghdr: these, and msg_len.
MSGHDR = {False: struct.Struct("=QI4xQQ24x"), True: struct.Struct("=IIII12x")}
MMSGHDR = {False: struct.Struct("=QI4xQQ24xI4x"), True: struct.Struct("=IIII12xI")}

SOCKETCALL = 102
SOCKETCALLS = {
    1: (359, 3),  # socket
    2: (361, 3),  # bind
    3: (362, 3),  # connect
    4: (363, 2),  # listen
    5: (364, 3),  # accept: accept4 without flags
    6: (367, 3),  # getsockname
    7: (368, 3),  # getpeername
    8: (360, 4),  # socketpair
    9: (369, 4),  # send
    10: (371, 4),  # recv
    11: (369, 6),  # sendto
    12: (371, 6),  # recvfrom
    13: (373, 2),  # shutdown
    14: (366, 5),  # setsockopt
    15: (365, 5),  # getsockopt
    16: (370, 3),  # sendmsg
    17: (372, 3),  # recvmsg
    18: (364, 4),  # accept4
    19: (337, 5),  # recvmmsg
    20: (345, 4),  # sendmmsg
}
"""linux/net.h, SYS_*: i386's own number of what socketcall does, and with how many arguments."""

Chunk = tuple[int, bytes]


class Teller:
    """Is told of the syscall-stops, and writes into the journal."""

    def __init__(self, journal: Journal, watches: Sequence[Watch]) -> None:
        self._journal = journal
        self._watches = {(watch.number, watch.compat): watch for watch in watches if watch.tell}
        self._told: tuple[Watch, Call] | None = None
        """The call that was entered and told, and has not returned."""

    def enter(self, call: Call) -> None:
        """A syscall-entry-stop."""
        self._told = None
        found = self._find(call)
        if found is None:
            return
        watch, made = self._told = found
        memory = [capture.at_entry for capture in watch.captures]
        pid = self._journal.pid
        self._journal.records.append(Entered(self._journal.now, pid, pid, self._called(watch, made, memory)))

    def leave(self, result: int) -> None:
        """A syscall-exit-stop."""
        told, self._told = self._told, None
        if told is None:
            return  # or attached in the middle of it
        watch, made = told
        # What a failed call leaves behind its pointers is not its doing.
        memory = [capture.at_exit and result >= 0 for capture in watch.captures]
        pid, called = self._journal.pid, self._called(watch, made, memory, result)
        self._journal.records.append(Returned(self._journal.now, pid, pid, called, result))

    def _find(self, call: Call) -> tuple[Watch, Call] | None:
        """The watch of a call; i386: a socketcall is the call that it stands for, too, if that is watched."""
        args = tuple(value & 0xFFFFFFFF for value in call.args) if call.compat else call.args
        watch = self._watches.get((call.number, call.compat))
        if call.compat and call.number == SOCKETCALL and args[0] in SOCKETCALLS:
            number, count = SOCKETCALLS[args[0]]
            memory = _mapped(self._journal.pid, args[1], 4 * count)
            if (number, True) in self._watches and len(memory) == 4 * count:
                watch = self._watches[number, True]
                args = (*struct.unpack(f"={count}I", memory), *[0] * (6 - count))
                return watch, replace(call, number=number, args=args)
        return None if watch is None else (watch, replace(call, args=args))

    def _called(self, watch: Watch, call: Call, wanted: Sequence[bool], result: int | None = None) -> Called:
        kept: list[Chunk] = []
        room = MOST
        for index, capture in enumerate(watch.captures):
            if not wanted[index]:
                continue
            for address, memory in _captured(self._journal.pid, call, index, capture, result):
                if memory[:room]:
                    kept.append((address, memory[:room]))
                    room -= len(memory[:room])
        return Called(call.number, call.compat, call.args, tuple(kept))


def _captured(tid: int, call: Call, index: int, capture: Capture, result: int | None) -> Iterator[Chunk]:
    """What one argument points to. ``result``: what the call returned; None at its entry."""
    address, most = call.args[index], capture.most
    following = call.args[index + 1] if index < 5 else 0
    # Of buffers that may be larger: what the call has moved.
    moved = most if result is None else min(most, max(result, 0))
    if not address and capture.kind != CaptureKind.POINTED:
        return
    match capture.kind:
        case CaptureKind.STRING:
            yield address, _string(tid, address, most)
        case CaptureKind.STRINGS:
            yield from _strings(tid, address, call.compat, most)
        case CaptureKind.BYTES | CaptureKind.SIZED | CaptureKind.RESULT:
            length = {CaptureKind.SIZED: min(following, most), CaptureKind.RESULT: moved}.get(capture.kind, most)
            yield address, _mapped(tid, address, length)
        case CaptureKind.POINTED:
            yield from _pointed(tid, address, following, most)
        case CaptureKind.MSGHDR:
            yield from _messages(tid, MSGHDR[call.compat], address, 1, moved, call.compat)
        case CaptureKind.MMSGHDR:
            count = following & 0xFFFFFFFF if result is None else max(result, 0)
            yield from _messages(tid, MMSGHDR[call.compat], address, count, most, call.compat, result is not None)
        case CaptureKind.IOVEC:
            yield from _vector(tid, address, following, call.compat, moved)


def _mapped(tid: int, address: int, length: int) -> bytes:
    """``length`` bytes, or as many of them as there are. Raises ProcessLookupError if the tracee is gone."""
    memory = b""
    while address and len(memory) < length:
        at = address + len(memory)
        try:
            memory += read_memory(tid, at, min(PAGE - at % PAGE, length - len(memory)))
        except ProcessLookupError:
            raise
        except (OSError, OverflowError):
            break
    return memory


def _string(tid: int, address: int, most: int) -> bytes:
    """With its NUL, unless it is cut."""
    memory = b""
    while len(memory) < most and b"\0" not in memory:
        at = address + len(memory)
        more = _mapped(tid, at, min(PAGE - at % PAGE, most - len(memory)))
        if not more:
            break
        memory += more
    text, end, _ = memory.partition(b"\0")
    return text + end


def _strings(tid: int, address: int, compat: bool, most: int) -> Iterator[Chunk]:
    """argv, envp: the array up to its NULL, and what it points to."""
    pointer = POINTER[compat]
    memory = _mapped(tid, address, STRINGS_MOST * pointer.size)
    addresses = [value for (value,) in pointer.iter_unpack(memory[: len(memory) // pointer.size * pointer.size])]
    count = addresses.index(0) if 0 in addresses else len(addresses)
    yield address, memory[: min(count + 1, len(addresses)) * pointer.size]
    for one in addresses[:count]:
        yield one, _string(tid, one, most)


def _pointed(tid: int, address: int, pointer: int, most: int) -> Iterator[Chunk]:
    """A length that is in memory itself, as getsockname has it."""
    memory = _mapped(tid, pointer, 4)
    yield pointer, memory
    if len(memory) == 4:
        (length,) = struct.unpack("=i", memory)
        yield address, _mapped(tid, address, min(max(length, 0), most))


def _vector(tid: int, address: int, count: int, compat: bool, most: int) -> Iterator[Chunk]:
    """struct iovec[], and the start of its buffers."""
    part = IOVEC[compat]
    memory = _mapped(tid, address, min(count, PARTS_MOST) * part.size)
    yield address, memory
    for base, length in part.iter_unpack(memory[: len(memory) // part.size * part.size]):
        yield base, _mapped(tid, base, min(length, most))
        most -= min(length, most)


def _messages(
    tid: int, header: struct.Struct, address: int, count: int, most: int, compat: bool, received: bool = False
) -> Iterator[Chunk]:
    """struct msghdr or mmsghdr[]: the array, and of each message its peer, its vector and the start of its buffers.

    ``received``: no more of these than the message had bytes.
    """
    memory = _mapped(tid, address, min(count, MESSAGES_MOST) * header.size)
    yield address, memory
    for name, name_length, vector, parts, *length in header.iter_unpack(
        memory[: len(memory) // header.size * header.size]
    ):
        yield name, _mapped(tid, name, min(name_length, NAME_MOST))
        yield from _vector(tid, vector, parts, compat, min(most, *length) if received and length else most)
