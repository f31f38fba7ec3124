# SPDX-License-Identifier: GPL-2.0-only
"""What the project holds itself to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.results import Results, Verdict


class Held(StrEnum):
    """What became of a bar."""

    PASS = "pass"
    FAIL = "FAIL"
    OPEN = "not run"


@dataclass(frozen=True, slots=True)
class Bar:
    """The median of a tool's time over native time is at most this, and the bytes are told right."""

    workload: str
    tool: str
    most: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A bar, and how the results stand to it."""

    held: Held
    text: str


BARS = (
    Bar("ping_pong", "ptmon-fast", 1.25),
    Bar("ping_pong", "ptmon-attach", 1.10),
    Bar("ping_pong_threads", "ptmon-fast", 1.35),
    Bar("nginx", "ptmon-fast", 1.10),
    Bar("redis", "ptmon-fast", 1.10),
    Bar("fork_exec", "ptmon-fast", 1.5),
    Bar("unwatched", "ptmon-fast", 1.30),
    Bar("ping_pong", "ptmon-log", 6.0),
    Bar("start_up", "ptmon-fast", 4.0),
)


def judge(results: Results, bar: Bar) -> Judged:
    cell = results.cell(bar.tool, bar.workload)
    ratio = results.ratio(bar.tool, bar.workload)
    row = next((row for row in results.rows if row.name == bar.tool), None)
    column = next((column for column in results.columns if column.name == bar.workload), None)
    what = f"{bar.workload:18} {bar.tool:14} at most ×{bar.most:.2f}"
    notes = [text for text in (row and row.missing, column and column.missing, cell.failed) if text]
    if cell.verdict is Verdict.DIFFERENT:
        notes.append("the bytes differ")
    more = f" ({'; '.join(notes)})" if notes else ""
    if ratio is None:
        # What was run and failed holds no bar.
        return Judged(Held.FAIL if cell.failed else Held.OPEN, f"{what}{more}")
    held = ratio.median <= bar.most and cell.verdict is not Verdict.DIFFERENT
    spread = f"is ×{ratio.median:.2f} ({ratio.least:.2f}–{ratio.most:.2f})"
    return Judged(Held.PASS if held else Held.FAIL, f"{what}, {spread}{more}")


def judge_all(results: Results) -> Iterator[Judged]:
    return (judge(results, bar) for bar in BARS)
