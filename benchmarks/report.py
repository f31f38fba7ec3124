# SPDX-License-Identifier: GPL-2.0-only
"""The table: tools down, workloads across, two lines a cell."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.results import NATIVE, Cell, Column, Results, Row, Verdict

WIDTH = 148
DASH = "–"
NO_MEASUREMENT = "NO MEASUREMENT: --quick shows that it works, not what it costs\n"
MARKS = {Verdict.EQUAL: (" ✓", "green"), Verdict.DIFFERENT: (" ✗", "bold red"), Verdict.SILENT: ("", "")}


def short(ratio: float) -> str:
    """Three digits or so."""
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def duration(nanoseconds: float) -> str:
    for unit, size in (("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.0f} ns"


def cell_text(results: Results, row: Row, column: Column) -> Text:
    """×median and the mark, and the spread below."""
    cell = results.cell(row.name, column.name)
    if cell.failed:
        return Text("failed", "red")
    if row.name == NATIVE and cell.nanoseconds:
        return Text(duration(statistics.median(cell.nanoseconds)))
    ratio = results.ratio(row.name, column.name)
    if ratio is None:
        return Text(DASH, "dim")
    mark, style = MARKS[cell.verdict]
    text = Text(f"×{short(ratio.median)}").append(mark, style)
    return text.append(f"\n{short(ratio.least)}–{short(ratio.most)}", "dim")


def bytes_text(results: Results, row: Row) -> str:
    """The last column: whether the bytes that the tool tells are true."""
    if row.name == NATIVE:
        return ""
    verdicts = results.verdicts(row.name)
    missing = row.missing.split(": ", 1)[0]  # the notes have all of it
    told = [verdict for verdict in verdicts if verdict is not Verdict.SILENT]
    if not verdicts:
        return missing or ("" if all(_failed(results, row)) else DASH)
    if not told:
        text = "none"
    else:
        equal = sum(verdict is Verdict.EQUAL for verdict in told)
        text = f"true in {equal} of {len(told)}" if equal < len(told) else "all true"
    return f"{text}; {missing}" if missing else text


def table(results: Results) -> Table:
    machine = results.machine
    rounds = f"{results.rounds} interleaved round{'s' if results.rounds > 1 else ''}"
    title = Text.assemble(
        ("" if results.measurement else NO_MEASUREMENT, "bold red"),
        f"time over native time: median of {rounds}, least–most below\n"
        f"{machine.get('cpu', '')} ({machine.get('machine', '')}), {machine.get('cpus', '?')} CPUs, "
        f"Linux {machine.get('kernel', '')}, {machine.get('libc', '')}, Python {machine.get('python', '')}",
    )
    result = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="", padding=(0, 1, 0, 0))
    result.add_column("", no_wrap=True)
    for column in results.columns:
        result.add_column(Text(column.title), justify="right", no_wrap=True)
    result.add_column("bytes told", min_width=16, max_width=19)
    for row in results.rows:
        cells = [cell_text(results, row, column) for column in results.columns]
        result.add_row(Text(row.title), *cells, Text(bytes_text(results, row)))
    return result


def notes(results: Results) -> Iterator[str]:
    """What the table has no room for."""
    yield "✓ ✗: the bytes that the tool tells are, or are not, those that were moved; no mark: it tells none"
    if reasons := list(why_dashes(results)):
        yield f"{DASH}: there is no figure:"
        yield from (f"  {reason}" for reason in reasons)
    for row in results.rows:
        if row.missing and results.verdicts(row.name):
            yield f"{row.title}: {row.missing}"
    for (tool, workload), cell in results.cells.items():
        if cell.failed:
            yield f"{tool} failed at {workload}: {_one_line(cell)}"


def why_dashes(results: Results) -> Iterator[str]:
    """A line for each reason for which cells are empty: not installed, not permitted, not supported, not comparable."""
    for row in results.rows:
        empty = [column for column in results.columns if not column.missing and _empty(results, row, column)]
        alone = [column.name for column in empty if results.cell(row.name, column.name).nanoseconds]
        undone = [column.name for column in empty if column.name not in alone]
        if undone and row.missing:
            yield f"{row.title}: {row.missing}"
        elif undone:
            why = f": {row.cannot}" if row.cannot else ""
            yield f"{row.title}: not supported at {', '.join(undone)}{why}"
        if alone:
            yield f"{row.title}: no native time to compare with at {', '.join(alone)}"
    for column in results.columns:
        if column.missing:
            yield f"{column.name}: {column.missing}"


def _empty(results: Results, row: Row, column: Column) -> bool:
    return cell_text(results, row, column).plain == DASH


def _failed(results: Results, row: Row) -> Iterator[bool]:
    return (bool(results.cell(row.name, column.name).failed) for column in results.columns)


def _one_line(cell: Cell) -> str:
    return textwrap.shorten(cell.failed, 200, placeholder=" …")
