# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference engine's one tracee: its system calls, each an entry-stop and an exit-stop, become records."""

from __future__ import annotations

import errno
import os
import platform
from contextlib import suppress
from pathlib import Path

from ptmon.engines.boundary import Call
from ptmon.engines.reference import counting
from ptmon.engines.reference.sockets import LEFT_OPEN, Journal, Socket, Sockets
from ptmon.frozen import dataclass
from ptmon.records import Direction, Exec, Incomplete, Reason, Transfer

RESTARTS = range(512, 517)
"""ERESTARTSYS and its kin, linux/errno.h: the kernel's own codes for a call that a signal has interrupted."""

SIGRETURN = {False: (139,) if platform.machine() == "aarch64" else (15,), True: (119, 173)}
"""The numbers by which a signal handler returns, of the native and of the i386 table."""

X32_SYSCALL_BIT = 30  # asm/unistd.h of x86
UNSPEC = bytes(2)
"""AF_UNSPEC: connect takes the peer away."""
WOULD_TRACE = (0, 16, 0x4206)  # PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE


@dataclass(frozen=True, slots=True)
class Share:
    """What one call has moved over one socket, with one peer. No socket: it is one, but which cannot be known."""

    socket: Socket | None
    peer: bytes
    transfer: Transfer


class Tracee:
    """Is told of the stops, and writes into the journal."""

    def __init__(self, pid: int) -> None:
        self.journal = Journal(pid)
        self.sockets = Sockets(self.journal)
        self.name = ""
        """As it is called when it ends."""
        self._call: Call | None = None
        """The one that is entered and not left."""
        self._peer = b""
        """What it names, if it is a connect."""
        self._since = 0.0
        """When it was entered."""
        self._ends: list[tuple[int, Direction, Socket | None]] = []
        self._doubtful: list[Share] = []
        self._interrupted: tuple[Call, list[Share]] | None = None
        self._said: set[Reason] = set()

    @property
    def may_transfer(self) -> bool:
        """The call that is entered and not left is about sockets."""
        return bool(self._ends)

    def runs(self, parent: int | None = None) -> None:
        """It has executed a program; with ``parent`` it was attached to while it ran one."""
        self._interrupted = None
        pid = self.journal.pid
        executable = b""
        with suppress(OSError):
            executable = os.readlink(f"/proc/{pid}/exe".encode())
        strings = [_name(pid), executable, *_read(pid, "cmdline").split(b"\0")[:-1]]
        name, path, *argv = map(os.fsdecode, strings)
        self.journal.records.append(
            Exec(self.journal.now, pid, pid, name, path, tuple(argv), parent is not None, parent)
        )

    def say(self, reason: Reason, call: Call | None = None, error: int = 0) -> None:
        """The report will not be complete. Once for each reason is enough."""
        if reason not in self._said:
            self._said.add(reason)
            name = call.name if call else None
            self.journal.records.append(Incomplete(self.journal.now, self.journal.pid, reason, name, error))

    def enter(self, call: Call) -> None:
        """A syscall-entry-stop: which sockets it is about is known now, and only now."""
        call = self._unpacked(call)
        if self._interrupted and (call.number, call.args) == (self._interrupted[0].number, self._interrupted[0].args):
            self._interrupted = None  # restarted: it is the same call, and counts when it ends
        self._call, self._ends = call, []
        if call.name is None:
            if platform.machine() == "x86_64" and call.number >> X32_SYSCALL_BIT == 1:
                self.say(Reason.X32)
            return
        self._since = self.journal.now
        if call.name == "connect":
            self._peer = counting.connects_to(self.journal.pid, call)
            if self._peer[:2] == UNSPEC:
                with suppress(OSError):
                    self.sockets.disconnects(counting.as_fd(call.args[0]))
        for fd in counting.closed(call, self.sockets.fds):
            self.sockets.closing(fd, by_call=call.name in ("close", "dup2", "dup3"))
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
        elif call.name == "connect" and -result not in RESTARTS:
            self._connected(call, result)
        elif call.name == "ptrace" and result == -errno.EPERM and call.args[0] in WOULD_TRACE:
            self.say(Reason.PTRACE, call, errno.EPERM)
        elif -result in RESTARTS:
            # Will the kernel restart it, or will it fail with EINTR? That is seen when the program runs on.
            self._interrupted = (call, self._shares(call, ends, -errno.EINTR)) if ends else None
        elif result in (call.number, counting.as_fd(call.args[0])):
            # A seccomp filter that traps a call restores the registers: what looks like a result is the call's number
            # (aarch64: its first argument) then, and a SIGSYS comes next.
            self._doubtful = self._shares(call, ends, result)
        else:
            self._tell(self._shares(call, ends, result))

    def _connected(self, call: Call, result: int) -> None:
        """What became of a connect. One that a signal has ended is told when it is made again."""
        if self._peer[:2] == UNSPEC or result > 0 or -result in (errno.EBADF, errno.ENOTSOCK):
            return
        with suppress(OSError):
            self.sockets.connected(counting.as_fd(call.args[0]), self._peer, -result, self.journal.now - self._since)

    def settle(self, *, trapped: bool = False) -> None:
        """Another stop has come, and with it the truth about the last call."""
        shares, self._doubtful = self._doubtful, []
        if not trapped:
            self._tell(shares)

    def exits(self, last: Call) -> None:
        """PTRACE_EVENT_EXIT: it is about to die, all its fds are open still.

        If that cuts a call short there is no exit-stop, though bytes may have moved: ``last.result`` tells.
        """
        result, call = last.result, self._call
        if platform.machine() == "aarch64" and call is not None:
            # The result's register is the first argument's. A call that was to be made again has that back, and goes on
            # before its instruction; one that was not made at all has it still.
            if last.instruction != call.instruction:
                result = 0
            elif result == call.args[0] and self._ends:
                self.say(Reason.DETACHED, call)
                result = 0
        if result > 0:
            self.leave(result)
        self.settle()
        self.name = os.fsdecode(_name(self.journal.pid))
        for fd in self.sockets.fds():
            self.sockets.closing(fd)

    def let_go(self) -> None:
        """It is to be detached from."""
        self.settle()
        for fd in self.sockets.fds():
            self.sockets.closing(fd, LEFT_OPEN)

    def _handler_returned(self, result: int) -> None:
        """sigreturn restores the registers of the interrupted call: -EINTR is what that call has come to.

        If it is to be restarted something else is there, and it is entered again. A call within the handler that is
        interrupted by another handler is not kept apart.
        """
        interrupted, self._interrupted = self._interrupted, None
        if interrupted and result == -errno.EINTR:
            self._tell(interrupted[1])

    def _unpacked(self, call: Call) -> Call:
        try:
            return counting.unpacked(self.journal.pid, call)
        except OSError as error:
            self._unreadable(call, error)
            return call

    def _aio_fds(self, call: Call) -> list[int]:
        fds: list[int] = []
        with suppress(OSError):  # the kernel stops at the first that it cannot read, too
            fds.extend(counting.aio_fds(self.journal.pid, call))
        return fds

    def _lookup(self, call: Call, fd: int) -> Socket | None:
        try:
            return self.sockets.lookup(fd)
        except OSError as error:
            self._unreadable(call, error)
            return None

    def _shares(self, call: Call, ends: list[tuple[int, Direction, Socket | None]], result: int) -> list[Share]:
        """What each of the sockets, and each peer of it, had of a call. The call itself is the first one's."""
        shares: list[Share] = []
        pid, error = self.journal.pid, max(-result, 0)
        for fd, direction, socket in ends:
            if socket is None and error in (errno.EBADF, errno.ENOTSOCK):
                continue  # it was no socket
            for moved, peer in self._moved(call, result):
                calls = 0 if shares else 1
                what = (call.name or "", fd, 0, direction, calls, moved, error)
                shares.append(Share(socket, peer, Transfer(self.journal.now, pid, pid, *what)))
        return shares

    def _moved(self, call: Call, result: int) -> list[tuple[int, bytes]]:
        try:
            return list(counting.moved(self.journal.pid, call, result))
        except OSError as error:
            if result >= 0:  # else an address was bad, and that is why the call has failed
                self._unreadable(call, error)
            return [(0, b"")]

    def _unreadable(self, call: Call, error: OSError) -> None:
        if isinstance(error, ProcessLookupError):
            raise error  # it is gone, that is all
        self.say(Reason.UNREADABLE, call, error.errno or 0)

    def _tell(self, shares: list[Share]) -> None:
        for share in shares:
            if share.socket:
                self.sockets.transferred(share.socket, share.peer, share.transfer)
            else:
                self.journal.records.append(share.transfer)


def _name(pid: int) -> bytes:
    return _read(pid, "comm").removesuffix(b"\n")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
