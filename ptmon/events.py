# SPDX-License-Identifier: GPL-2.0-or-later
"""Events: records as users see them, each with what was told before of its process and its socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ptmon import addresses
from ptmon.frozen import dataclass
from ptmon.ledger.snapshot import Snapshot
from ptmon.records import (
    Clone,
    Connect,
    Content,
    Denied,
    Direction,
    Entered,
    Exec,
    Exit,
    Fallback,
    Incomplete,
    Named,
    Payload,
    Record,
    Returned,
    Single,
    SocketClosed,
    SocketSeen,
    Transfer,
    Transfers,
    singles,
)
from ptmon.static import Any

SCHEMA = "ptmon.event/1"
SOCKETS_MOST = 100_000
"""Sockets that are remembered; beyond, the one that was told of longest ago is forgotten."""

KINDS: dict[type, str] = {
    Exec: "exec",
    Clone: "clone",
    Exit: "exit",
    SocketSeen: "socket",
    SocketClosed: "close",
    Connect: "connect",
    Named: "name",
    Entered: "enter",
    Returned: "return",
    Denied: "deny",
    Incomplete: "warning",
    Fallback: "fallback",
    Snapshot: "snapshot",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: ``time``, ``kind``, ``name``, ``bytes`` and ``peer`` say what, ``record`` says the rest.

    Events come in the order of their times. The kinds, each with the class of its record in ``ptmon.records`` and what
    that has besides ``time`` and, but for a snapshot, ``pid``:

    send      Transfer      A call on a socket has sent ``event.bytes`` to ``event.peer``, or failed (``error``: its
                            errno). tid, syscall, fd, socket, direction, calls, bytes, error, fast.
    receive   Transfer      The same for bytes that were received. A peek (``direction`` is PEEKED) leaves them to be
                            received later: ``event.bytes`` is 0, ``record.bytes`` has them.
    socket    SocketSeen    A socket is used for the first time, or known better than before.
                            tid, fd, socket, inode, family, type, protocol, local, peer, opened, origin, connect.
    close     SocketClosed  An fd of a socket is closed. tid, fd, socket, tcp (the kernel's counters), maybe.
    connect   Connect       A connect has returned, or one that was in progress has come to its ``end``.
                            tid, fd, inode, family, type, protocol, peer, end, error, took.
    name      Named         The program was told that this is the name of an address, or calls it so.
                            tid, address, name, source, socket.
    clone     Clone         A thread is born; a process, if its tid is its pid. tid, parent.
    exec      Exec          A process executes a program, or was found running it at an attach.
                            tid, name, executable, argv, attached, parent.
    exit      Exit          A thread is gone; the process, if its tid is its pid. tid, name, code, signal.
    enter     Entered       A call that ``trace`` names is entered. tid, call.
    return    Returned      And it returns. tid, call, result.
    deny      Denied        A rule or a hook has refused a call. tid, call, rule, error.
    warning   Incomplete    Bytes may be missing from here on. reason, syscall, error, count.
    fallback  Fallback      Calls of a process are counted at stops; nothing is missing. reason, error.
    snapshot  Snapshot      The totals, every ``interval`` seconds.

    More kinds may come: pass over those that you do not know.
    """

    kind: str
    record: Single | Snapshot
    name: str
    """Of the process; empty where it is not known."""
    socket: SocketSeen | None
    """Of a send, receive, socket or close: the socket as it was told last; None where it is not known."""

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self.record.time

    @property
    def peer(self) -> str | None:
        """The other end, as ``192.0.2.1:80``, ``[2001:db8::1]:80`` or a Unix socket's path.

        Of a send, receive, socket, close or connect. None for any other kind, where it is not known, and where it has
        no name.
        """
        if type(self.record) is Connect:
            return addresses.address_text(self.record.peer)
        return None if self.socket is None else addresses.address_text(self.socket.peer)

    @property
    def bytes(self) -> int:
        """Payload bytes that a send or receive has moved. 0 if it failed or only peeked, and for any other kind.

        So their sum over all events that send (or receive) is what the report's totals say.
        """
        record = self.record
        return record.bytes if type(record) is Transfer and record.direction is not Direction.PEEKED else 0


def kind_of(record: Transfer) -> str:
    """send or receive."""
    return "send" if record.direction is Direction.SENT else "receive"


class EventMaker:
    """Makes events of records. It remembers the names of processes and the sockets that are in use."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._sockets: dict[int, SocketSeen] = {}

    def events(self, records: Iterable[Record]) -> Iterator[Event]:
        """The events of a batch, in its order."""
        for record in singles(records):
            yield self._event(record)

    def runs(self, records: Iterable[Record]) -> Iterator[Event | Transfers]:
        """The same, but transfers that an engine tells as one record stay one."""
        for record in records:
            if not isinstance(record, Payload | Content):
                yield record if isinstance(record, Transfers) else self._event(record)

    def snapshot(self, snapshot: Snapshot) -> Event:
        """The event of --interval."""
        return Event("snapshot", snapshot, "", None)

    def _event(self, record: Any) -> Event:
        if type(record) is Transfer:
            return Event(kind_of(record), record, self._names.get(record.pid, ""), self._sockets.get(record.socket))
        return self._other(record)

    def _other(self, record: Any) -> Event:
        socket = None
        match record:
            case Exec():
                self._names[record.pid] = record.name
            case Clone() if record.pid == record.tid:
                self._names[record.pid] = self._names.get(record.parent, "")
            case SocketSeen():
                socket = record
                self._remember(record)
            case SocketClosed():
                socket = self._sockets.get(record.socket)
        name = self._names.get(record.pid, "")
        if type(record) is Exit and record.pid == record.tid:
            self._names.pop(record.pid, None)
            name = name or record.name
        return Event(KINDS[type(record)], record, name, socket)

    def _remember(self, record: SocketSeen) -> None:
        """A closed fd may have been one of several, so nothing tells that a socket is gone."""
        self._sockets.pop(record.socket, None)
        self._sockets[record.socket] = record
        if len(self._sockets) > SOCKETS_MOST:
            del self._sockets[next(iter(self._sockets))]
