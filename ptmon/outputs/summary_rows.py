# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of the summary's tables: what a report holds, by process, by peer and by socket, the busiest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ptmon.frozen import dataclass
from ptmon.report import HostReport, ProcessReport, Report, SocketReport
from ptmon.text import counted

NAMES_SHOWN = 3
"""Of one address."""


@dataclass(frozen=True, slots=True)
class Row:
    """A name, what stands between, and bytes."""

    name: str
    middle: str
    sent: int
    received: int
    count: int = 1
    """How many it stands for: many where closed sockets are folded."""
    calls: int = 0
    duration: float = 0.0
    """Seconds; of many sockets that of the longest."""


def host_rows(report: Report, sort: str | None = None) -> list[Row]:
    """By host, of a merged report: each host is a row, whatever runs there were on it."""
    return _runs(report, sort, lambda run: (run.host, ""))


def rank_rows(report: Report, sort: str | None = None) -> list[Row]:
    """By rank, of a merged report: a row for each rank of each host."""
    return _runs(report, sort, lambda run: (run.host, "" if run.rank is None else str(run.rank)))


def _runs(report: Report, sort: str | None, key: Callable[[HostReport], tuple[str, str]]) -> list[Row]:
    sums: dict[tuple[str, str], list[float]] = {}
    for run in report.hosts:
        row = sums.setdefault(key(run), [0] * 5)
        row[0] += 1
        row[1] += run.totals.sent
        row[2] += run.totals.received
        row[3] += run.totals.calls_sent + run.totals.calls_received
        row[4] = max(row[4], run.duration_s)
    rows = (
        Row(host, rank or f"{runs:,}", int(sent), int(got), calls=int(calls), duration=longest)
        for (host, rank), (runs, sent, got, calls, longest) in sums.items()
    )
    return _sorted(rows, sort)


def process_rows(report: Report) -> list[Row]:
    """By process."""
    return _sorted(Row(_process_name(report, row), str(row.pid), row.sent, row.received) for row in report.processes)


def socket_rows(report: Report, sort: str | None = None) -> list[Row]:
    """By socket, folded ones last; of many owners their number is said."""
    return _sorted(
        (
            Row(
                _socket_of(report, row),
                _owners(row),
                row.sent,
                row.received,
                row.folded or 1,
                row.calls_sent + row.calls_received,
                lifetime(report, row),
            )
            for row in report.sockets
        ),
        sort,
    )


def peer_rows(report: Report, sort: str | None = None) -> list[Row]:
    """By peer's host, whatever the port; a unix socket by its path."""
    sums: dict[str, list[int]] = {}
    longest: dict[str, float] = {}
    called: dict[str, dict[str, None]] = {}
    for socket in report.sockets:
        name = f"{kind(socket)}  {_host(socket)}"
        total = sums.setdefault(name, [0, 0, 0, 0])
        total[0] += socket.folded or 1
        total[1] += socket.sent
        total[2] += socket.received
        total[3] += socket.calls_sent + socket.calls_received
        called.setdefault(name, {}).update({} if socket.peer_name is None else {socket.peer_name: None})
        longest[name] = max(longest.get(name, 0.0), lifetime(report, socket))
    rows = (
        Row(
            name + in_brackets(*called[name]),
            f"{total[0]:,}",
            total[1],
            total[2],
            calls=total[3],
            duration=longest[name],
        )
        for name, total in sums.items()
    )
    return _sorted(rows, sort)


def lifetime(report: Report, socket: SocketReport) -> float:
    """Seconds; of a socket that is open until the report's end."""
    return max((report.duration_s if socket.closed_s is None else socket.closed_s) - socket.opened_s, 0.0)


def _socket_of(report: Report, socket: SocketReport) -> str:
    label = report.label(socket.source)
    return f"{label}  {socket_name(socket)}" if label else socket_name(socket)


def socket_name(socket: SocketReport) -> str:
    """``tcp  :8080 ⇄ 127.0.0.1:50000 (localhost)``: of the local end its port, for the rest is seldom news."""
    if socket.family in ("inet", "inet6"):
        if socket.folded:
            return f"{kind(socket)}  {socket.peer or '(any)'}: {socket.folded:,} closed sockets"
        port = f":{socket.local.rpartition(':')[2]} " if socket.local else ""
        return f"{kind(socket)}  {port}⇄ {socket.peer or '(any)'}{in_brackets(socket.peer_name)}"
    ends = [end for end in (socket.local, socket.peer) if end]
    if not ends and socket.inode:
        ends = [f"[{socket.inode}]"]
    return f"{kind(socket)}  {' ⇄ '.join(ends)}"


def in_brackets(*names: str | None) -> str:
    """`` (example.org, www.example.org)``: a peer's names, which follow its address; of many the first."""
    known = [name for name in names if name is not None]
    if not known:
        return ""
    return f" ({', '.join(known[:NAMES_SHOWN])}{', …' if len(known) > NAMES_SHOWN else ''})"


def _sorted(rows: Iterable[Row], sort: str | None = None) -> list[Row]:
    """The most first, and what stands for many last."""

    def key(row: Row) -> float:
        most: float = row.sent + row.received if sort is None else getattr(row, sort)
        return most

    return sorted(rows, key=lambda row: (row.count > 1, -key(row)))


def _process_name(report: Report, process: ProcessReport) -> str:
    threads = len(process.threads)
    facts = [fact for fact in (report.label(process.source), counted(threads, "thread") if threads > 1 else "") if fact]
    return f"{process.name}  ({', '.join(facts)})" if facts else process.name


def _owners(socket: SocketReport) -> str:
    if len(socket.pids) > 1:
        return f"{len(socket.pids)} pids"
    return str(socket.pids[0]) if socket.pids else ""


def kind(socket: SocketReport) -> str:
    if socket.family in ("inet", "inet6"):
        return socket.protocol or socket.family
    if not socket.id:
        return "unknown"
    return f"{socket.family} {socket.protocol if socket.family == 'netlink' else socket.type}"


def _host(socket: SocketReport) -> str:
    peer = socket.peer or socket.local
    if peer is None:
        return "(unnamed)" if socket.id else ""
    if socket.family not in ("inet", "inet6") or socket.folded:
        return peer
    return peer.rpartition(":")[0]
