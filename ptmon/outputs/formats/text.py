# SPDX-License-Identifier: GPL-2.0-or-later
"""Events for people: when (seconds since the start), who (name[pid] or name[pid/tid]), what, how much, with whom.

0.001234  server.out[5089]      receive         35 B  recvfrom(4)    tcp 127.0.0.1:8080 ⇄ 127.0.0.1:50000
"""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Sequence
from typing import Any

from ptmon import addresses, notices
from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs.formats.parts import (
    Calls,
    arguments,
    call_name,
    connect_text,
    errno_name,
    is_closed,
    lifetime,
    snapshot_text,
    socket_text,
)
from ptmon.records import (
    Called,
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
from ptmon.text import counted, printable
from ptmon.version import __version__

WHO = 20
"""Columns of who; they grow with what stands in them, up to WHO_MOST."""
WHO_MOST = 34
COMMAND = 400
"""Letters of a command line that are shown at most."""


class TextFormatter:
    """A line an event."""

    def __init__(self) -> None:
        self._width = WHO
        self._sockets: dict[int, tuple[SocketSeen, str]] = {}
        """What was made of the sockets that are in use."""
        self._calls = Calls()

    def begin(self, header: Header) -> str:
        what = command(header.command) if header.command else f"process {header.root}"
        engine = "" if header.engine == "native" else f", {header.engine} engine"
        told = f"{what}  ({header.mode} on {printable(header.host)}, {header.started}, ptmon {__version__}{engine})"
        return self._line(0.0, "ptmon", "start", told)

    def lines(self, event: Event) -> str:
        kind, record = event.kind, event.record
        if isinstance(record, Transfer):
            told = self._transfer(record, event.socket)
        elif isinstance(record, Snapshot):
            return self._line(record.time, "ptmon", kind, snapshot_text(record, "iec"))
        elif isinstance(record, SocketSeen):
            told = self._seen(record)
        elif isinstance(record, SocketClosed):
            if not is_closed(record):
                return ""
            told = self._closed(record, event.socket)
        elif isinstance(record, Entered):
            told = called(record.call, self._calls.entered(record))
        elif isinstance(record, Returned):
            told = f"{called(record.call, self._calls.returned(record))} = {outcome(record.call, record.result)}"
        else:
            told = self._other(record)
        return self._line(record.time, who(event.name, record), kind, told)

    def note(self, text: str) -> str:
        return f"{text}\n"

    def dropped(self, count: int) -> str:
        return f"... {counted(count, 'event')} dropped\n"

    def end(self, report: Report) -> str:
        totals = report.totals
        told = (
            f"sent {totals.sent} B in {counted(totals.calls_sent, 'call')},"
            f" received {totals.received} B in {counted(totals.calls_received, 'call')},"
            f" {'complete' if report.complete else 'NOT COMPLETE'}"
        )
        return self._line(report.duration_s, "ptmon", "end", told)

    def _line(self, moment: float, who: str, kind: str, told: str) -> str:
        width = self._width
        if len(who) > width:
            width = self._width = min(len(who), WHO_MOST)
        return f"{moment if moment > 0 else 0.0:12.6f}  {who:{width}}  {kind:8}  {told}\n"

    def _transfer(self, record: Transfer, socket: SocketSeen | None) -> str:
        if record.error:
            amount = errno_name(record.error)
        elif record.direction is Direction.PEEKED:
            amount = f"peeked {record.bytes} B"
        else:
            amount = f"{record.bytes} B"
        call = f"{record.syscall}({record.fd})"
        told = f"{amount:>12}  {call:13}  {'' if socket is None else self._ends(socket)}"
        if record.calls == 1:
            return told
        # A datagram call with several peers is told once a peer, and counts once.
        return f"{told}  ({record.calls} calls)" if record.calls else f"{told}  (of the same call)"

    def _seen(self, record: SocketSeen) -> str:
        known = [addresses.scope(record.family, record.peer), record.origin.value]
        said = ", ".join(word for word in known if word not in ("unknown", "none"))
        told = f"fd {record.fd}  {self._ends(record)}"
        return f"{told}  ({said})" if said else told

    def _closed(self, record: SocketClosed, socket: SocketSeen | None) -> str:
        told = f"fd {record.fd}" + ("" if socket is None else f"  {self._ends(socket)}")
        self._sockets.pop(record.socket, None)
        if (tcp := record.tcp) is None:
            return told
        again = f", {tcp.retransmitted} B of it again" if tcp.retransmitted else ""
        life = lifetime(record, socket)
        lasted = "" if life is None else f", lasted {life:.6f} s"
        times = f"rtt {tcp.rtt_us / 1000:.3f} ms{lasted}"
        return f"{told}  (kernel: sent {tcp.bytes_sent} B{again}, received {tcp.bytes_received} B, {times})"

    def _other(self, record: Exec | Clone | Exit | Connect | Named | Denied | Incomplete | Fallback) -> str:
        """All that ``lines`` has left over: to a type checker a new kind of record is an error here, or there."""
        match record:
            case Exec():
                return program(record)
            case Clone():
                return f"child of {record.parent}" if record.pid == record.tid else "thread"
            case Exit():
                self._calls.ended(record)
                return ending(record)
            case Connect():
                return f"fd {record.fd}  {connect_text(record)}"
            case Named():
                return f"{record.address} is {record.name}  ({record.source})"
            case Denied():
                texts = [(argument.name, argument.text) for argument in arguments(record.call)]
                result = outcome(record.call, -record.error)
                return f"{called(record.call, texts)} = {result}  by {printable(record.rule)}"
            case Incomplete():
                return printable(notices.notice(record).message)
            case Fallback():
                return f"its calls stop: {notices.fallback(record).reason}"

    def _ends(self, socket: SocketSeen) -> str:
        kept = self._sockets.get(socket.socket)
        if kept is not None and kept[0] is socket:
            return kept[1]
        text = socket_text(socket)
        self._sockets[socket.socket] = (socket, text)
        return text


def who(name: str, record: Any) -> str:
    """``server.out[5089]``, and of a thread ``server.out[5089/5090]``."""
    name = name if name.isprintable() else printable(name)
    tid = getattr(record, "tid", record.pid)
    return f"{name}[{record.pid}]" if tid == record.pid else f"{name}[{record.pid}/{tid}]"


def command(argv: tuple[str, ...]) -> str:
    """A command line as a shell would take it, or so much of it as fits."""
    text = ""
    for word in argv:
        text += " " * bool(text) + printable(shlex.quote(word[:COMMAND]))
        if len(text) > COMMAND:
            return text[: COMMAND - 1] + "…"
    return text


def called(call: Called, texts: Sequence[tuple[str, str]]) -> str:
    """``connect(3, 127.0.0.1:80, 16)``."""
    return printable(f"{call_name(call)}({', '.join(text for _, text in texts)})")


def outcome(call: Called, result: int) -> str:
    """``-1 ECONNREFUSED (Connection refused)``."""
    from ptmon import decoding

    return printable(decoding.result_text(call_name(call), result, call.compat))


def program(record: Exec) -> str:
    """``ls -l``, and the file that is executed where its name is another."""
    told = command(record.argv) or command((record.executable or record.name,))
    called_as = record.argv[0] if record.argv else record.executable
    if record.executable and os.path.basename(called_as) != os.path.basename(record.executable):
        told += f"  ({command((record.executable,))})"
    return f"{told}  (attached)" if record.attached else told


def ending(record: Exit) -> str:
    """``status 0``, ``killed by SIGSEGV``."""
    how = f"status {record.code}" if record.signal is None else f"killed by {signal_name(record.signal)}"
    return how if record.pid == record.tid else f"thread, {how}"


def signal_name(number: int) -> str:
    """``SIGSEGV``; a real-time signal as its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
