# SPDX-License-Identifier: GPL-2.0-or-later
"""The C core as the engines see it: the one place that imports it, and its readers for the reference engine with types.

The readers want their tracee in a ptrace-stop, and to be called by the thread that traces it. They raise OSError with
what the kernel said; ProcessLookupError: SIGKILL has taken the tracee out of its stop.
"""

from __future__ import annotations

import itertools
import os
import signal

from ptmon.engines.header import HEADER
from ptmon.errors import CoreError
from ptmon.frozen import dataclass
from ptmon.records import Origin, TcpCounters
from ptmon.static import TYPE_CHECKING

try:
    from ptmon._native import ffi, lib
except ImportError as error:
    raise CoreError(f"the C core can't be loaded: {error}") from None
if getattr(lib, "PT_HEADER", None) != HEADER:
    raise CoreError("the C core was built from other sources than those that Python reads")

if TYPE_CHECKING:  # structs of the C core, as ptmon_api.h has them
    from ptmon._native import pt_batch as pt_batch
    from ptmon._native import pt_call as pt_call
    from ptmon._native import pt_identity as pt_identity
    from ptmon._native import pt_options as pt_options
    from ptmon._native import pt_record as pt_record

__all__ = ["BLOCKED", "ORIGINS", "Call", "Identity", "ffi", "identify", "lib", "read_call", "read_memory"]

NO_SYSCALL = 0xFFFF
ORIGINS = {getattr(lib, f"PT_ORIGIN_{origin.name}"): origin for origin in Origin}
BLOCKED = tuple(
    signal.Signals(number) for number in itertools.takewhile(bool, map(lib.pt_blocked_signal, itertools.count()))
)
"""Signals that an engine answers itself as long as it traces: they ask it to end, or are meant for the program."""


@dataclass(frozen=True, slots=True)
class Call:
    """The system call at which a tracee stopped."""

    number: int
    name: str | None
    """None: not one of those that are watched."""
    args: tuple[int, ...]
    """The six registers, as unsigned numbers. On aarch64 the first is lost at the exit-stop."""
    result: int
    """At the exit-stop: what the call returned, or -errno."""
    at_exit: bool
    """A syscall-exit-stop, not a syscall-entry-stop."""
    compat: bool
    """Made by the 32-bit ABI: pointers and struct members in memory have four bytes."""
    instruction: int
    """Address of the instruction with which the tracee goes on."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The socket that an fd names."""

    inode: int
    family: int
    type: int
    protocol: int
    local: bytes
    """struct sockaddr as the kernel gives it; empty: none."""
    peer: bytes
    active: bool
    """A TCP socket that called connect(), so that the kernel's count has a SYN in it."""
    tcp: TcpCounters | None
    closed: int = 0
    """A TCP socket in no connection. 1: and nobody ever answered to it; 2: it was in one."""
    origin: Origin = Origin.UNKNOWN
    """As far as this look tells."""


def read_call(tid: int) -> Call:
    """The system call that a tracee has entered, or from which it returns."""
    call: pt_call = ffi.new("struct pt_call *")
    _check(lib.pt_read_call(tid, call))
    instruction = ffi.new("uint64_t *")
    _check(lib.pt_read_instruction(tid, instruction))
    name = None if call.syscall == NO_SYSCALL else ffi.string(lib.pt_syscall_name(call.syscall)).decode()
    args, at_exit, compat = tuple(call.args), bool(call.at_exit), bool(call.compat)
    return Call(call.number, name, args, call.result, at_exit, compat, instruction[0])


def read_memory(tid: int, address: int, length: int) -> bytes:
    """``length`` bytes of a tracee's memory."""
    memory = ffi.new("uint8_t[]", length)
    _check(lib.pt_read_memory(tid, address, memory, length))
    return bytes(ffi.buffer(memory))


def identify(tid: int, fd: int, first: Identity | None = None, counted: tuple[int, int] = (0, 0)) -> Identity | None:
    """What ``fd`` names in a tracee; None if that is no socket.

    ``first`` is what was read of the same socket before its first transfer, and ``counted`` the bytes sent and received
    since: both are needed to take SYN and FIN off the kernel's counters.
    """
    before = ffi.NULL
    if first is not None and first.tcp is not None:
        before = ffi.new("struct pt_identity *")
        before.active = first.active
        before.tcp.bytes_sent, before.tcp.bytes_received = counted
        before.tcp.auditable = first.tcp.auditable
    identity: pt_identity = ffi.new("struct pt_identity *")
    return _identity(identity) if _check(lib.pt_identify(tid, fd, before, identity)) else None


def _identity(identity: pt_identity) -> Identity:
    info, tcp = identity.info, identity.tcp
    return Identity(
        info.inode,
        info.family,
        info.type,
        info.protocol,
        bytes(ffi.buffer(info.local)[: info.local_length]),
        bytes(ffi.buffer(info.peer)[: info.peer_length]),
        bool(identity.active),
        TcpCounters(tcp.bytes_sent, tcp.bytes_received, tcp.retransmitted, tcp.rtt_us, bool(tcp.auditable))
        if identity.is_tcp
        else None,
        identity.closed,
        ORIGINS[info.origin],
    )


def _check(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
