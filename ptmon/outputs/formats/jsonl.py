# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as JSON, one object a line: ``ptmon.event/1``. ``event.schema.json`` is the schema of a line.

The text is ASCII. Bytes of names and arguments that are not UTF-8 are lone surrogates (PEP 383), escaped: ``"\\udcff"``
is the byte 0xff.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from ptmon import addresses, notices
from ptmon.events import SCHEMA, Event, kind_of
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs.formats.parts import (
    Calls,
    arguments,
    call_name,
    connect_outcome,
    errno_name,
    failed,
    is_closed,
    lifetime,
)
from ptmon.records import (
    Called,
    Clone,
    Connect,
    Connected,
    Denied,
    Direction,
    Entered,
    Exec,
    Exit,
    Fallback,
    Incomplete,
    Named,
    Returned,
    SocketClosed,
    SocketSeen,
    Transfer,
    Transfers,
)
from ptmon.report import Header, Report, seconds
from ptmon.version import __version__

_encode = json.JSONEncoder(check_circular=False).encode


class JsonlFormatter:
    """One object a line; the first names the schema and tells what runs."""

    def __init__(self) -> None:
        self._calls = Calls()

    def begin(self, header: Header) -> str:
        return _line(
            {
                "schema": SCHEMA,
                "ptmon": __version__,
                "host": header.host,
                "command": header.command,
                "mode": header.mode,
                "engine": header.engine,
                "started": header.started,
                "pid": header.root,
            }
        )

    def lines(self, event: Event) -> str:
        record = event.record
        if type(record) is Transfer:
            return _transfer(record)
        members = self._call(record) if isinstance(record, Entered | Returned) else MEMBERS[event.kind](record)
        if members is None:
            return ""
        if isinstance(record, SocketClosed) and (life := lifetime(record, event.socket)) is not None:
            members["seconds"] = seconds(life)
        if isinstance(record, Exit):
            members["name"] = record.name or event.name
            self._calls.ended(record)
        document: dict[str, Any] = {"t": seconds(record.time), "event": event.kind}
        if not isinstance(record, Snapshot):
            document["pid"] = record.pid
            if not isinstance(record, Incomplete | Fallback):
                document["tid"] = record.tid
        document.update(members)
        return _line(document)

    def run(self, transfers: Transfers) -> bytes:
        return transfers.rows.text([_frame(group.sum, group.calls) for group in transfers.groups])

    def _call(self, record: Entered | Returned) -> dict[str, Any]:
        if isinstance(record, Entered):
            return call_members(record.call, self._calls.entered(record))
        members = {**call_members(record.call, self._calls.returned(record)), "result": record.result}
        if failed(record.result):
            members["errno"] = errno_name(-record.result)
        return members

    def note(self, text: str) -> str:
        return _line({"event": "note", "message": text})

    def dropped(self, count: int) -> str:
        return _line({"event": "dropped", "count": count})

    def end(self, report: Report) -> str:
        return ""


def _transfer(record: Transfer) -> str:
    head, middle, tail = _frame(record, record.calls)
    moment = record.time
    return f"{head}{round(moment, 6) if moment > 0 else 0.0}{middle}{record.bytes}{tail}"


def _frame(record: Transfer, calls: int) -> tuple[str, str, str]:
    """What stands before the time of a transfer, between that and the bytes, and behind them.

    By hand, for there are many of these: what json.dumps would make of it, in a fifth of the time.
    """
    middle = (
        f', "event": "{kind_of(record)}", "pid": {record.pid}, "tid": {record.tid}, "syscall": "{record.syscall}", '
        f'"fd": {record.fd}, "socket": {record.socket}, "bytes": '
    )
    if record.direction is Direction.PEEKED:
        middle += '0, "peeked": '
    tail = f', "errno": "{errno_name(record.error)}"' if record.error else ""
    if calls != 1:
        tail += f', "calls": {calls}'
    return '{"t": ', middle, tail + "}\n"


def _exec(record: Exec) -> dict[str, Any]:
    document = {"name": record.name, "executable": record.executable, "argv": record.argv}
    return {**document, "attached": True, "parent": record.parent} if record.attached else document


def _clone(record: Clone) -> dict[str, Any]:
    return {"parent": record.parent}


def _exit(record: Exit) -> dict[str, Any]:
    return {"name": record.name, "code": record.code, "signal": record.signal}


def _socket(record: SocketSeen) -> dict[str, Any]:
    return {
        "fd": record.fd,
        "socket": record.socket,
        "inode": record.inode or None,
        "family": addresses.family_name(record.family),
        "type": addresses.type_name(record.type),
        "protocol": addresses.protocol_name(record.family, record.protocol),
        "local": addresses.address_text(record.local),
        "peer": addresses.address_text(record.peer),
        "scope": addresses.scope(record.family, record.peer),
        "direction": record.origin.value,
    }


def _close(record: SocketClosed) -> dict[str, Any] | None:
    if not is_closed(record):
        return None
    tcp = record.tcp
    return {
        "fd": record.fd,
        "socket": record.socket,
        "tcp": tcp
        and {
            "bytes_sent": tcp.bytes_sent,
            "bytes_received": tcp.bytes_received,
            "retransmitted": tcp.retransmitted,
            "rtt_us": tcp.rtt_us,
        },
    }


def _connect(record: Connect) -> dict[str, Any]:
    document = {
        "fd": record.fd,
        "inode": record.inode or None,
        "family": addresses.family_name(record.family),
        "type": addresses.type_name(record.type),
        "protocol": addresses.protocol_name(record.family, record.protocol),
        "peer": addresses.address_text(record.peer),
        "peer_address": addresses.host(record.peer),
        "peer_port": addresses.port(record.peer),
        "scope": addresses.scope(record.family, record.peer),
        "outcome": connect_outcome(record),
        "seconds": None if record.took is None else seconds(record.took),
    }
    if record.end is not Connected.RETURNED:
        document["later"] = True
    if record.error:
        document["errno"] = errno_name(record.error)
    return document


def _name(record: Named) -> dict[str, Any]:
    document: dict[str, Any] = {"address": record.address, "name": record.name, "source": record.source}
    return document if record.socket is None else {**document, "socket": record.socket}


def _deny(record: Denied) -> dict[str, Any]:
    texts = [(argument.name, argument.text) for argument in arguments(record.call)]
    return {**call_members(record.call, texts), "rule": record.rule, "errno": errno_name(record.error)}


def _warning(record: Incomplete) -> dict[str, Any]:
    said = notices.notice(record)
    return {"reason": said.reason, "message": said.message}


def _fallback(record: Fallback) -> dict[str, Any]:
    return {"reason": record.reason.value, "message": notices.fallback(record).reason}


def _snapshot(record: Snapshot) -> dict[str, Any]:
    since = record.since
    return {
        **{name: getattr(record.totals, name) for name in record.totals.__slots__},
        "processes": record.processes,
        "sockets": record.sockets,
        "complete": record.complete,
        "since": {
            "seconds": seconds(since.seconds),
            "sent": since.sent,
            "received": since.received,
            "sent_per_second": since.sent_per_second,
            "received_per_second": since.received_per_second,
        },
    }


MEMBERS: dict[str, Callable[[Any], dict[str, Any] | None]] = {
    "exec": _exec,
    "clone": _clone,
    "exit": _exit,
    "socket": _socket,
    "close": _close,
    "connect": _connect,
    "name": _name,
    "deny": _deny,
    "warning": _warning,
    "fallback": _fallback,
    "snapshot": _snapshot,
}


def call_members(call: Called, texts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """``compat`` is there where the 32-bit ABI was called."""
    document: dict[str, Any] = {"syscall": call_name(call)}
    if call.compat:
        document["compat"] = True
    document["args"] = dict(texts)
    return document


def _line(document: dict[str, Any]) -> str:
    return _encode(document) + "\n"
