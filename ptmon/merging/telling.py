# SPDX-License-Identifier: GPL-2.0-or-later
"""A comparison for people and for programs."""

from __future__ import annotations

import json

from ptmon.merging.comparing import Compared, Comparison, Pair
from ptmon.outputs.report_output import Style
from ptmon.outputs.summary import printing
from ptmon.outputs.summary_table import Table, table_width
from ptmon.outputs.verdicts import place, title
from ptmon.static import TYPE_CHECKING, TextIO
from ptmon.text import duration, printable, size

if TYPE_CHECKING:
    from rich.text import Text

BYTES = frozenset({"sent", "received", "peeked", "bytes"})
HEADS = ("A", "B", "difference", "ratio")
TITLES = {"by_program": "by program", "by_peer": "by peer", "by_syscall": "by system call"}
COMMAND_MOST = 200
"""Letters."""


def write_json(found: Comparison, file: TextIO, style: Style) -> None:
    """The document; ``style`` is for people and changes nothing here."""
    file.write(json.dumps(found.to_json(), indent=1) + "\n")


def write_summary(found: Comparison, file: TextIO, style: Style) -> None:
    """Tables, as wide as the terminal."""
    from rich.text import Text

    said = [Text.assemble((f"{letter}: ", "bold"), _run(found, at)) for at, letter in enumerate("AB")]
    tables = [_totals(found, style.units)]
    for name, heading in TITLES.items():
        rows = found.sections[name]
        if rows:
            tables.append(_section(heading, rows, style))
    with printing(file, style) as console:
        for head in said:
            console.print(head, soft_wrap=True)
        columns = table_width(tables, console.width)
        for table in tables:
            for line in ("", *table.lines(columns)):
                console.print(line, soft_wrap=True)


WRITERS = {"summary": write_summary, "json": write_json}


def _run(found: Comparison, at: int) -> Text:
    from rich.text import Text

    report = found.reports[at]
    command = title(report)
    command = command if len(command) <= COMMAND_MOST else f"{command[: COMMAND_MOST - 1]}…"
    facts = [found.files[at], report.header.host, place(report), duration(report.duration_s)]
    verdict = ("complete", "green") if report.complete else ("NOT COMPLETE", "bold red")
    shown = " · ".join(printable(fact) for fact in facts if fact)
    return Text.assemble((printable(command), "bold cyan"), f" · {shown} · ", verdict)


def _totals(found: Comparison, units: str) -> Table:
    table = Table("in all", HEADS)
    for name, pair in found.totals.items():
        if pair.a or pair.b:
            _add(table, name.removesuffix("_s").replace("_", " "), name, pair, "both", units)
    return table


def _section(heading: str, rows: tuple[Compared, ...], style: Style) -> Table:
    """Of each row the figures that are not 0 in both; what differs most comes first."""
    table = Table(heading, HEADS)
    for row in rows[: style.top]:
        for name, pair in row.figures.items():
            if pair.a or pair.b:
                _add(table, f"{printable(row.name)}  {name}", name, pair, row.found, style.units)
    if (more := len(rows) - style.top) > 0:
        table.add(f"… and {more:,} more", *([""] * len(HEADS)), style="dim")
    return table


def _add(table: Table, label: str, name: str, pair: Pair, found: str, units: str) -> None:
    """A line; what is in one of them alone, or differs not at all, is told apart by its colour."""
    only = {"a": "only A", "b": "only B"}.get(found)
    ratio = only or ("" if pair.ratio is None else "=" if not pair.difference else f"×{pair.ratio:.3g}")
    style = "yellow" if only else "dim" if not pair.difference else ""
    more = pair.difference
    sign = "+" if more > 0 else "-" if more < 0 else ""
    table.add(
        label,
        _figure(name, pair.a, units),
        _figure(name, pair.b, units),
        f"{sign}{_figure(name, abs(more), units)}",
        ratio,
        style=style,
    )


def _figure(name: str, value: float, units: str) -> str:
    if name in BYTES:
        return size(value, units)
    return duration(value) if name == "duration_s" else f"{value:,}"
