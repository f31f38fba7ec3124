# SPDX-License-Identifier: GPL-2.0-or-later
"""The page's parts, in the order in which they matter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from ptmon.outputs.html.parts import Cell, plain, section, table, tag
from ptmon.outputs.html.tree import in_order
from ptmon.outputs.summary_rows import in_brackets, kind, peer_rows
from ptmon.outputs.verdicts import audit, how_it_ended, place, said_of, speed, title, waited
from ptmon.report import ProcessReport, Report, SocketReport, Totals
from ptmon.text import counted, duration, size

COMMAND_MOST = 2000
"""Letters."""
DEEPEST = 12
"""Steps by which a process can be moved in."""
NOTES_MOST = 50
LARGE, MIDDLE, SMALL = 450_000, 200_000, 80_000
"""Bytes of a table's HTML."""


def sections(report: Report, units: str) -> Iterator[str]:
    """All that stands in the body."""
    page = Page(report, units)
    yield page.head()
    yield section("time", "Traffic over time", page.chart())
    yield section("hosts", "Hosts", page.hosts())
    yield section("processes", "Processes", page.processes())
    yield section("threads", "Threads", page.threads())
    yield section("peers", "Peers", page.peers())
    yield section("sockets", "Sockets", page.sockets())
    yield section("calls", "System calls", page.calls())
    yield section("families", "Families and scopes", page.families())
    yield section("denied", "Denied calls", page.denied())
    yield section("speed", "How calls were counted", page.speed())


class Page:
    """A report, and the units that it is told in."""

    def __init__(self, report: Report, units: str) -> None:
        self.report = report
        self.units = units

    def head(self) -> str:
        """What was traced, how it ended, and the totals."""
        report = self.report
        verdict = tag("span", "complete", "good") if report.complete else tag("span", "NOT COMPLETE", "bad")
        where = place(report) if report.hosts else ", ".join(filter(None, (report.header.host, place(report))))
        facts = (plain(where), plain(report.header.started), duration(report.duration_s))
        command = plain(title(report), COMMAND_MOST)
        lines = [tag("h1", f"<code>{command}</code>")]
        lines.append(tag("p", " · ".join([*facts, plain(how_it_ended(report)), verdict]), "facts"))
        lines += self._notes()
        lines.append(self._tiles())
        return tag("header", "\n".join(lines)) + "\n"

    def _notes(self) -> list[str]:
        """The audit, and what is missing."""
        lines = [tag("p", said, "note")] if (said := waited(self.report)) else []
        lines += [tag("p", plain(said_of(self.report, row)), "note") for row in self.report.warnings[:NOTES_MOST]]
        if (more := len(self.report.warnings) - NOTES_MOST) > 0:
            lines.append(tag("p", f"… and {more:,} more notes", "note"))
        said, verdict = audit(self.report)
        return [*lines, tag("p", said, f"audit {verdict}")] if said else lines

    def _tiles(self) -> str:
        totals, rates = self.report.totals, self.report.rates
        tiles = []
        for name, count, calls in (
            ("sent", totals.sent, totals.calls_sent),
            ("received", totals.received, totals.calls_received),
        ):
            rate = rates[name]
            said = [f"{count:,} bytes in {calls:,} calls", f"{self._size(rate.average)}/s on average"]
            if not rate.even and rate.max is not None and rate.min is not None:
                said.append(f"{self._size(rate.max)}/s at most, {self._size(rate.min)}/s at least")
            tiles.append(_tile(name, self._size(count), said))
        said = [f"{totals.errors:,} failed"]
        if totals.peeked:
            said.append(f"{self._size(totals.peeked)} peeked, not in the totals")
        tiles.append(_tile("calls", f"{totals.calls_sent + totals.calls_received:,}", said))
        return tag("div", "".join(tiles), "tiles")

    def chart(self) -> str:
        """What the script draws; the points are numbers alone."""
        points = [(round(moment, 6), sent, received) for moment, sent, received in self.report.history]
        if len(points) < 2 or not (points[-1][1] or points[-1][2]):
            return ""
        data = json.dumps({"units": self.units, "points": points}, separators=(",", ":"))
        buttons = (("in", "+", "closer"), ("out", "−", "wider"), ("left", "←", "earlier"), ("right", "→", "later"))
        made = "".join(
            f'<button type="button" data-zoom="{name}" title="{title}" aria-label="{title}">{sign}</button>'
            for name, sign, title in buttons
        )
        return (
            '<div id="chart" role="img" aria-label="bytes per second over time"></div>\n'
            f'<p id="zoom">{made}<button type="button" data-zoom="all">whole run</button>'
            '<output id="told">Select a part to see it closer.</output></p>\n'
            "<noscript><p>The chart wants scripts to run in this page.</p></noscript>\n"
            f'<script type="application/json" id="history">{data}</script>\n'
        )

    def hosts(self) -> str:
        """The runs that a merged report is made of."""
        cells = (
            (
                Cell(row.host, way="wide"),
                Cell("" if row.rank is None else str(row.rank), -1 if row.rank is None else row.rank),
                *self._bytes(row.totals.sent, row.totals.received),
                _calls(row.totals),
                Cell("complete" if row.complete else "NOT COMPLETE"),
                Cell(row.file, way="wide"),
            )
            for row in self.report.hosts
        )
        heads = ("Host", "#Rank", "#Sent", "#Received", "#Calls", "Verdict", "File")
        return table(heads, cells, MIDDLE, "runs")

    def processes(self) -> str:
        """The tree."""
        heads = ("Process", "#PID", "#Sent", "#Received", "#Threads", "#From", "#To", "End")
        return table(heads, map(self._process, in_order(self.report.processes)), LARGE, "processes", "tree")

    def _process(self, row: tuple[int, ProcessReport]) -> Sequence[Cell]:
        depth, process = row
        return (
            Cell(
                process.name + in_brackets(self.report.label(process.source) or None),
                note=" ".join(process.argv),
                way=f"wide d{min(depth, DEEPEST)}",
            ),
            Cell(str(process.pid), process.pid),
            *self._bytes(process.sent, process.received),
            Cell(str(len(process.threads)), len(process.threads)),
            _time(process.started_s),
            _time(process.ended_s),
            Cell(_end(process)),
        )

    def threads(self) -> str:
        """Of processes that have more than one."""
        rows = [
            (thread, process)
            for process in self.report.processes
            if len(process.threads) > 1
            for thread in process.threads
        ]
        rows.sort(key=lambda row: -row[0].sent - row[0].received)
        cells = (
            (
                Cell(thread.name, way="wide"),
                Cell(str(thread.tid), thread.tid),
                Cell(str(process.pid), process.pid),
                *self._bytes(thread.sent, thread.received),
            )
            for thread, process in rows
        )
        return table(("Thread", "#TID", "#PID", "#Sent", "#Received"), cells, MIDDLE, "threads")

    def peers(self) -> str:
        """By host, whatever the port."""
        cells = (
            (
                Cell(row.name, way="wide"),
                Cell(row.middle, int(row.middle.replace(",", ""))),
                *self._bytes(row.sent, row.received),
            )
            for row in peer_rows(self.report)
        )
        return table(("Peer", "#Sockets", "#Sent", "#Received"), cells, MIDDLE, "peers")

    def sockets(self) -> str:
        """Each socket, and what the kernel says of it."""
        heads = ("Kind", "Local", "Peer", "Scope", "PID", "#Sent", "#Received", "#Calls", "#From", "#To", "Audit")
        rows = sorted(self.report.sockets, key=lambda row: (row.folded > 0, -row.sent - row.received))
        return table(heads, map(self._socket, rows), LARGE, "sockets", "dense")

    def _socket(self, row: SocketReport) -> Sequence[Cell]:
        calls = row.calls_sent + row.calls_received
        local = counted(row.folded, "closed socket") if row.folded else row.local or ""
        if not local and not row.peer and row.inode:
            local = f"[{row.inode}]"
        return (
            Cell(kind(row), note=self.report.label(row.source)),
            Cell(local, way="wide"),
            Cell((row.peer or "") + in_brackets(row.peer_name), way="wide"),
            Cell(row.scope),
            Cell(", ".join(map(str, row.pids))),
            *self._bytes(row.sent, row.received),
            Cell(f"{calls:,}", calls),
            _time(row.opened_s),
            _time(row.closed_s),
            Cell(row.audit if row.protocol == "tcp" else "", note=self._kernel(row), way=f"audit {row.audit}"),
        )

    def _kernel(self, row: SocketReport) -> str:
        if row.tcp is None:
            return ""
        said = [f"rtt {row.tcp.rtt_us / 1000:.3g} ms"]
        if row.tcp.retransmitted:
            said.append(f"{self._size(row.tcp.retransmitted)} retransmitted")
        if row.audit == "differ":
            said.insert(0, f"kernel: sent {row.tcp.bytes_sent:,}, received {row.tcp.bytes_received:,}")
        return ", ".join(said)

    def calls(self) -> str:
        """By system call, with the errors."""
        rows = sorted(self.report.by_syscall.items(), key=lambda item: (-item[1].bytes, -item[1].calls, item[0]))
        cells = (
            (
                Cell(name),
                Cell(f"{row.calls:,}", row.calls),
                Cell(f"{row.errors:,}", row.errors),
                Cell(", ".join(f"{word} {count:,}" for word, count in row.errnos.items()), way="wide"),
                Cell(self._size(row.bytes), row.bytes),
            )
            for name, row in rows
        )
        return table(("Call", "#Calls", "#Failed", "Errors", "#Bytes"), cells, SMALL, "calls")

    def families(self) -> str:
        """By family and by scope: the same bytes twice."""
        report = self.report
        rows = [("family", *row) for row in report.by_family.items()] + [
            ("scope", *row) for row in report.by_scope.items()
        ]
        cells = ((Cell(sort), Cell(name), *self._bytes(row.sent, row.received)) for sort, name, row in rows)
        return table(("By", "Name", "#Sent", "#Received"), cells, SMALL, "rows")

    def denied(self) -> str:
        """Calls that were not made."""
        cells = (
            (Cell(row.rule, way="wide"), Cell(row.syscall), Cell(row.errno), Cell(f"{row.calls:,}", row.calls))
            for row in self.report.denied
        )
        return table(("Rule", "Call", "Error", "#Calls"), cells, SMALL, "rows")

    def speed(self) -> str:
        """Inside the program or at stops: it makes a difference to its speed, to no figure."""
        path, rows = self.report.path, self.report.fallbacks
        if not (path.fast or rows):
            return ""
        cells = (
            (Cell(str(row.pid), row.pid, note=self.report.label(row.source)), Cell(row.reason, way="wide"))
            for row in rows
        )
        return tag("p", plain(speed(path.fast, path.stop)) + ".") + table(
            ("#PID", "Why at stops"), cells, SMALL, "processes"
        )

    def _bytes(self, *counts: int) -> Iterable[Cell]:
        return (Cell(self._size(count), count) for count in counts)

    def _size(self, count: float) -> str:
        return size(count, self.units)


def _tile(name: str, figure: str, said: Iterable[str]) -> str:
    small = "".join(tag("small", plain(line)) for line in said)
    return tag("div", f"{tag('h3', name)}<b>{figure}</b>{small}", f"tile {name}")


def _calls(totals: Totals) -> Cell:
    calls = totals.calls_sent + totals.calls_received
    return Cell(f"{calls:,}", calls)


def _time(moment: float | None) -> Cell:
    """Seconds since the start; what has not ended comes last."""
    return Cell("", float("inf")) if moment is None else Cell(f"{moment:.3f} s", moment)


def _end(process: ProcessReport) -> str:
    if process.exit is None:
        return ""
    if process.exit.signal is not None:
        return f"signal {process.exit.signal}"
    return f"exit {process.exit.code}"
