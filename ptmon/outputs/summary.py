# SPDX-License-Identifier: GPL-2.0-or-later
"""The report for people, as wide as the terminal, by rich, which is loaded when the report is made and not before."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from ptmon.defaults import TOP
from ptmon.outputs.report_output import Style
from ptmon.outputs.summary_connections import connection_table, unconnected
from ptmon.outputs.summary_rows import Row, host_rows, in_brackets, peer_rows, process_rows, rank_rows, socket_rows
from ptmon.outputs.summary_table import Table, broken, table_width
from ptmon.outputs.verdicts import audit, how_it_ended, place, said_of, speed, title, waited
from ptmon.report import Report
from ptmon.static import TYPE_CHECKING, TextIO
from ptmon.text import counted, duration, printable, size

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

ASCII = str.maketrans({"…": "~", "⇄": "-", "·": "-", "’": "'"})
COLUMNS = 80
"""Where there is no terminal, or one that does not tell."""
NARROWEST = 40
"""Columns that a table's numbers take, and a little more."""
COMMAND_MOST = 2000
"""Letters of the command that are shown, which may be a thousand files' names; a JSON report has them all."""


def write_report(report: Report, file: TextIO, style: Style) -> None:
    """Writes the summary, in colours if ``style`` and the terminal say so."""
    with printing(file, style) as console:
        Summary(report, style, console).print()


@contextmanager
def printing(file: TextIO, style: Style) -> Iterator[Console]:
    """A console; what was printed on it is written at the end, and without blanks at the ends of lines."""
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
    yield console
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
    """Columns: those of the terminal, if it is not too narrow for a table."""
    try:
        columns = os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(columns or COLUMNS, NARROWEST)


class Summary:
    """Lays a report out."""

    def __init__(self, report: Report, style: Style, console: Console) -> None:
        self.report = report
        self.units = style.units
        self.style = style
        self.console = console
        self._said: list[Table | Text] = []
        """What is printed when all of it is known: the tables are of one width."""

    def print(self) -> None:
        """Everything, in the order in which it matters."""
        self._headline()
        self._totals()
        self._rates()
        top, sort = self.style.top, self.style.sort
        self._by("host", "runs", host_rows(self.report, sort), "hosts", top)
        if any(row.rank is not None for row in self.report.hosts):
            self._by("rank", "rank", rank_rows(self.report, sort), "ranks", top)
        self._by("process", "pid", process_rows(self.report), "processes", TOP)
        sockets = socket_rows(self.report, sort)
        if sum(row.count for row in sockets) > top:
            self._by("peer", "sockets", peer_rows(self.report, sort), "peers", top)
        self._by("socket", "pid", sockets, "sockets", top)
        if sort == "duration" and (table := connection_table(self.report, top, self.units)) is not None:
            self._said.append(table)
        self._syscalls()
        self._connects()
        self._denied()
        self._verdicts()
        self._path()
        columns = table_width((one for one in self._said if isinstance(one, Table)), self.console.width)
        for one in self._said:
            if isinstance(one, Table):
                for line in ("", *one.lines(columns)):
                    self.console.print(line, soft_wrap=True)
            else:
                self.console.print(one, soft_wrap="\n" in one.plain)

    def _headline(self) -> None:
        from rich.text import Text

        report = self.report
        verdict = ("complete", "green") if report.complete else ("NOT COMPLETE", "bold red")
        rank = f" · {where}" if (where := place(report)) else ""
        facts = (f"{rank} · {duration(report.duration_s)}", f" · {how_it_ended(report)}", " · ")
        command = printable(title(report))
        if len(command) > COMMAND_MOST:
            command = command[: COMMAND_MOST - 1] + "…"
        head = Text.assemble(("ptmon: ", "bold"), (command, "bold cyan"), *facts, verdict)
        # Where it may be broken: between words, but what it tells of the run stays together.
        begin, end = len("ptmon: "), len("ptmon: ") + len(command)
        spaces = [place for place in range(begin, end) if head.plain[place] == " "]
        spaces += [end, end + len(facts[0]), end + len(facts[0]) + len(facts[1])]
        head.plain = broken(head.plain, spaces, self.console.width)
        self._said.append(head)
        if delay := waited(report):
            self._line((delay, "dim"))

        if report.limit is not None and report.limit.passed:
            self._line((f"more than --limit {self._size(report.limit.bytes)}: ended by ptmon", "red"))

    def _totals(self) -> None:
        totals = self.report.totals
        table = Table("payload bytes", ("sent", "received"))
        table.add("total", self._size(totals.sent), self._size(totals.received), style="bold")
        if len(self.report.by_scope) > 1 or "unknown" not in self.report.by_scope:
            for name, row in self.report.by_scope.items():
                table.add(f"  {name}", self._size(row.sent), self._size(row.received))
        table.add("calls", f"{totals.calls_sent:,}", f"{totals.calls_received:,}")
        self._said.append(table)
        if totals.peeked:
            self._line((f"peeked, and not in it: {self._size(totals.peeked)}", "dim"))

    def _rates(self) -> None:
        if not (self.report.totals.sent or self.report.totals.received):
            return
        rates = [(label, self.report.rates[label.split()[1]]) for label in ("rx  received", "tx  sent")]
        if all(rate.even for _label, rate in rates):  # most often a run of less than a second: three times the same
            table = Table("bytes per second", ("average",))
            for label, rate in rates:
                table.add(label, f"{self._size(rate.average)}/s")
        else:
            table = Table("bytes per second", ("max", "average", "min"))
            for label, rate in rates:
                table.add(label, *(f"{self._size(value or 0)}/s" for value in (rate.max, rate.average, rate.min)))
        self._said.append(table)

    def _by(self, title: str, middle: str, rows: Sequence[Row], plural: str, top: int) -> None:
        if not rows:
            return
        table = Table(f"by {title}", (middle, "sent", "received"))
        for row in rows[:top]:
            table.add(printable(row.name), row.middle, self._size(row.sent), self._size(row.received))
        if rest := rows[top:]:
            sent, received = sum(row.sent for row in rest), sum(row.received for row in rest)
            name = f"… and {sum(row.count for row in rest):,} more {plural}"
            table.add(name, "", self._size(sent), self._size(received), style="dim")
        self._said.append(table)

    def _syscalls(self) -> None:
        rows = sorted(self.report.by_syscall.items(), key=lambda item: (-item[1].bytes, -item[1].calls, item[0]))
        if not rows:
            return
        table = Table("by system call", ("calls", "failed", "bytes"))
        for name, row in rows:
            errors = ", ".join(f"{word} {count:,}" for word, count in islice(row.errnos.items(), 3))
            label = f"{name}  ({errors})" if errors else name
            table.add(label, f"{row.calls:,}", f"{row.errors:,}", self._size(row.bytes))
        self._said.append(table)

    def _connects(self) -> None:
        """Those that did not come to a connection, as far as that was seen."""
        rows = [line for row in self.report.connects for line in unconnected(row)]
        for number, line in enumerate(rows[:TOP]):
            self._line((line, "yellow"), before=not number)
        if (more := len(rows) - TOP) > 0:
            self._line((f"… and {more:,} more", "dim"))

    def _denied(self) -> None:
        rows = self.report.denied
        if not rows:
            return
        table = Table("denied", ("calls",))
        for row in rows[:TOP]:
            named = row.syscall if row.errno in row.rule else f"{row.syscall}, {row.errno}"
            table.add(f"{printable(row.rule)}  ({named})", f"{row.calls:,}")
        if rest := rows[TOP:]:
            table.add(f"… and {len(rest):,} more", f"{sum(row.calls for row in rest):,}", style="dim")
        self._said.append(table)

    def _verdicts(self) -> None:
        """The audit, and what is missing."""
        said, kind = audit(self.report)
        if said:
            self._line((said, {"differ": "red", "match": "green"}.get(kind, "dim")), before=True)
        for warning in self.report.warnings[:TOP]:
            self._line((f"note: {printable(said_of(self.report, warning))}", "yellow"))
        if (more := len(self.report.warnings) - TOP) > 0:
            self._line((f"… and {counted(more, 'note')} more", "dim"))

    def _path(self) -> None:
        """How calls were seen, where that is news: it makes a difference to the program's speed, to no figure."""
        path, fallbacks = self.report.path, self.report.fallbacks
        if not (path.fast or fallbacks):
            return
        self._line((f"speed: {speed(path.fast, path.stop)}", "dim"), before=True)
        for row in fallbacks[:TOP]:
            whose = in_brackets(self.report.label(row.source) or None)
            self._line((f"  process {row.pid}{whose}: {row.reason}", "dim"))
        if (more := len(fallbacks) - TOP) > 0:
            self._line((f"  … and {more:,} more", "dim"))

    def _size(self, count: int) -> str:
        return size(count, self.units)

    def _line(self, *parts: tuple[str, str], before: bool = False) -> None:
        from rich.text import Text

        if before:
            self._said.append(Text())
        self._said.append(Text.assemble(*parts))
