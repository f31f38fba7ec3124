# SPDX-License-Identifier: GPL-2.0-only
"""The report for people: 50 to 100 columns, by rich, which is loaded when the report is made and not before."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from ptmon.outputs.report_output import Style
from ptmon.outputs.summary_rows import Row, peer_rows, process_rows, socket_rows
from ptmon.report import Report
from ptmon.static import TYPE_CHECKING, TextIO
from ptmon.text import counted, duration, printable, size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

TOP = 10
"""Rows of a table; what is beyond is summed up in one."""
ASCII = str.maketrans({"…": "~", "⇄": "-", "·": "-", "’": "'"})
NUMBER = 11
"""Columns that a number takes: 1023.9 KiB, and a space."""


def write_report(report: Report, file: TextIO, style: Style) -> None:
    """Writes the summary, in colours if ``style`` and the terminal say so."""
    import io

    from rich.console import Console

    color = in_color(style.color, file)
    console = Console(
        file=io.StringIO(),
        width=width(file),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
    )
    Summary(report, style.units, console).print()
    assert isinstance(console.file, io.StringIO)
    lines = (line.rstrip() for line in console.file.getvalue().splitlines())
    text = "\n".join([*lines, ""])
    file.write(text if file.encoding.lower().startswith("utf") else text.translate(ASCII))


def in_color(when: str, file: TextIO) -> bool:
    """--color, NO_COLOR (https://no-color.org) and TERM."""
    if when != "auto":
        return when == "always"
    return file.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def width(file: TextIO) -> int:
    """Columns: those of the terminal, if it is neither too narrow for a table nor too wide to read."""
    try:
        columns = os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError):
        columns = 80
    return min(max(columns, 50), 100)


class Summary:
    """Lays a report out."""

    def __init__(self, report: Report, units: str, console: Console) -> None:
        self.report = report
        self.units = units
        self.console = console

    def print(self) -> None:
        """Everything, in the order in which it matters."""
        self._headline()
        self._totals()
        self._rates()
        self._by("process", "pid", process_rows(self.report), "processes")
        sockets = socket_rows(self.report)
        if sum(row.count for row in sockets) > TOP:
            self._by("peer", "sockets", peer_rows(self.report), "peers")
        self._by("socket", "pid", sockets, "sockets")
        self._syscalls()
        self._denied()
        self._verdicts()
        self._path()

    def _headline(self) -> None:
        report = self.report
        verdict = ("complete", "green") if report.complete else ("NOT COMPLETE", "bold red")
        facts = f" · {duration(report.duration_s)} · {how_it_ended(report)} · "
        room = self.console.width - len("ptmon: ") - len(facts) - len(verdict[0])
        command = printable(" ".join(report.command))
        if len(command) > room:
            command = command[: max(room - 1, 0)] + "…"
        self._line(("ptmon: ", "bold"), (command, "bold cyan"), (facts, ""), verdict)
        if report.header.waited is not None:
            delay = round(report.header.waited.attach_delay_s * 1000)
            missed = "what it moved before that is not counted"
            self._line((f"attached at most {max(delay, 1):,} ms after its start; {missed}", "dim"))

    def _totals(self) -> None:
        totals = self.report.totals
        table = self._table("payload bytes", "sent", "received")
        table.add_row("total", self._size(totals.sent), self._size(totals.received), style="bold")
        if len(self.report.by_scope) > 1 or "unknown" not in self.report.by_scope:
            for name, row in self.report.by_scope.items():
                table.add_row(f"  {name}", self._size(row.sent), self._size(row.received))
        table.add_row("calls", f"{totals.calls_sent:,}", f"{totals.calls_received:,}")
        self._print(table)
        if totals.peeked:
            self._line((f"peeked, and not in it: {self._size(totals.peeked)}", "dim"))

    def _rates(self) -> None:
        if not (self.report.totals.sent or self.report.totals.received):
            return
        table = self._table("bytes per second", "max", "average", "min")
        for name, label in (("received", "rx"), ("sent", "tx")):
            rate = self.report.rates[name]
            table.add_row(
                f"{label}  {name}", *(f"{self._size(value)}/s" for value in (rate.max, rate.average, rate.min))
            )
        self._print(table)

    def _by(self, title: str, middle: str, rows: Sequence[Row], plural: str) -> None:
        if not rows:
            return
        table = self._table(f"by {title}", middle, "sent", "received")
        for row in rows[:TOP]:
            table.add_row(printable(row.name), row.middle, self._size(row.sent), self._size(row.received))
        if rest := rows[TOP:]:
            sent, received = sum(row.sent for row in rest), sum(row.received for row in rest)
            name = f"… and {sum(row.count for row in rest):,} more {plural}"
            table.add_row(name, "", self._size(sent), self._size(received), style="dim")
        self._print(table)

    def _syscalls(self) -> None:
        rows = sorted(self.report.by_syscall.items(), key=lambda item: (-item[1].bytes, -item[1].calls, item[0]))
        if not rows:
            return
        table = self._table("by system call", "calls", "failed", "bytes")
        for name, row in rows:
            errors = ", ".join(f"{word} {count:,}" for word, count in islice(row.errnos.items(), 3))
            label = f"{name}  ({errors})" if errors else name
            table.add_row(label, f"{row.calls:,}", f"{row.errors:,}", self._size(row.bytes))
        self._print(table)

    def _denied(self) -> None:
        rows = self.report.denied
        if not rows:
            return
        table = self._table("denied", "calls")
        for row in rows[:TOP]:
            named = row.syscall if row.errno in row.rule else f"{row.syscall}, {row.errno}"
            table.add_row(f"{printable(row.rule)}  ({named})", f"{row.calls:,}")
        if rest := rows[TOP:]:
            table.add_row(f"… and {len(rest):,} more", f"{sum(row.calls for row in rest):,}", style="dim")
        self._print(table)

    def _verdicts(self) -> None:
        """The audit, and what is missing."""
        audits: Counter[str] = Counter()
        for socket in self.report.sockets:
            if socket.protocol == "tcp":
                audits[socket.audit] += socket.folded or 1
        if total := audits.total():
            agree, differ = audits["match"], audits["differ"]
            sockets = "socket" if total == 1 else "sockets"
            said = f"audit: the kernel's TCP counters agree on {agree:,} of {total:,} {sockets}"
            if differ:
                said += f", differ on {differ:,}"
            if unread := audits["unavailable"]:
                said += f", could not be compared on {unread:,}"
            self._line((said, "red" if differ else "green" if agree else "dim"), before=True)
        for warning in self.report.warnings[:TOP]:
            self._line((f"note: {warning.message}", "yellow"))
        if (more := len(self.report.warnings) - TOP) > 0:
            self._line((f"… and {counted(more, 'note')} more", "dim"))

    def _path(self) -> None:
        """How calls were seen, where that is news: it makes a difference to the program's speed, to no figure."""
        path, fallbacks = self.report.path, self.report.fallbacks
        if not (path.fast or fallbacks):
            return
        said = f"calls: {path.fast:,} counted inside the program, {path.stop:,} at stops"
        self._line((said, "dim"), before=True)
        for row in fallbacks[:TOP]:
            self._line((f"process {row.pid} at stops: {row.reason}", "dim"))
        if (more := len(fallbacks) - TOP) > 0:
            self._line((f"… and {more:,} more at stops", "dim"))

    def _size(self, count: int) -> str:
        return size(count, self.units)

    def _table(self, title: str, *numbers: str) -> Table:
        from rich.table import Table

        table = Table(box=None, expand=True, pad_edge=False, header_style="underline", padding=(0, 0, 0, 1))
        table.add_column(title, ratio=1, no_wrap=True, overflow="ellipsis")
        for name in numbers:
            table.add_column(name, min_width=NUMBER, justify="right", no_wrap=True)
        return table

    def _print(self, what: RenderableType) -> None:
        self.console.print()
        self.console.print(what)

    def _line(self, *parts: tuple[str, str], before: bool = False) -> None:
        from rich.text import Text

        if before:
            self.console.print()
        self.console.print(Text.assemble(*parts), soft_wrap=False)


def how_it_ended(report: Report) -> str:
    """``exit 0``, ``killed by SIGSEGV``, ``detached`` or ``still running``."""
    if report.exit is None:
        return "still running" if report.header.mode == "launch" else "detached"
    if report.exit.signal is None:
        return f"exit {report.exit.code}"
    try:
        return f"killed by {signal.Signals(report.exit.signal).name}"
    except ValueError:
        return f"killed by signal {report.exit.signal}"
