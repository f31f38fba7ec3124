# SPDX-License-Identifier: GPL-2.0-or-later
"""What the summary says of connections: those that were not made, and how long the others lasted."""

from __future__ import annotations

from collections.abc import Iterator

from ptmon.outputs.summary_rows import in_brackets, lifetime, socket_name
from ptmon.outputs.summary_table import Table
from ptmon.report import ConnectReport, Report
from ptmon.text import duration, printable, size


def unconnected(row: ConnectReport) -> Iterator[str]:
    """``connect: 3 failed (ECONNREFUSED) -> 127.0.0.1:1``, a line for each way in which there was no connection."""
    peer = printable(row.peer) + in_brackets(*row.names) if row.peer else "(address unknown)"
    if row.failed:
        said = [f"{name} {count:,}" if count != row.failed else name for name, count in row.errnos.items()]
        if unseen := row.failed - sum(row.errnos.values()):
            said.append(f"why was not seen {unseen:,}" if unseen != row.failed else "why was not seen")
        yield f"connect: {row.failed:,} failed ({', '.join(said)}) -> {peer}"
    if row.abandoned:
        yield f"connect: {row.abandoned:,} closed while in progress -> {peer}"
    if row.in_progress:
        yield f"connect: {row.in_progress:,} in progress, and what became of it was not seen -> {peer}"


def connection_table(report: Report, top: int, units: str) -> Table | None:
    """TCP connections, the longest first: their times, and the bytes that were sent again. None: there are none.

    Folded ones have no times of their own.
    """
    sockets = [row for row in report.sockets if row.protocol == "tcp" and row.peer and not row.folded]
    if not sockets:
        return None
    table = Table("by tcp connection", ("connect", "duration", "rtt", "sent again"))
    for row in sorted(sockets, key=lambda row: -lifetime(report, row))[:top]:
        connect = "" if row.connect_s is None else span(row.connect_s)
        life = "open" if row.duration_s is None else span(row.duration_s)
        rtt, again = ("", "") if row.tcp is None else (span(row.tcp.rtt_us / 1e6), size(row.tcp.retransmitted, units))
        table.add(printable(socket_name(row)), connect, life, rtt, again)
    if (more := len(sockets) - top) > 0:
        table.add(f"… and {more:,} more connections", "", "", "", "", style="dim")
    return table


def span(seconds: float) -> str:
    """``0.021 ms``, ``3.40 s``."""
    return f"{seconds * 1000:.3f} ms" if seconds < 1 else duration(seconds)
