# SPDX-License-Identifier: GPL-2.0-only
"""The reference engine's one tracee: its calls, each an entry-stop and an exit-stop, and its sockets become records.

Nothing is cached but what the audit needs: which socket an fd names is asked anew at each call, when it is entered.
"""

from __future__ import annotations

import errno
import os
import platform
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM

from ptmon.engines import counting
from ptmon.engines.boundary import Call, Identity, identify
from ptmon.records import Direction, Exec, Incomplete, Reason, Record, SocketClosed, SocketSeen, Transfer

RESTARTS = range(512, 517)
"""ERESTARTSYS and its kin, linux/errno.h: the kernel's own codes for a call that a signal has interrupted."""

SIGRETURN = {False: (139,) if platform.machine() == "aarch64" else (15,), True: (119, 173)}
"""The numbers by which a signal handler returns, of the native and of the i386 table."""

X32_SYSCALL_BIT = 0x40000000  # asm/unistd.h of x86
WOULD_TRACE = (0, 16, 0x4206)  # PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE


@dataclass(slots=True)
class Socket:
    """A socket that the tracee has used."""

    first: Identity
    """As it was before its first transfer."""
    now: Identity
    sent: int = 0
    received: int = 0
    rows: dict[bytes, int] = field(default_factory=dict)
    """The numbers of its rows in the report, by peer where it is a datagram socket: it may have many."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one call has moved over one socket, with one peer. No socket: it is one, but which cannot be known."""

    socket: Socket | None
    peer: bytes
    transfer: Transfer


class Tracee:
    """Is told of the stops, and makes ``records`` of them."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.now = 0.0
        """The time of the stop that is being handled."""
        self.name = ""
        """As it is called when it ends."""
        self.records: list[Record] = []
        self._call: Call | None = None
        """The one that is entered and not left."""
        self._ends: list[tuple[int, Direction, Socket | None]] = []
        self._doubtful: list[Share] = []
        self._interrupted: tuple[Call, list[Share]] | None = None
        self._sockets: dict[int, Socket] = {}
        self._shared: set[int] = set()
        """Inodes of sockets that others may have used, or may use still: their audit would prove nothing."""
        self._has_threads = False
        self._row = 0
        self._said: set[Reason] = set()

    def runs(self, parent: int | None = None) -> None:
        """It has executed a program; with ``parent`` it was attached to while it ran one."""
        self._interrupted = None
        name, argv = _read(self.pid, "comm").removesuffix(b"\n"), _read(self.pid, "cmdline").split(b"\0")[:-1]
        try:
            executable = os.readlink(f"/proc/{self.pid}/exe")
        except OSError:
            executable = ""
        words = tuple(map(os.fsdecode, argv))
        self.records.append(
            Exec(self.now, self.pid, self.pid, os.fsdecode(name), executable, words, parent is not None, parent)
        )

    def shares_sockets(self, *, thread: bool = False) -> None:
        """Whatever sockets it has now are not its own alone; with a ``thread`` that is not traced, later ones too."""
        self._has_threads |= thread
        for fd in self._fds():
            with suppress(OSError):
                link = os.readlink(f"/proc/{self.pid}/fd/{fd}")
                if link.startswith("socket:["):
                    self._shared.add(int(link[8:-1]))

    def say(self, reason: Reason, call: Call | None = None, error: int = 0) -> None:
        """The report will not be complete. Once for each reason is enough."""
        if reason not in self._said:
            self._said.add(reason)
            self.records.append(Incomplete(self.now, self.pid, reason, call.name if call else None, error))

    def enter(self, call: Call) -> None:
        """A syscall-entry-stop: which sockets it is about is known now, and only now."""
        call = self._unpacked(call)
        if self._interrupted and (call.number, call.args) == (self._interrupted[0].number, self._interrupted[0].args):
            self._interrupted = None  # restarted: it is the same call, and counts when it ends
        self._call = call
        if call.name is None:
            if platform.machine() == "x86_64" and not call.compat and call.number >> 30 == 1:
                self.say(Reason.X32)
            return
        for fd in counting.closed(call, self._fds() if call.name in ("close_range", "execve", "execveat") else []):
            self._closing(fd)
        if call.name == "io_submit" and any(self._lookup(call, fd) for fd in self._aio_fds(call)):
            self.say(Reason.AIO, call)
        for fd, direction in counting.ends(call):
            socket = self._lookup(call, fd)
            if socket or (Reason.UNREADABLE in self._said and counting.for_sockets_only(call)):
                self._ends.append((fd, direction, socket))

    def leave(self, result: int) -> None:
        """A syscall-exit-stop: what the call has moved."""
        call, ends = self._call, self._ends
        self._call, self._ends = None, []
        if call is None:
            return  # attached in the middle of it
        if call.number in SIGRETURN[call.compat]:
            self._handler_returned(result)
        elif call.name == "io_uring_setup" and result >= 0:
            self.say(Reason.IO_URING, call)
        elif call.name == "ptrace" and result == -errno.EPERM and call.args[0] in WOULD_TRACE:
            self.say(Reason.PTRACE, call, errno.EPERM)
        elif ends and -result in RESTARTS:
            # Whether the kernel restarts the call or it fails with EINTR is seen when the program runs on: see below.
            self._interrupted = (call, self._shares(call, ends, -errno.EINTR))
        elif ends and result in (call.number, counting.as_fd(call.args[0])):
            # A seccomp filter that traps a call restores the registers: what looks like a result is the call's number
            # (aarch64: its first argument). If so, a SIGSYS comes next.
            self._doubtful = self._shares(call, ends, result)
        else:
            self._tell(self._shares(call, ends, result))

    def settle(self, *, trapped: bool = False) -> None:
        """Another stop has come, and with it the truth about the last call."""
        shares, self._doubtful = self._doubtful, []
        if not trapped:
            self._tell(shares)

    def exits(self, result: int) -> None:
        """PTRACE_EVENT_EXIT: it is about to die, all its fds are open still.

        If that cuts a call short, there is no exit-stop, though bytes may have moved: ``result`` tells.
        """
        if result > 0:
            self.leave(result)
        self.settle()
        self.name = os.fsdecode(_read(self.pid, "comm").removesuffix(b"\n"))
        for fd in self._fds():
            self._closing(fd)

    def _unpacked(self, call: Call) -> Call:
        try:
            return counting.unpacked(self.pid, call)
        except ProcessLookupError:
            raise
        except OSError as error:
            self.say(Reason.UNREADABLE, call, error.errno or 0)
            return call

    def _aio_fds(self, call: Call) -> list[int]:
        fds: list[int] = []
        with suppress(OSError):  # those that can be read: the kernel stops at the first bad one, too
            fds.extend(counting.aio_fds(self.pid, call))
        return fds

    def _handler_returned(self, result: int) -> None:
        """sigreturn restores the registers of the interrupted call: -EINTR is what that call has come to.

        If it is to be restarted there is something else, and it is entered again. A call within the handler that is
        interrupted by another handler is not kept apart.
        """
        interrupted, self._interrupted = self._interrupted, None
        if interrupted and result == -errno.EINTR:
            self._tell(interrupted[1])

    def _lookup(self, call: Call, fd: int) -> Socket | None:
        try:
            identity = identify(self.pid, fd) if fd >= 0 else None
        except ProcessLookupError:
            raise
        except OSError as error:
            self.say(Reason.UNREADABLE, call, error.errno or 0)
            return None
        if identity is None:
            return None
        socket = self._sockets.setdefault(identity.inode, Socket(identity, identity))
        socket.now = identity
        return socket

    def _shares(self, call: Call, ends: list[tuple[int, Direction, Socket | None]], result: int) -> list[Share]:
        shares: list[Share] = []
        error = max(-result, 0)
        for fd, direction, socket in ends:
            if socket is None and error in (errno.EBADF, errno.ENOTSOCK):
                continue  # it was no socket
            for count, peer in self._moved(call, result):
                calls = 0 if shares else 1
                transfer = Transfer(
                    self.now, self.pid, self.pid, call.name or "", fd, 0, direction, calls, count, error
                )
                shares.append(Share(socket, peer, transfer))
        return shares

    def _moved(self, call: Call, result: int) -> list[tuple[int, bytes]]:
        try:
            return list(counting.moved(self.pid, call, result))
        except ProcessLookupError:
            raise
        except OSError as error:
            if result >= 0:  # else the address was bad, and that is why the call has failed
                self.say(Reason.UNREADABLE, call, error.errno or 0)
            return [(0, b"")]

    def _tell(self, shares: list[Share]) -> None:
        for share in shares:
            socket, transfer = share.socket, share.transfer
            if socket:
                transfer = replace(transfer, socket=self._row_of(socket, transfer.fd, share.peer))
                socket.sent += transfer.bytes if transfer.direction == Direction.SENT else 0
                socket.received += transfer.bytes if transfer.direction == Direction.RECEIVED else 0
            self.records.append(transfer)

    def _row_of(self, socket: Socket, fd: int, peer: bytes) -> int:
        """The number of the row of a socket: one for each peer if it is a datagram socket, else one."""
        now = socket.now
        key = (peer or now.peer) if _has_rows_by_peer(now) else b""
        if key not in socket.rows:
            self._row += 1
            socket.rows[key] = self._row
            self._seen(socket, fd, socket.rows[key], key or now.peer)
        return socket.rows[key]

    def _seen(self, socket: Socket, fd: int, row: int, peer: bytes) -> None:
        now = socket.now
        self.records.append(
            SocketSeen(
                self.now, self.pid, self.pid, fd, row, now.inode, now.family, now.type, now.protocol, now.local, peer
            )
        )

    def _closing(self, fd: int) -> None:
        """``fd`` is about to be closed: the last moment to read the kernel's own counters, if it is a used socket."""
        with suppress(OSError):
            named = identify(self.pid, fd)
            socket = self._sockets.get(named.inode) if named else None
            if socket is None or not socket.rows:
                return
            now = identify(self.pid, fd, socket.first, (socket.sent, socket.received))
            if now is None:
                return
            self._renew(socket, fd, now)
            tcp = now.tcp
            if tcp and (self._has_threads or now.inode in self._shared):
                tcp = replace(tcp, auditable=False)
            self.records.extend(
                SocketClosed(self.now, self.pid, self.pid, fd, row, tcp) for row in socket.rows.values()
            )

    def _renew(self, socket: Socket, fd: int, now: Identity) -> None:
        """A socket that was connected by its first transfer has got its addresses since."""
        before, socket.now = socket.now, now
        if now.peer and (now.local, now.peer) != (before.local, before.peer) and not _has_rows_by_peer(now):
            self._seen(socket, fd, socket.rows[b""], now.peer)

    def _fds(self) -> list[int]:
        try:
            return [int(name) for name in os.listdir(f"/proc/{self.pid}/fd")]
        except OSError:
            return []


def _has_rows_by_peer(identity: Identity) -> bool:
    return identity.type == SOCK_DGRAM and identity.family in (AF_INET, AF_INET6, AF_UNIX)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
