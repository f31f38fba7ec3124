# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of counting, as the reference engine knows them: what does a system call move, over which fd, which way?

Written from the manual pages and independently of the C core, which has the same rules in native/syscalls/syscalls.c
and native/calls/transfer.c: the tests hold the two against each other. Nothing here keeps anything between two calls.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import Enum, auto
from socket import MSG_ERRQUEUE, MSG_PEEK

from ptmon.engines.boundary import Call, read_memory
from ptmon.frozen import dataclass, replace
from ptmon.records import Direction

CLOSE_RANGE_CLOEXEC = 4  # linux/close_range.h
SOCKADDR_MOST = 128  # sizeof(struct sockaddr_storage)
IOCBS_MOST = 1024


class Shape(Enum):
    """Where a call tells how many bytes it has moved, and to or from whom."""

    PLAIN = auto()
    """The return value; nobody is named."""
    ADDRESS = auto()
    """The return value; a struct sockaddr at argument 4, its length in argument 5 (to send) or there (to receive)."""
    MESSAGE = auto()
    """The return value; msg_name in the struct msghdr at argument 1."""
    MESSAGES = auto()
    """The return value counts messages: msg_len and msg_name in each struct mmsghdr at argument 1."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How the calls of one name count. The fd is argument 0."""

    direction: Direction
    shape: Shape = Shape.PLAIN
    flags: int | None = None
    """Which argument holds the MSG_* flags. None: there are none, and a file could make this call too."""


SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
RULES = {
    "write": Rule(SENT),
    "writev": Rule(SENT),
    "pwritev2": Rule(SENT),
    "read": Rule(RECEIVED),
    "readv": Rule(RECEIVED),
    "preadv2": Rule(RECEIVED),
    "send": Rule(SENT, flags=3),
    "recv": Rule(RECEIVED, flags=3),
    "sendto": Rule(SENT, Shape.ADDRESS, flags=3),
    "recvfrom": Rule(RECEIVED, Shape.ADDRESS, flags=3),
    "sendmsg": Rule(SENT, Shape.MESSAGE, flags=2),
    "recvmsg": Rule(RECEIVED, Shape.MESSAGE, flags=2),
    "sendmmsg": Rule(SENT, Shape.MESSAGES, flags=3),
    "recvmmsg": Rule(RECEIVED, Shape.MESSAGES, flags=3),
    "recvmmsg_time64": Rule(RECEIVED, Shape.MESSAGES, flags=3),
}
FROM_TO = {"sendfile": (1, 0), "sendfile64": (1, 0), "splice": (0, 2)}
"""Calls with two fds: which argument is read from, and which is written to."""

SOCKETCALLS = {
    3: ("connect", 3),
    9: ("send", 4),
    10: ("recv", 4),
    11: ("sendto", 6),
    12: ("recvfrom", 6),
    16: ("sendmsg", 3),
    17: ("recvmsg", 3),
    19: ("recvmmsg", 5),
    20: ("sendmmsg", 4),
}
"""linux/net.h, SYS_*: what i386's socketcall does, and with how many arguments."""

# The members that matter. Of struct msghdr: msg_name and msg_namelen. Of struct mmsghdr: these, and msg_len.
MSGHDR = {False: struct.Struct("=QI"), True: struct.Struct("=II")}
MMSGHDR = {False: struct.Struct("=QI44xI4x"), True: struct.Struct("=II20xI")}
POINTER = {False: struct.Struct("=Q"), True: struct.Struct("=I")}
IOCB = struct.Struct("=20xI")  # aio_fildes, linux/aio_abi.h


def as_fd(argument: int) -> int:
    """An int, which is the lower half of its register."""
    low = argument & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def unpacked(tid: int, call: Call) -> Call:
    """socketcall, whose arguments are an array in memory, as the call that it stands for; any other as it is."""
    if call.name != "socketcall" or call.args[0] not in SOCKETCALLS:
        return call
    name, count = SOCKETCALLS[call.args[0]]
    words = struct.unpack(f"={count}I", read_memory(tid, call.args[1], 4 * count))
    return replace(call, name=name, args=(*words, *[0] * (6 - count)))


def ends(call: Call) -> tuple[tuple[int, Direction], ...]:
    """The fds between which a call may move bytes, and which way they go. Only those that are sockets count."""
    if call.name in FROM_TO:
        source, target = FROM_TO[call.name]
        return (as_fd(call.args[source]), RECEIVED), (as_fd(call.args[target]), SENT)
    rule = RULES.get(call.name or "")
    if rule is None:
        return ()
    flags = call.args[rule.flags] if rule.flags is not None and rule.direction == RECEIVED else 0
    if flags & MSG_ERRQUEUE:
        return ()  # what comes back is what was sent, or a note about it: no payload arrived
    return ((as_fd(call.args[0]), Direction.PEEKED if flags & MSG_PEEK else rule.direction),)


def for_sockets_only(call: Call) -> bool:
    """On anything but a socket this call fails with ENOTSOCK."""
    rule = RULES.get(call.name or "")
    return rule is not None and rule.flags is not None


def moved(tid: int, call: Call, result: int) -> Iterator[tuple[int, bytes]]:
    """What a call that returned ``result`` has moved: (bytes, peer) of each message, peer empty where none is named.

    There is always one, if of 0 bytes. Raises OSError where the tracee's memory cannot be read.
    """
    rule = RULES.get(call.name or "", Rule(SENT))
    if rule.shape == Shape.MESSAGES:
        header = MMSGHDR[call.compat]
        for index in range(max(result, 0)):
            memory = read_memory(tid, call.args[1] + index * header.size, header.size)
            name, name_length, length = header.unpack(memory)
            yield length, _sockaddr(tid, name, name_length)
        if result <= 0:
            yield 0, b""
    elif result < 0 and rule.direction == RECEIVED:
        yield 0, b""  # nobody sent anything
    elif rule.shape == Shape.MESSAGE:
        header = MSGHDR[call.compat]
        yield max(result, 0), _sockaddr(tid, *header.unpack(read_memory(tid, call.args[1], header.size)))
    elif rule.shape == Shape.ADDRESS and call.args[4]:
        length = call.args[5]
        if rule.direction == RECEIVED:  # argument 5 points to it
            (length,) = struct.unpack("=I", read_memory(tid, length, 4)) if length else (0,)
        yield max(result, 0), _sockaddr(tid, call.args[4], length & 0xFFFFFFFF)
    else:
        yield max(result, 0), b""


def closed(call: Call, open_fds: Callable[[], list[int]]) -> list[int]:
    """Which of its fds a process closes by this call, if the call succeeds. dup2 and dup3 close what they replace."""
    first, second, flags = as_fd(call.args[0]), as_fd(call.args[1]), call.args[2]
    if call.name == "close":
        return [first]
    if call.name in ("dup2", "dup3"):
        return [second] if second != first else []
    if call.name == "close_range" and not flags & CLOSE_RANGE_CLOEXEC:
        low, high = call.args[0] & 0xFFFFFFFF, call.args[1] & 0xFFFFFFFF
        return [fd for fd in open_fds() if low <= fd <= high]
    if call.name in ("execve", "execveat"):
        return open_fds()  # those that are close-on-exec; of the others a later reading will replace this one
    return []


def connects_to(tid: int, call: Call) -> bytes:
    """The struct sockaddr that a connect names; empty where it can't be read."""
    try:
        return _sockaddr(tid, call.args[1], call.args[2] & 0xFFFFFFFF)
    except OSError:
        return b""


def aio_fds(tid: int, call: Call) -> Iterator[int]:
    """The fds of an io_submit. Raises OSError where the tracee's memory cannot be read."""
    pointer = POINTER[call.compat]
    for index in range(min(call.args[1], IOCBS_MOST)):
        (address,) = pointer.unpack(read_memory(tid, call.args[2] + index * pointer.size, pointer.size))
        yield as_fd(*IOCB.unpack(read_memory(tid, address, IOCB.size)))


def _sockaddr(tid: int, address: int, length: int) -> bytes:
    return read_memory(tid, address, min(length, SOCKADDR_MOST)) if address and length else b""
