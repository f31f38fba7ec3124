# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference engine's sockets: what its tracee's fds name, and the records that tell of it.

Nothing is cached but what the audit needs: an fd is looked up anew at each call, when the call is entered.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass, field
from socket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM

from ptmon.engines.boundary import Identity, identify
from ptmon.frozen import replace
from ptmon.records import Connect, Connected, Direction, Origin, Record, SocketClosed, SocketSeen, TcpCounters, Transfer

LEFT_OPEN = -1
"""The fd of a SocketClosed where nothing is closed, but ptmon lets the process go."""


REFUSALS = {
    errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN,
    errno.ECONNRESET, errno.EACCES, errno.EPERM,
}  # fmt: skip
"""How a transfer fails on a socket that could not be connected."""


@dataclass(slots=True)
class Journal:
    """What was told of a process so far, and the time of the stop that is being handled."""

    pid: int
    now: float = 0.0
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Attempt:
    """A connect that was in progress when its call returned."""

    peer: bytes
    end: Connected = Connected.RETURNED
    """As it was told last."""
    error: int = errno.EINPROGRESS

    @property
    def over(self) -> bool:
        """It is known how it ended, and if it has failed why."""
        return self.end is Connected.ESTABLISHED or (self.end is Connected.FAILED and self.error != 0)


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
    origin: Origin = Origin.UNKNOWN
    connect: float | None = None
    """Seconds that it took to connect it."""
    attempt: Attempt | None = None


class Sockets:
    """The sockets of one process, by inode."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[int, Socket] = {}
        self._shared: set[int] = set()
        """Inodes of sockets that others may have used, or may use still: their audit would prove nothing."""
        self._all_shared = False
        self._rows = 0

    def lookup(self, fd: int) -> Socket | None:
        """The socket that ``fd`` names now; None if that is none. Raises OSError where it cannot be known."""
        identity = identify(self._journal.pid, fd) if fd >= 0 else None
        if identity is None:
            return None
        socket = self._known.setdefault(identity.inode, Socket(identity, identity, origin=self._origin(identity)))
        self._renew(socket, fd, identity)
        self._look(socket, fd, identity)
        return socket

    def connected(self, fd: int, peer: bytes, error: int, took: float) -> None:
        """A connect to ``peer`` has returned. Raises OSError where it cannot be known what ``fd`` names."""
        socket = self.lookup(fd)
        if socket is None:
            return
        attempt = socket.attempt
        if attempt is not None and error == errno.EALREADY:
            return
        again = attempt is not None and error != errno.EINPROGRESS
        if again and attempt is not None and attempt.end is not Connected.FAILED and error in (0, errno.EISCONN):
            if not attempt.over:
                self._ended(socket, fd, Connected.ESTABLISHED)
            return
        if again and attempt is not None and not attempt.over and error:
            self._ended(socket, fd, Connected.FAILED, error)
            socket.attempt = None
            return
        if error == errno.EALREADY:  # since a call that a signal has ended, or that was made before ptmon was there
            error = errno.EINPROGRESS
        self._tell_connect(socket, fd, peer, Connected.RETURNED, error, took)
        socket.attempt = Attempt(peer) if error == errno.EINPROGRESS else None
        if not error:
            self._joined(socket, fd, took)
        elif error == errno.EINPROGRESS and (now := identify(self._journal.pid, fd)) is not None:
            self._look(socket, fd, now, took)

    def disconnects(self, fd: int) -> None:
        """A connect to AF_UNSPEC: what was in progress is over."""
        socket = self.lookup(fd)
        if socket is not None:
            socket.attempt = None

    def transferred(self, socket: Socket, peer: bytes, transfer: Transfer) -> None:
        """Tells of a transfer on it. ``peer``: struct sockaddr of the message, if it bears one."""
        number = self._row(socket, transfer.fd, peer)
        if transfer.direction == Direction.SENT:
            socket.sent += transfer.bytes
        elif transfer.direction == Direction.RECEIVED:
            socket.received += transfer.bytes
        self._journal.records.append(replace(transfer, socket=number))
        if socket.attempt is not None and transfer.error in REFUSALS and not socket.attempt.over:
            self._ended(socket, transfer.fd, Connected.FAILED, transfer.error)

    def closing(self, fd: int, told_fd: int | None = None, *, by_call: bool = False) -> None:
        """``fd`` is about to be closed: the last moment to read the kernel's own counters, if it is a used socket."""
        pid = self._journal.pid
        with suppress(OSError):
            named = identify(pid, fd)
            socket = self._known.get(named.inode) if named else None
            if socket is not None and named is not None and by_call:
                self._look(socket, fd, named)
                if socket.attempt is not None and socket.attempt.end is Connected.RETURNED:
                    self._ended(socket, fd, Connected.ABANDONED)
            if socket is None or not socket.rows:
                return
            now = identify(pid, fd, socket.first, (socket.sent, socket.received))
            if now is None:
                return
            self._renew(socket, fd, now)
            tcp = now.tcp
            if tcp and (self._all_shared or now.inode in self._shared):
                tcp = replace(tcp, auditable=False)
            self._tell_closed(socket, fd if told_fd is None else told_fd, tcp)

    def share(self, *, later_ones: bool = False) -> None:
        """The sockets that the process has now are not its own alone; with ``later_ones``, further ones neither."""
        self._all_shared |= later_ones
        for fd in self.fds():
            with suppress(OSError):
                link = os.readlink(f"/proc/{self._journal.pid}/fd/{fd}")
                if link.startswith("socket:["):
                    self._shared.add(int(link[8:-1]))

    def fds(self) -> list[int]:
        """All fds of the process; none where they cannot be read."""
        try:
            return [int(name) for name in os.listdir(f"/proc/{self._journal.pid}/fd")]
        except OSError:
            return []

    def _origin(self, identity: Identity) -> Origin:
        """Of sockets that were there before only names tell something for certain."""
        guess = identity.tcp is not None or identity.origin is Origin.BOUND
        before = self._all_shared or identity.inode in self._shared
        return Origin.UNKNOWN if guess and before else identity.origin

    def _look(self, socket: Socket, fd: int, now: Identity, took: float | None = None) -> None:
        """Has what was in progress ended? That the kernel shows; why it has failed only a call of the program."""
        attempt = socket.attempt
        if attempt is None or attempt.over:
            return
        if now.peer or now.closed == 2:
            self._ended(socket, fd, Connected.ESTABLISHED, took=took)
            self._joined(socket, fd, took)
        elif now.closed == 1 and attempt.end is Connected.RETURNED:
            self._ended(socket, fd, Connected.FAILED)

    def _ended(self, socket: Socket, fd: int, end: Connected, error: int = 0, took: float | None = None) -> None:
        attempt = socket.attempt
        if attempt is not None:
            self._tell_connect(socket, fd, attempt.peer, end, error, took)
            attempt.end, attempt.error = end, error

    def _joined(self, socket: Socket, fd: int, took: float | None) -> None:
        socket.origin = Origin.CONNECTED
        socket.connect = None if socket.now.type == SOCK_DGRAM else took
        for peer, row in socket.rows.items():
            self._tell_seen(socket, fd, row, peer or socket.now.peer)

    def _tell_connect(
        self, socket: Socket, fd: int, peer: bytes, end: Connected, error: int, took: float | None
    ) -> None:
        journal, now = self._journal, socket.now
        what = (now.inode, now.family, now.type, now.protocol, peer, end, error, took)
        journal.records.append(Connect(journal.now, journal.pid, journal.pid, fd, *what))

    def _row(self, socket: Socket, fd: int, peer: bytes) -> int:
        """The number of a socket's row: one for each peer if it is a datagram socket, else one."""
        key = (peer or socket.now.peer) if _has_rows_by_peer(socket.now) else b""
        if key not in socket.rows:
            self._rows += 1
            socket.rows[key] = self._rows
            self._tell_seen(socket, fd, self._rows, key or socket.now.peer)
        return socket.rows[key]

    def _renew(self, socket: Socket, fd: int, now: Identity) -> None:
        """It may have been bound or connected since; and one that is shut down has no peer any more, but had one."""
        before, by_peer = socket.now, _has_rows_by_peer(now)
        if by_peer and now.peer != before.peer:
            self._tell_closed(socket, fd, None)
            socket.rows = {}  # what it transfers with another peer are other rows
        socket.now = now if by_peer else replace(now, peer=now.peer or before.peer)
        if before.peer and not socket.now.peer:
            socket.origin = Origin.UNKNOWN  # it was taken away: whether it was bound as well is not known
        elif not before.peer and now.peer and now.active:
            socket.origin = Origin.CONNECTED
        elif not before.peer and now.peer and socket.origin in (Origin.NONE, Origin.BOUND):
            socket.origin = now.origin
        if (socket.now.local, socket.now.peer) != (before.local, before.peer):
            for peer, row in socket.rows.items():
                self._tell_seen(socket, fd, row, peer or socket.now.peer)

    def _tell_seen(self, socket: Socket, fd: int, row: int, peer: bytes) -> None:
        journal, now = self._journal, socket.now
        what = (now.inode, now.family, now.type, now.protocol, now.local, peer, None, socket.origin, socket.connect)
        journal.records.append(SocketSeen(journal.now, journal.pid, journal.pid, fd, row, *what))

    def _tell_closed(self, socket: Socket, fd: int, tcp: TcpCounters | None) -> None:
        journal = self._journal
        for row in socket.rows.values():
            journal.records.append(SocketClosed(journal.now, journal.pid, journal.pid, fd, row, tcp))


def _has_rows_by_peer(identity: Identity) -> bool:
    return identity.type == SOCK_DGRAM and identity.family in (AF_INET, AF_INET6, AF_UNIX)
