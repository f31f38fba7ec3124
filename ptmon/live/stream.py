# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of ``ptmon.event/1`` (event.schema.json) -> a view, as another ptmon has it.

Totals are those that the other says; the tables have what it told since this one listens. Whoever sends the lines may
send anything: what is not understood is passed over.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from ptmon import addresses
from ptmon.frozen import replace
from ptmon.ledger.ledger import Ledger
from ptmon.ledger.snapshot import Since, Snapshot
from ptmon.ledger.view import View
from ptmon.naming.streams import host_name
from ptmon.records import (
    Clone,
    Direction,
    Exec,
    Exit,
    Named,
    Record,
    SocketClosed,
    SocketSeen,
    TcpCounters,
    Transfer,
)
from ptmon.report import Header, Notice, Totals

NOTICES_MOST = 1000


class Stream:
    """What was told until now. ``header`` is None before the first line that is one."""

    def __init__(self, max_sockets: int) -> None:
        self.header: Header | None = None
        self._max_sockets = max_sockets
        self._ledger: Ledger | None = None
        self._snapshot: Snapshot | None = None
        self._notices: list[Notice] = []
        self._missed = 0

    def feed(self, line: bytes) -> bool:
        """Takes a line; whether it was a line of such a stream."""
        try:
            document = json.loads(line)
            if not isinstance(document, dict):
                return False
            self._take(document)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, struct.error, RecursionError):
            return False
        return True

    def view(self, last: Snapshot | None) -> View | None:
        """What is told of the moment of the last snapshot; None if that is no news."""
        snapshot, ledger = self._snapshot, self._ledger
        if snapshot is None or ledger is None or (last is not None and snapshot.time <= last.time):
            return None
        before, totals = last or snapshot, snapshot.totals
        since = Since(
            snapshot.time - before.time,
            max(totals.sent - before.totals.sent, 0),
            max(totals.received - before.totals.received, 0),
        )
        notices = [*self._notices]
        if self._missed:
            notices.append(Notice("dropped", None, f"{self._missed:,} events were missed: the tables lack them"))
        view = ledger.view(snapshot.time)
        return replace(view, snapshot=replace(snapshot, since=since), path=None, notices=tuple(notices))

    def _take(self, document: dict[str, Any]) -> None:
        kind = document.get("event")
        if kind is None and "schema" in document:
            self._begin(document)
        elif kind == "snapshot":
            self._snapshot = _snapshot(document)
        elif kind == "warning":
            if len(self._notices) < NOTICES_MOST:
                reason, message = str(document["reason"]), str(document["message"])
                self._notices.append(Notice(reason, _number(document["pid"]), message))
        elif kind == "dropped":
            self._missed += _number(document["count"])
        elif isinstance(kind, str) and (make := MAKERS.get(kind)) is not None and self._ledger is not None:
            self._ledger.add(make(document))

    def _begin(self, document: dict[str, Any]) -> None:
        command = tuple(str(word) for word in document["command"])
        host, mode, engine, started = (str(document[name]) for name in ("host", "mode", "engine", "started"))
        self.header = header = Header(host, command, mode, engine, started, _number(document["pid"]), None)
        self._ledger = Ledger(header, self._max_sockets)
        if command:  # its exec was told before this view was connected
            name = os.path.basename(command[0])
            self._ledger.add(Exec(0.0, header.root, header.root, name, command[0], command, False, None))


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(value)
    return value


def _time(document: dict[str, Any]) -> float:
    moment = float(document["t"])
    if not 0 <= moment < 1e10:
        raise ValueError(moment)
    return moment


def _who(document: dict[str, Any]) -> tuple[float, int, int]:
    return _time(document), _number(document["pid"]), _number(document["tid"])


def _optional(value: Any) -> int | None:
    return None if value is None else _number(value)


def _snapshot(document: dict[str, Any]) -> Snapshot:
    totals = Totals(*(_number(document[name]) for name in Totals.__match_args__))
    processes, sockets = _number(document["processes"]), _number(document["sockets"])
    return Snapshot(_time(document), totals, 0, 0, processes, sockets, bool(document["complete"]), Since(0.0, 0, 0))


def _transfer(document: dict[str, Any]) -> Transfer:
    moved, peeked = _number(document["bytes"]), _number(document.get("peeked", 0))
    way = Direction.SENT if document["event"] == "send" else Direction.PEEKED if peeked else Direction.RECEIVED
    error = getattr(errno, str(document["errno"]), 0) if "errno" in document else 0
    what = str(document["syscall"]), _number(document["fd"]), _number(document["socket"])
    return Transfer(*_who(document), *what, way, _number(document.get("calls", 1)), moved or peeked, error, False)


def _exec(document: dict[str, Any]) -> Exec:
    argv = tuple(str(word) for word in document["argv"])
    attached, parent = bool(document.get("attached")), _optional(document.get("parent"))
    return Exec(*_who(document), str(document["name"]), str(document["executable"]), argv, attached, parent)


def _clone(document: dict[str, Any]) -> Clone:
    return Clone(*_who(document), _number(document["parent"]))


def _exit(document: dict[str, Any]) -> Exit:
    return Exit(*_who(document), str(document["name"]), _optional(document["code"]), _optional(document["signal"]))


def _name(document: dict[str, Any]) -> Named:
    """What another ptmon has called a name is looked at as if a program had: it goes to a terminal."""
    name, address = host_name(str(document["name"])), _address(f"{document['address']}:0")
    if name is None or not (host := addresses.host(address)):
        raise ValueError(document["name"])
    return Named(*_who(document), host, name, str(document["source"]), _optional(document.get("socket")))


_FAMILIES = {name: number for number, name in addresses.FAMILIES.items()}
_TYPES = {name: number for number, name in addresses.TYPES.items()}
_PROTOCOLS = {name: number for number, name in addresses.INET_PROTOCOLS.items()}


def _socket(document: dict[str, Any]) -> SocketSeen:
    family = _FAMILIES.get(document["family"], -1)
    protocol = _PROTOCOLS.get(document["protocol"], 0) if family in (socket.AF_INET, socket.AF_INET6) else 0
    ends = (_address(document["local"]), _address(document["peer"]))
    inode, kind = _optional(document["inode"]) or 0, _TYPES.get(document["type"], 0)
    where = _number(document["fd"]), _number(document["socket"])
    return SocketSeen(*_who(document), *where, inode, family, kind, protocol, *ends)


def _address(text: str | None) -> bytes:
    """struct sockaddr of what ``addresses.address_text`` has made of it; of other families than these, none."""
    if text is None:
        return b""
    host, colon, port = text.rpartition(":")
    if text.startswith("["):
        packed = socket.inet_pton(socket.AF_INET6, host[1:-1].partition("%")[0])
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", int(port), 0) + packed + bytes(4)
    if colon and host.count(".") == 3 and port.isdigit():
        packed = socket.inet_pton(socket.AF_INET, host)
        return struct.pack("=H", socket.AF_INET) + struct.pack("!H", int(port)) + packed + bytes(8)
    if text.startswith(("/", "@")):
        return struct.pack("=H", socket.AF_UNIX) + os.fsencode(text.replace("@", "\0", 1) if text[0] == "@" else text)
    return b""


def _close(document: dict[str, Any]) -> SocketClosed:
    tcp = document["tcp"]
    counters = None
    if tcp is not None:
        moved = _number(tcp["bytes_sent"]), _number(tcp["bytes_received"])
        counters = TcpCounters(*moved, _number(tcp["retransmitted"]), _number(tcp["rtt_us"]), False)
    return SocketClosed(*_who(document), _number(document["fd"]), _number(document["socket"]), counters)


MAKERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    "send": _transfer,
    "receive": _transfer,
    "exec": _exec,
    "clone": _clone,
    "exit": _exit,
    "socket": _socket,
    "name": _name,
    "close": _close,
}
