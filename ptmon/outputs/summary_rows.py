# SPDX-License-Identifier: GPL-2.0-only
"""The rows of the summary's tables: what a report holds, by process, by peer and by socket, the busiest first."""

from __future__ import annotations

from collections.abc import Iterable

from ptmon.frozen import dataclass
from ptmon.report import ProcessReport, Report, SocketReport
from ptmon.text import counted


@dataclass(frozen=True, slots=True)
class Row:
    """A name, what stands between, and bytes."""

    name: str
    middle: str
    sent: int
    received: int
    count: int = 1
    """How many it stands for: many where closed sockets are folded."""


def process_rows(report: Report) -> list[Row]:
    """By process."""
    return _sorted(Row(_process_name(row), str(row.pid), row.sent, row.received) for row in report.processes)


def socket_rows(report: Report) -> list[Row]:
    """By socket, folded ones last; of many owners their number is said."""
    return _sorted(
        Row(socket_name(row), _owners(row), row.sent, row.received, row.folded or 1) for row in report.sockets
    )


def peer_rows(report: Report) -> list[Row]:
    """By peer's host, whatever the port; a unix socket by its path."""
    sums: dict[str, list[int]] = {}
    for socket in report.sockets:
        total = sums.setdefault(f"{kind(socket)}  {_host(socket)}", [0, 0, 0])
        total[0] += socket.folded or 1
        total[1] += socket.sent
        total[2] += socket.received
    return _sorted(Row(name, f"{total[0]:,}", total[1], total[2]) for name, total in sums.items())


def socket_name(socket: SocketReport) -> str:
    """``tcp  :8080 ⇄ 127.0.0.1:50000``: of the local end its port, for the rest is seldom news."""
    if socket.family in ("inet", "inet6"):
        if socket.folded:
            return f"{kind(socket)}  {socket.peer or '(any)'}: {socket.folded:,} closed sockets"
        port = f":{socket.local.rpartition(':')[2]} " if socket.local else ""
        return f"{kind(socket)}  {port}⇄ {socket.peer or '(any)'}"
    ends = [end for end in (socket.local, socket.peer) if end]
    if not ends and socket.inode:
        ends = [f"[{socket.inode}]"]
    return f"{kind(socket)}  {' ⇄ '.join(ends)}"


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.count > 1, -row.sent - row.received))


def _process_name(process: ProcessReport) -> str:
    threads = len(process.threads)
    return process.name if threads < 2 else f"{process.name}  ({counted(threads, 'thread')})"


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
