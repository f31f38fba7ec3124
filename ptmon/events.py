# SPDX-License-Identifier: GPL-2.0-only
"""Events: records as users see them, each with what was told before of its process and its socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ptmon.frozen import dataclass
from ptmon.records import (
    Clone,
    Denied,
    Direction,
    Entered,
    Exec,
    Exit,
    Fallback,
    Incomplete,
    Record,
    Returned,
    Single,
    SocketClosed,
    SocketSeen,
    Transfer,
    Transfers,
    singles,
)
from ptmon.snapshot import Snapshot
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
    Entered: "enter",
    Returned: "return",
    Denied: "deny",
    Incomplete: "warning",
    Fallback: "fallback",
    Snapshot: "snapshot",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    kind: str
    """exec, clone, exit, socket, close, send, receive, enter, return, deny, warning, fallback or snapshot."""
    record: Single | Snapshot
    name: str
    """Of the process; empty where it is not known."""
    socket: SocketSeen | None
    """Of a transfer or a close: the socket as it was told last."""

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self.record.time


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
