# SPDX-License-Identifier: GPL-2.0-or-later
"""What the forms of events share."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from ptmon import addresses
from ptmon.ledger.snapshot import Snapshot
from ptmon.records import Called, Connect, Connected, Entered, Exit, Returned, SocketClosed, SocketSeen
from ptmon.text import counted, printable, size

if TYPE_CHECKING:
    from ptmon.decoding import Argument


def is_closed(record: SocketClosed) -> bool:
    """Whether an fd was closed: not one that stays open at a detach, nor one that an execve may have left open."""
    return record.fd >= 0 and not record.maybe


def connect_outcome(record: Connect) -> str:
    """``connected``, ``in_progress``, ``failed`` or ``abandoned``."""
    if record.end is Connected.ABANDONED:
        return "abandoned"
    if record.end is Connected.FAILED:
        return "failed"
    if record.error == errno.EINPROGRESS:
        return "in_progress"
    return "failed" if record.error else "connected"


def errno_name(number: int) -> str:
    """``EAGAIN``; what users never see, as ERESTARTSYS, as a number: ``E512``."""
    return errno.errorcode.get(number, f"E{number}")


def failed(result: int) -> bool:
    """Whether a call's result is -errno: the kernel's IS_ERR_VALUE, linux/err.h."""
    return -4096 < result < 0


def call_name(call: Called) -> str:
    """``connect``."""
    from ptmon import syscalls

    return syscalls.name(call.number, call.compat)


def arguments(call: Called, result: int | None = None) -> tuple[Argument, ...]:
    """Decoded. With ``result``: also what only the return tells."""
    from ptmon import decoding

    return decoding.arguments(call_name(call), call, decoding.reader_of(call), result)


class Calls:
    """The arguments of traced calls, as (name, text).

    A record of a return has only the memory that is worth reading then: an execve that succeeded has no argv any more.
    So what was told at the entry is remembered until the thread returns or ends.
    """

    def __init__(self) -> None:
        self._entered: dict[int, tuple[int, dict[str, str]]] = {}
        """By tid: the call's number, and the texts of what was pointed to."""

    def entered(self, record: Entered) -> list[tuple[str, str]]:
        texts = [(argument.name, argument.text) for argument in arguments(record.call)]
        self._entered[record.tid] = (record.call.number, dict(texts))
        return texts

    def returned(self, record: Returned) -> list[tuple[str, str]]:
        number, before = self._entered.pop(record.tid, (-1, {}))
        texts = [(argument.name, argument.text) for argument in arguments(record.call, record.result)]
        if number != record.call.number:
            return texts
        return [(name, before.get(name, text) if _pointer(text) else text) for name, text in texts]

    def ended(self, record: Exit) -> None:
        """A thread that is killed in a call never returns."""
        self._entered.pop(record.tid, None)


def _pointer(text: str) -> bool:
    return text.startswith("0x") and all(letter in "0123456789abcdef" for letter in text[2:])


def lifetime(record: SocketClosed, socket: SocketSeen | None) -> float | None:
    """Seconds from the first call on a socket to this close of it; None: not known."""
    if socket is None or socket.opened is None:
        return None
    return max(record.time - socket.opened, 0.0)


def kind_text(socket: SocketSeen | Connect) -> str:
    """``tcp``, ``unix stream``, ``netlink route``."""
    family = addresses.family_name(socket.family)
    protocol = addresses.protocol_name(socket.family, socket.protocol)
    if family in ("inet", "inet6"):
        return protocol or family
    return f"{family} {protocol if family == 'netlink' else addresses.type_name(socket.type)}"


def connect_text(record: Connect) -> str:
    """``tcp ⇄ 127.0.0.1:80  failed (ECONNREFUSED) after 0.031 ms``."""
    peer = addresses.address_text(record.peer)
    told = f"{kind_text(record)}  ⇄ {printable(peer) if peer else 'an unknown address'}  "
    outcome = connect_outcome(record)
    if outcome == "in_progress":
        return f"{told}in progress"
    if outcome == "abandoned":
        return f"{told}closed while in progress"
    if outcome == "failed":
        told += f"failed ({errno_name(record.error) if record.error else 'why was not seen'})"
    else:
        told += outcome
    return told if record.took is None else f"{told} after {record.took * 1000:.3f} ms"


def socket_text(socket: SocketSeen) -> str:
    """``tcp 127.0.0.1:8080 ⇄ 127.0.0.1:50000``, ``udp 0.0.0.0:53``, ``unix stream /run/x``, ``unix dgram [4711]``."""
    if socket.family < 0:
        return f"unknown socket [{socket.inode}]" if socket.inode else "unknown socket"
    kind = kind_text(socket)
    local, peer = addresses.address_text(socket.local), addresses.address_text(socket.peer)
    if peer:
        return f"{kind} {printable(local) + ' ' if local else ''}⇄ {printable(peer)}"
    if local:
        return f"{kind} {printable(local)}"
    return f"{kind} [{socket.inode}]" if socket.inode else kind


def snapshot_text(snapshot: Snapshot, units: str) -> str:
    """``sent 180 B (+5 B, 4 B/s), received …``: totals, and what came since the snapshot before."""
    totals, since = snapshot.totals, snapshot.since
    told = (
        f"sent {size(totals.sent, units)} (+{size(since.sent, units)}, {size(since.sent_per_second, units)}/s),"
        f" received {size(totals.received, units)}"
        f" (+{size(since.received, units)}, {size(since.received_per_second, units)}/s),"
        f" {counted(snapshot.processes, 'process', 'processes')}, {counted(snapshot.sockets, 'socket')}"
    )
    return told if snapshot.complete else f"{told}, not complete"
