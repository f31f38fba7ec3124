# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON document ``ptmon.report/1`` -> a Report. Nothing of it is believed before it was looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from sys import intern

from ptmon.ledger.rates import Rate
from ptmon.merging.shapes import (
    AUDITS,
    COUNT,
    FAMILIES,
    LIST,
    NONE,
    OBJECT,
    ORIGINS,
    SCOPES,
    TEXT,
    TIME,
    TRUTH,
    Shape,
    WrongError,
    counts,
    pairs,
    rows,
    texts,
)
from ptmon.report import (
    SCHEMA,
    Bytes,
    ConnectReport,
    DeniedReport,
    Ended,
    FallbackReport,
    Header,
    HostReport,
    Notice,
    PathReport,
    PeerReport,
    ProcessReport,
    Report,
    SocketReport,
    SyscallReport,
    TcpReport,
    ThreadReport,
    Totals,
)
from ptmon.static import Any

STARTED = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{6}Z")
MODES = frozenset({"launch", "attach", "wait", "merge"})
ENGINES = frozenset({"native", "reference", "mixed"})
SUMS = {"sent": COUNT, "received": COUNT}
CALLS = {"calls_sent": COUNT, "calls_received": COUNT}
RUN = {"host": TEXT, "command": LIST, "started": TEXT, "duration_s": TIME, "exit": OBJECT | NONE, "complete": TRUTH}

HEAD = Shape("the report", {**RUN, "mode": TEXT, "engine": TEXT}, {"mode": MODES, "engine": ENGINES}, "host")
HOST = Shape("a host", {**RUN, "rank": COUNT | NONE, "file": TEXT, "totals": OBJECT}, None, "host")
ENDED = Shape("an end", {"code": COUNT | NONE, "signal": COUNT | NONE})
NOTICE = Shape("a warning", {"reason": TEXT, "pid": COUNT | NONE, "message": TEXT}, None, "message")
TOTALS = Shape("totals", {**SUMS, "peeked": COUNT, **CALLS, "errors": COUNT})
BYTES = Shape("bytes", SUMS)
SYSCALL = Shape("a system call", {"calls": COUNT, "errors": COUNT, "bytes": COUNT})
RATE = Shape("a rate", {"max": COUNT | NONE, "average": COUNT, "min": COUNT | NONE})
PATH = Shape("path", {"fast": COUNT, "stop": COUNT})
FALLBACK = Shape("a fallback", {"pid": COUNT, "reason": TEXT}, None, "reason")
DENIED = Shape(
    "a denied call", {"rule": TEXT, "syscall": TEXT, "errno": TEXT, "calls": COUNT}, None, "syscall", "errno"
)
PEER = Shape(
    "a peer",
    {
        "transport": TEXT, "peer_address": TEXT | NONE, "port": COUNT | NONE, "scope": TEXT, "sockets": COUNT,
        **SUMS, **CALLS, "names": LIST,
    },
    {"scope": SCOPES},
)  # fmt: skip
CONNECT = Shape(
    "a connect",
    {
        "family": TEXT, "type": TEXT, "protocol": TEXT | NONE, "peer": TEXT | NONE, "peer_address": TEXT | NONE,
        "peer_port": COUNT | NONE, "scope": TEXT, "calls": COUNT, "connected": COUNT, "failed": COUNT,
        "in_progress": COUNT, "abandoned": COUNT, "errnos": OBJECT, "average_s": TIME | NONE, "longest_s": TIME | NONE,
        "names": LIST,
    },
    {"family": FAMILIES, "scope": SCOPES},
)  # fmt: skip
THREAD = Shape("a thread", {"tid": COUNT, "name": TEXT, **SUMS})
PROCESS = Shape(
    "a process",
    {
        "pid": COUNT, "ppid": COUNT | NONE, "name": TEXT, "argv": LIST, "started_s": TIME, "ended_s": TIME | NONE,
        "exit": OBJECT | NONE, **SUMS, "threads": LIST,
    },
)  # fmt: skip
TCP = Shape("tcp", {"bytes_sent": COUNT, "bytes_received": COUNT, "retransmitted": COUNT, "rtt_us": COUNT})
SOCKET = Shape(
    "a socket",
    {
        "id": COUNT, "inode": COUNT | NONE, "family": TEXT, "type": TEXT, "protocol": TEXT | NONE,
        "local": TEXT | NONE, "peer": TEXT | NONE, "scope": TEXT, "opened_s": TIME, "closed_s": TIME | NONE,
        "pids": LIST, **SUMS, "peeked": COUNT, **CALLS, "tcp": OBJECT | NONE, "audit": TEXT, "direction": TEXT,
        "local_address": TEXT | NONE, "local_port": COUNT | NONE, "peer_address": TEXT | NONE,
        "peer_port": COUNT | NONE, "connect_s": TIME | NONE, "duration_s": TIME | NONE, "peer_name": TEXT | NONE,
    },
    {"family": FAMILIES, "scope": SCOPES, "audit": AUDITS, "direction": ORIGINS},
)  # fmt: skip


def report_of(document: Any) -> Report:
    """The report that it is. Raises WrongError."""
    if type(document) is not dict:
        raise WrongError("it is no object")
    if document.get("schema") != SCHEMA:
        raise WrongError(f"its schema is not {SCHEMA}")
    try:
        report = _report(document)
    except KeyError as error:
        raise WrongError(f"the report has no {error.args[0]}") from None
    _check_sums(report)
    return report


def _report(told: Mapping[str, Any]) -> Report:
    host, command, started, duration, exit, complete, mode, engine = HEAD.values(told)
    hosts = tuple(_host(row) for row in rows(told["hosts"], "hosts")) if mode == "merge" else ()
    rates = {"sent", "received"}
    if set(_object(told, "rates")) != rates:
        raise WrongError("rates are not those of sent and received")
    count = len(hosts)
    words = texts(command, "command")
    return Report(
        header=Header(host, words, mode, engine, _moment(started), 0, None, rank=_optional(told, "rank")),
        command=words,
        duration_s=duration,
        exit=_exit(exit),
        complete=complete,
        warnings=tuple(
            Notice(*(*NOTICE.values(row), _source(row, count))) for row in rows(told["warnings"], "warnings")
        ),
        totals=Totals(*TOTALS.values(told["totals"])),
        by_family=_bytes(told, "by_family", FAMILIES),
        by_scope=_bytes(told, "by_scope", SCOPES),
        by_syscall={name: _syscall(row) for name, row in pairs(told["by_syscall"], "by_syscall")},
        rates={name: Rate(*RATE.values(told["rates"][name])) for name in ("sent", "received")},
        path=PathReport(*PATH.values(told["path"])),
        fallbacks=tuple(
            FallbackReport(*(*FALLBACK.values(row), _source(row, count)))
            for row in rows(told["fallbacks"], "fallbacks")
        ),
        denied=tuple(DeniedReport(*DENIED.values(row)) for row in rows(told["denied"], "denied")),
        processes=tuple(_process(row, count) for row in rows(told["processes"], "processes")),
        sockets=tuple(_socket(row, count) for row in rows(told["sockets"], "sockets")),
        by_peer=tuple(_peer(row) for row in rows(told["by_peer"], "by_peer")),
        connects=tuple(_connect(row) for row in rows(told["connects"], "connects")),
        hosts=hosts,
    )


def _check_sums(report: Report) -> None:
    """A report whose parts do not make its totals was changed by somebody, or is not whole."""
    by = (report.by_peer, report.by_family.values(), report.by_scope.values())
    for parts in (report.processes, report.sockets, *by):
        sums = [0, 0]
        for row in parts:
            sums[0] += row.sent
            sums[1] += row.received
        if sums != [report.totals.sent, report.totals.received]:
            raise WrongError("its parts do not make its totals")


def _object(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    return dict(pairs(told[name], name))


def _optional(row: Mapping[str, Any], name: str) -> int | None:
    """A number that may be missing."""
    value = row.get(name)
    if value is not None and (type(value) is not int or not 0 <= value < 1 << 63):
        raise WrongError(f"{name} is no number")
    return value


def _source(row: Mapping[str, Any], count: int) -> int | None:
    source = _optional(row, "source")
    if source is not None and source >= count:
        raise WrongError("a row is of a run that is not there")
    return source


def _moment(text: str) -> str:
    try:
        if STARTED.fullmatch(text) and datetime.fromisoformat(text):
            return text
    except ValueError:  # as of a thirteenth month
        pass
    raise WrongError("started is no time")


def _exit(row: Any) -> Ended | None:
    if row is None:
        return None
    code, signal = ENDED.values(row)
    if (code is None) == (signal is None):
        raise WrongError("an end is no end")
    return Ended(code, signal)


def _host(row: Any) -> HostReport:
    host, command, started, duration, exit, complete, rank, file, totals = HOST.values(row)
    return HostReport(
        host,
        rank,
        file,
        texts(command, "command"),
        _moment(started),
        duration,
        _exit(exit),
        complete,
        Totals(*TOTALS.values(totals)),
    )


def _bytes(told: Mapping[str, Any], name: str, known: frozenset[str]) -> dict[str, Bytes]:
    found = {key: Bytes(*BYTES.values(row)) for key, row in pairs(told[name], name)}
    if not found.keys() <= known:
        raise WrongError(f"{name} has a name that there is not")
    return found


def _syscall(row: Any) -> SyscallReport:
    return SyscallReport(*(*SYSCALL.values(row), counts(row.get("errnos", {}), "errnos")))


def _peer(row: Any) -> PeerReport:
    *values, names = PEER.values(row)
    return PeerReport(*(*values, texts(names, "names")))


def _connect(row: Any) -> ConnectReport:
    *values, errnos, average, longest, names = CONNECT.values(row)
    return ConnectReport(*(*values, counts(errnos, "errnos"), average, longest, texts(names, "names")))


def _process(row: Any, count: int) -> ProcessReport:
    pid, ppid, name, argv, started, ended, exit, sent, received, threads = PROCESS.values(row)
    told = tuple(ThreadReport(*THREAD.values(thread)) for thread in threads)
    if not told:
        raise WrongError("a process has no threads")
    words, source = texts(argv, "argv"), _source(row, count)
    return ProcessReport(pid, ppid, name, words, started, ended, _exit(exit), sent, received, told, source)


def _socket(row: Any, count: int) -> SocketReport:
    (
        number, inode, family, kind, protocol, local, peer, scope, opened, closed, pids, sent, received, peeked,
        calls_sent, calls_received, tcp, audit, direction, local_address, local_port, peer_address, peer_port,
        connect, duration, name,
    ) = SOCKET.values(row)  # fmt: skip
    folded = _optional(row, "folded") if "folded" in row else 0
    return SocketReport(
        number, inode, intern(family), intern(kind), _interned(protocol), local, peer, intern(scope), opened, closed,
        _pids(pids), sent, received, peeked, calls_sent, calls_received,
        None if tcp is None else TcpReport(*TCP.values(tcp)), intern(audit), folded or 0, intern(direction),
        _interned(local_address), local_port, _interned(peer_address), peer_port, connect, duration, name,
        _source(row, count) if count else None,
    )  # fmt: skip


def _interned(text: str | None) -> str | None:
    """The same object for the same text: of the addresses of many sockets most are one of a few."""
    return None if text is None else intern(text)


def _pids(pids: list[Any]) -> tuple[int, ...]:
    if not all(type(pid) is int and 0 < pid < 1 << 31 for pid in pids):
        raise WrongError("pids are no process ids")
    return tuple(pids)
