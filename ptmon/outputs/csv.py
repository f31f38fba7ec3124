# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as CSV (RFC 4180, but that lines end by a newline alone): a header line, then one row a socket.

The columns are the members of ``sockets`` in the JSON report. ``pids`` are separated by spaces, the kernel's counters
have columns of their own (``tcp_…``), and what is not known is empty. ``folded`` is above 0 where one row stands for so
many closed sockets of a peer. The sums of ``sent`` and ``received`` are the report's totals. In a merged report
the last columns say which run a socket is of: its place in ``hosts``, its host and its rank.
"""

from __future__ import annotations

import csv

from ptmon.outputs.report_output import Style
from ptmon.report import Report, SocketReport, TcpReport
from ptmon.static import Any, TextIO
from ptmon.text import printable

TCP = tuple(TcpReport.__slots__)
LATER = (
    "direction",
    "local_address",
    "local_port",
    "peer_address",
    "peer_port",
    "connect_s",
    "duration_s",
    "peer_name",
)
"""Columns that came later: they stand last, so that those before keep their places."""
COLUMNS = (
    *(name for name in SocketReport.__slots__ if name not in ("tcp", "audit", "folded", "source", *LATER)),
    *(f"tcp_{name}" for name in TCP),
    "audit",
    "folded",
    *LATER,
)
SOURCE = ("source", "host", "rank")
"""Columns of a merged report."""


def write_report(report: Report, file: TextIO, style: Style) -> None:
    """Writes the rows; ``style`` is for people and changes nothing here."""
    writer = csv.DictWriter(file, (*COLUMNS, *(SOURCE if report.hosts else ())), lineterminator="\n")
    writer.writeheader()
    shown = printable if file.isatty() else str
    for socket in report.sockets:
        # What a program has named its sockets may hold control characters, which a terminal would obey.
        row = _row(socket) | _source(report, socket)
        writer.writerow({name: shown(value) if isinstance(value, str) else value for name, value in row.items()})


def _row(socket: SocketReport) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(socket, name, None) for name in COLUMNS}
    row["pids"] = " ".join(map(str, socket.pids))
    if socket.tcp is not None:
        row.update({f"tcp_{name}": getattr(socket.tcp, name) for name in TCP})
    return row


def _source(report: Report, socket: SocketReport) -> dict[str, Any]:
    if socket.source is None:
        return {}
    host = report.hosts[socket.source]
    return {"source": socket.source, "host": host.host, "rank": host.rank}
