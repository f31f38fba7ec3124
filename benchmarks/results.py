# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured, and what follows from it: ratios, medians, spreads.

A shared machine gets faster and slower by the minute. So a ratio is always of two times of the same round, taken as
close to each other as may be; what is shown is the median over the rounds.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

SCHEMA = "ptmon.benchmark/1"
NATIVE = "native"
MB = 1_000_000
"""Bytes."""


class Verdict(StrEnum):
    """Whether the bytes that a tool tells are those that were moved."""

    EQUAL = "equal"
    DIFFERENT = "different"
    SILENT = "tells no bytes"


@dataclass(frozen=True, slots=True)
class Cell:
    """One tool at one workload."""

    operations: int
    """Of one run. 0: the tool does not do this workload."""
    nanoseconds: tuple[float, ...] = ()
    """Of one operation, a figure for each round. Empty if not all rounds went well."""
    verdict: Verdict = Verdict.SILENT
    """DIFFERENT if it was in any round."""
    failed: str = ""
    """Why, in words."""
    cpu_seconds: tuple[float, ...] = ()
    """At scale, in each round: of the tracer; of native, of the program itself."""
    peak_bytes: tuple[int, ...] = ()
    """The same: what it had in memory at most."""


@dataclass(frozen=True, slots=True)
class Row:
    """A tool, as the table names it."""

    name: str
    title: str
    command: str
    missing: str = ""
    """Why it can't be run here, or is not what its title says; in words."""
    cannot: str = ""
    """Why it does not do all workloads, in words."""


@dataclass(frozen=True, slots=True)
class Column:
    """A workload, as the table names it."""

    name: str
    title: str
    operation: str
    missing: str = ""
    group: str = ""
    """As the workload's."""


@dataclass(frozen=True, slots=True)
class Ratio:
    median: float
    least: float
    most: float

    @classmethod
    def of(cls, mine: Sequence[float], other: Sequence[float]) -> Ratio | None:
        """One list of times over another, round by round; None if there is nothing to compare."""
        ratios = [one / two for one, two in zip(mine, other, strict=False)]
        return cls(statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


@dataclass(frozen=True, slots=True)
class Results:
    machine: Mapping[str, str]
    rounds: int
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    cells: Mapping[tuple[str, str], Cell]
    """By the names of tool and workload."""
    measurement: bool = True
    """False: so few operations that the times mean nothing (--quick)."""

    def cell(self, tool: str, workload: str) -> Cell:
        return self.cells.get((tool, workload), Cell(0))

    def ratio(self, tool: str, workload: str, over: str = NATIVE) -> Ratio | None:
        return Ratio.of(self.cell(tool, workload).nanoseconds, self.cell(over, workload).nanoseconds)

    def group(self, name: str = "") -> tuple[Column, ...]:
        """The columns of one table."""
        return tuple(column for column in self.columns if column.group == name)

    def verdicts(self, tool: str, group: str = "") -> list[Verdict]:
        """Of the workloads that the tool did."""
        cells = [self.cell(tool, column.name) for column in self.group(group)]
        return [cell.verdict for cell in cells if cell.nanoseconds]

    def pairs(self) -> Iterator[tuple[str, str, str, Ratio]]:
        """(workload, tool, over, ratio) for any two tools that both did it."""
        names = [row.name for row in self.rows]
        for column in self.columns:
            for tool in names:
                for over in names:
                    if tool != over and (ratio := self.ratio(tool, column.name, over)):
                        yield column.name, tool, over, ratio

    def to_json(self) -> dict[str, Any]:
        pairs: dict[str, dict[str, dict[str, Any]]] = {}
        for workload, tool, over, ratio in self.pairs():
            pairs.setdefault(workload, {}).setdefault(tool, {})[over] = asdict(ratio)
        return {
            "schema": SCHEMA,
            "measurement": self.measurement,
            "machine": dict(self.machine),
            "rounds": self.rounds,
            "tools": [asdict(row) for row in self.rows],
            "workloads": [asdict(column) for column in self.columns],
            "figures": [
                {"tool": tool, "workload": workload, **asdict(cell)} for (tool, workload), cell in self.cells.items()
            ],
            "pairs": pairs,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Results:
        """What ``to_json`` made. Raises ValueError, KeyError or TypeError if it is something else."""
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            raise ValueError(f"not a {SCHEMA}")
        return cls(
            data["machine"],
            data["rounds"],
            tuple(Row(**row) for row in data["tools"]),
            tuple(Column(**column) for column in data["workloads"]),
            dict(_cells(data["figures"])),
            data.get("measurement", True),  # files of before say nothing of it
        )


def _cells(figures: Iterable[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], Cell]]:
    for figure in figures:
        yield (
            (figure["tool"], figure["workload"]),
            Cell(
                figure["operations"],
                tuple(figure["nanoseconds"]),
                Verdict(figure["verdict"]),
                figure["failed"],
                tuple(figure.get("cpu_seconds", ())),  # which files of before do not have
                tuple(figure.get("peak_bytes", ())),
            ),
        )
