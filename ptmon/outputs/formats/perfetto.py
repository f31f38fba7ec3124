# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as a timeline for ui.perfetto.dev and chrome://tracing: processes and threads as tracks, calls and connections
as slices.

It is the JSON Array Format of "Trace Event Format" (catapult): a list of objects, whose last bracket may be missing, so
that of a run that is killed the file can be read, too. Times are microseconds since the start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ptmon import addresses
from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs.formats.parts import call_name, connect_outcome, errno_name, failed, is_closed
from ptmon.outputs.formats.surrogates import without_surrogates
from ptmon.records import (
    Clone,
    Connect,
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
)
from ptmon.report import Header, Report
from ptmon.text import size

_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


class PerfettoFormatter:
    """An object a line."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        """The sockets whose slices have begun: the process in whose track they are."""
        self._entered: dict[int, str] = {}
        """By thread: the watched call that it is in."""
        self._last = 0.0

    def begin(self, header: Header) -> str:
        return "[\n" + _line(_named("process_name", header.root, header.root, " ".join(header.command) or "attached"))

    def lines(self, event: Event) -> str:
        record = event.record
        if isinstance(record, Snapshot):
            moved = {"sent": record.totals.sent, "received": record.totals.received}
            return _line({**_at("C", record.time, 0, 0, "bytes"), "args": moved})
        self._last = max(self._last, record.time)
        return "".join(map(_line, self._slices(event)))

    def note(self, text: str) -> str:
        return ""

    def dropped(self, count: int) -> str:
        return _line({**_at("i", self._last, 0, 0, f"{count} events are missing"), "s": "g"})

    def end(self, report: Report) -> str:
        """Who is open still has no end. The last object has no comma behind it."""
        said = "complete" if report.complete else "incomplete"
        return _encode({**_at("i", report.duration_s, 0, 0, f"end, {said}"), "s": "g"}) + "\n]\n"

    def _slices(self, event: Event) -> Iterator[dict[str, Any]]:
        record = event.record
        if isinstance(record, Transfer):
            yield _transfer(event, record)
        elif isinstance(record, Exec):
            yield _named("process_name", record.pid, record.pid, record.name)
            yield _instant(record, f"exec {record.name}", {"argv": list(record.argv)})
        elif isinstance(record, Exit):
            yield _named("thread_name", record.pid, record.tid, record.name or event.name)
            yield _instant(record, "exit", {"code": record.code, "signal": record.signal})
        elif isinstance(record, Clone):
            yield _instant(record, "clone", {"parent": record.parent})
        elif isinstance(record, SocketSeen):
            yield from self._begin(record)
        elif isinstance(record, SocketClosed):
            yield from self._end(record)
        elif isinstance(record, Entered | Returned):
            yield self._call(record)
        else:
            yield from _other(record)

    def _begin(self, record: SocketSeen) -> Iterator[dict[str, Any]]:
        if record.socket in self._open:
            return
        self._open[record.socket] = record.pid
        peer = addresses.address_text(record.peer) or "no peer"
        members = {
            "family": addresses.family_name(record.family),
            "type": addresses.type_name(record.type),
            "local": addresses.address_text(record.local),
            "peer": addresses.address_text(record.peer),
            "fd": record.fd,
        }
        opened = record.time if record.opened is None else record.opened
        yield {**_at("b", opened, record.pid, record.tid, peer), **_connection(record.socket), "args": members}

    def _end(self, record: SocketClosed) -> Iterator[dict[str, Any]]:
        if not is_closed(record):
            return
        pid = self._open.pop(record.socket, None)
        if pid is None:  # another fd of it was closed before
            yield _instant(record, "close", {"fd": record.fd, "socket": record.socket})
        else:
            yield {**_at("e", record.time, pid, record.tid, ""), **_connection(record.socket)}

    def _call(self, record: Entered | Returned) -> dict[str, Any]:
        if isinstance(record, Entered):
            self._entered[record.tid] = name = call_name(record.call)
            return {**_at("B", record.time, record.pid, record.tid, name), "cat": "call"}
        name = self._entered.pop(record.tid, "")
        result = errno_name(-record.result) if failed(record.result) else record.result
        # One that began before there was a tracer is a slice without a length.
        kind = "E" if name else "i"
        return {**_at(kind, record.time, record.pid, record.tid, name or call_name(record.call)), "args": {"=": result}}


def _transfer(event: Event, record: Transfer) -> dict[str, Any]:
    way = "peek" if record.direction is Direction.PEEKED else event.kind
    name = f"{way} {errno_name(record.error)}" if record.error else f"{way} {size(record.bytes)}"
    members: dict[str, Any] = {
        "bytes": record.bytes,
        "syscall": record.syscall,
        "fd": record.fd,
        "socket": record.socket,
        "peer": event.peer,
    }
    if record.calls != 1:
        members["calls"] = record.calls
    return {**_at("X", record.time, record.pid, record.tid, name), "dur": 0, "cat": "transfer", "args": members}


def _other(record: Any) -> Iterator[dict[str, Any]]:
    if isinstance(record, Connect):
        peer = addresses.address_text(record.peer) or "?"
        error = f" {errno_name(record.error)}" if record.error else ""
        took = 0.0 if record.took is None else record.took
        name = f"connect {peer}: {connect_outcome(record)}{error}"
        yield {**_at("X", record.time - took, record.pid, record.tid, name), "dur": took * 1e6, "cat": "connect"}
    elif isinstance(record, Named):
        yield _instant(record, f"{record.address} is {record.name}", {"source": record.source})
    elif isinstance(record, Denied):
        yield _instant(record, f"denied {call_name(record.call)}", {"rule": record.rule})
    elif isinstance(record, Incomplete | Fallback):
        what = "incomplete" if isinstance(record, Incomplete) else "counted at stops"
        yield {**_at("i", record.time, record.pid, record.pid, f"{what}: {record.reason.value}"), "s": "p"}


def _instant(record: Any, name: str, members: dict[str, Any]) -> dict[str, Any]:
    return {**_at("i", record.time, record.pid, record.tid, name), "s": "t", "args": members}


def _at(kind: str, moment: float, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": kind, "ts": round(max(moment, 0.0) * 1e6, 3), "pid": pid, "tid": tid, "name": name}


def _named(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}


def _connection(number: int) -> dict[str, Any]:
    return {"cat": "connection", "id": number}


def _line(document: dict[str, Any]) -> str:
    return without_surrogates(_encode(document).encode()).decode() + ",\n"
