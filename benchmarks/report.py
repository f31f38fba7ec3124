# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables: tools down, workloads across, two lines a cell; at scale three."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.results import MB, NATIVE, Cell, Column, Results, Row, Verdict
from benchmarks.workloads import SCALE

WIDTH = 148
ACROSS = 8
"""Workloads that a table has room for: what are more than that stand in another one below."""
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


def tables(results: Results) -> Iterator[Table]:
    """In as many parts as it takes; the last one says of the bytes of all. Then that of scale, if there is one."""
    columns, at_scale = results.group(), results.group(SCALE)
    parts = list(in_parts(columns))
    if parts or not at_scale:
        yield from (part_of(results, part, "") for part in parts[:-1])
        yield part_of(results, parts[-1] if parts else (), "bytes told")
    if at_scale:
        yield scale_table(results, at_scale)


def in_parts(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    """Of about the same size."""
    if columns:
        size = -(-len(columns) // -(-len(columns) // ACROSS))
        yield from (columns[start : start + size] for start in range(0, len(columns), size))


def part_of(results: Results, columns: Sequence[Column], last: str) -> Table:
    """``last``: the title of a last column, for the bytes."""
    first = columns[:1] == results.group()[:1]
    result = blank(results, columns, Text.assemble(*heading(results)) if first else None)
    if last:
        result.add_column(last, min_width=16, max_width=19)
    for row in results.rows:
        cells = [cell_text(results, row, column) for column in columns]
        result.add_row(Text(row.title), *cells, *([Text(bytes_text(results, row))] if last else []))
    return result


def blank(results: Results, columns: Sequence[Column], title: Text | None) -> Table:
    """Without rows yet; the first column is as wide in each part."""
    result = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="", padding=(0, 1, 0, 0))
    result.add_column("", no_wrap=True, min_width=max((len(row.title) for row in results.rows), default=0))
    for column in columns:
        result.add_column(Text(column.title), justify="right", no_wrap=True)
    return result


def heading(results: Results) -> Iterator[str | tuple[str, str]]:
    yield ("" if results.measurement else NO_MEASUREMENT, "bold red")
    yield f"time over native time: median of {rounds_text(results.rounds)}, least–most below\n"
    yield of_machine(results.machine)


def rounds_text(rounds: int) -> str:
    return f"{rounds} interleaved round{'s' if rounds > 1 else ''}"


def of_machine(machine: Mapping[str, str]) -> str:
    return (
        f"{machine.get('cpu', '')} ({machine.get('machine', '')}), {machine.get('cpus', '?')} CPUs, "
        f"Linux {machine.get('kernel', '')}, {machine.get('libc', '')}, Python {machine.get('python', '')}"
    )


def scale_table(results: Results, columns: Sequence[Column]) -> Table:
    """Of the tools that did any of it, or should have."""
    rows = [row for row in results.rows if any(results.cell(row.name, column.name).operations for column in columns)]
    rounds = max(
        (len(results.cell(row.name, column.name).nanoseconds) for row in rows for column in columns), default=0
    )
    title = Text.assemble(
        ("" if results.measurement else NO_MEASUREMENT, "bold red"),
        f"at scale: time over native time, median of {rounds_text(rounds)};\n"
        "below, CPU time and peak memory: of the tool, and in native's row of the program\n",
        "" if results.group() else of_machine(results.machine),
    )
    result = blank(results, columns, title)
    for row in rows:
        result.add_row(Text(row.title), *(scale_text(results, row, column) for column in columns))
    return result


def scale_text(results: Results, row: Row, column: Column) -> Text:
    text, cell = cell_text(results, row, column), results.cell(row.name, column.name)
    if not cell.cpu_seconds or not cell.peak_bytes:
        return text
    used = f"{statistics.median(cell.cpu_seconds):.2f} s  {statistics.median(cell.peak_bytes) / MB:.1f} MB"
    return text.append(f"\n{used}", "dim")


def notes(results: Results) -> Iterator[str]:
    """What the table has no room for."""
    yield "✓ ✗: the bytes that the tool tells are, or are not, those that were moved; no mark: it tells none"
    if reasons := list(why_dashes(results)):
        yield f"{DASH}: there is no figure:"
        yield from (f"  {reason}" for reason in reasons)
    for row in results.rows:
        if row.missing and (results.verdicts(row.name) or results.verdicts(row.name, SCALE)):
            yield f"{row.title}: {row.missing}"
    for (tool, workload), cell in results.cells.items():
        if cell.failed:
            yield f"{tool} failed at {workload}: {_one_line(cell)}"


def why_dashes(results: Results) -> Iterator[str]:
    """A line for each reason for which cells are empty: not installed, not permitted, not supported, not comparable."""
    for row in results.rows:
        columns = [
            column for column in results.columns if not column.group or results.cell(row.name, column.name).operations
        ]
        empty = [column for column in columns if not column.missing and _empty(results, row, column)]
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
