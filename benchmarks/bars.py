# SPDX-License-Identifier: GPL-2.0-or-later
"""What the project holds itself to."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum

from benchmarks.results import MB, NATIVE, Ratio, Results, Verdict
from benchmarks.workloads import SCALE, WORKLOADS


class Held(StrEnum):
    """What became of a bar."""

    PASS = "pass"
    FAIL = "FAIL"
    OPEN = "not run"


class Kind(Enum):
    """Of what a bar is the limit."""

    TIME = "at most ×{:.2f}"
    """The median of the tool's time over native time."""
    KEPT = "at least {:.2f} of native's rate"
    """The same the other way round: of 100 requests in native's time, so many hundredths are served."""
    PEAK = "at most {:.0f} MB"
    """The median of what the tracer has in memory at most, in millions of bytes."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A tool's figure at a workload is at most this (KEPT: at least), and the bytes are told right."""

    workload: str
    tool: str
    limit: float
    kind: Kind = Kind.TIME


@dataclass(frozen=True, slots=True)
class Judged:
    """A bar, and how the results stand to it."""

    held: Held
    text: str


AT_SCALE = frozenset(workload.name for workload in WORKLOADS if workload.group == SCALE)
BARS = (
    Bar("ping_pong", "ptmon-fast", 1.12),
    Bar("ping_pong", "ptmon-attach", 1.02),
    Bar("ping_pong", "ptmon-log", 2.5),
    Bar("ping_pong_threads", "ptmon-fast", 1.35),
    Bar("connect_close", "ptmon-fast", 1.6),
    Bar("connect_close", "ptmon-attach", 1.6),
    Bar("nginx", "ptmon-fast", 0.95, Kind.KEPT),
    Bar("nginx_connect", "ptmon-fast", 0.85, Kind.KEPT),
    Bar("redis", "ptmon-fast", 1.10),
    Bar("unwatched", "ptmon-fast", 1.30),
    Bar("unwatched", "ptmon-attach", 1.02),
    Bar("find", "ptmon-fast", 1.05),
    Bar("tar", "ptmon-fast", 1.05),
    Bar("git_grep", "ptmon-fast", 1.05),
    Bar("fork_exec", "ptmon-fast", 1.20),
    Bar("fork_exec", "ptmon-attach", 1.8),
    Bar("shell_loop", "ptmon-fast", 1.25),
    Bar("start_up", "ptmon-fast", 4.0),
    Bar("connections_100000", "ptmon-fast", 2.0),
    Bar("connections_100000", "ptmon-fast", 100, Kind.PEAK),
)


def figure(results: Results, bar: Bar) -> Ratio | None:
    """What is held against the bar; None if there is none."""
    if bar.kind is Kind.PEAK:
        peaks = [peak / MB for peak in results.cell(bar.tool, bar.workload).peak_bytes]
        return Ratio(statistics.median(peaks), min(peaks), max(peaks)) if peaks else None
    if bar.kind is Kind.KEPT:
        return results.ratio(NATIVE, bar.workload, over=bar.tool)
    return results.ratio(bar.tool, bar.workload)


def shown(kind: Kind, figure: Ratio) -> str:
    if kind is Kind.PEAK:
        return f"is {figure.median:.0f} MB ({figure.least:.0f}–{figure.most:.0f})"
    cross = "" if kind is Kind.KEPT else "×"
    return f"is {cross}{figure.median:.2f} ({figure.least:.2f}–{figure.most:.2f})"


def judge(results: Results, bar: Bar) -> Judged:
    cell = results.cell(bar.tool, bar.workload)
    value = figure(results, bar)
    row = next((row for row in results.rows if row.name == bar.tool), None)
    column = next((column for column in results.columns if column.name == bar.workload), None)
    what = f"{bar.workload:18} {bar.tool:14} {bar.kind.value.format(bar.limit)}"
    notes = [text for text in (row and row.missing, column and column.missing, cell.failed) if text]
    if column is None and bar.workload in AT_SCALE:
        notes.append("with --scale")
    if cell.verdict is Verdict.DIFFERENT:
        notes.append("the bytes differ")
    more = f" ({'; '.join(notes)})" if notes else ""
    if value is None:
        # What was run and failed holds no bar.
        return Judged(Held.FAIL if cell.failed else Held.OPEN, f"{what}{more}")
    kept = value.median >= bar.limit if bar.kind is Kind.KEPT else value.median <= bar.limit
    held = kept and cell.verdict is not Verdict.DIFFERENT
    return Judged(Held.PASS if held else Held.FAIL, f"{what}, {shown(bar.kind, value)}{more}")


def judge_all(results: Results) -> Iterator[Judged]:
    return (judge(results, bar) for bar in BARS)
