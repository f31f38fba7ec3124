# SPDX-License-Identifier: GPL-2.0-or-later
"""Two reports side by side: in all, by program, by peer's host and by system call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ptmon.merging.sums import TOTALS
from ptmon.report import Report
from ptmon.static import Any

SCHEMA = "ptmon.diff/1"
Sums = Mapping[str, Mapping[str, int]]
"""By name, and by what is counted."""


class Pair:
    """One figure of both."""

    __slots__ = ("a", "b")

    def __init__(self, a: float, b: float) -> None:
        self.a = a
        self.b = b

    @property
    def difference(self) -> float:
        """What the second has more."""
        return round(self.b - self.a, 6)

    @property
    def ratio(self) -> float | None:
        """How many times the first the second is; None where the first is 0."""
        return round(self.b / self.a, 6) if self.a else None

    def to_json(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b, "difference": self.difference, "ratio": self.ratio}


class Compared:
    """A program, a peer or a call."""

    __slots__ = ("figures", "found", "name")

    def __init__(self, name: str, found: str, figures: Mapping[str, Pair]) -> None:
        """``found``: in ``both`` of the reports, in ``a`` or in ``b`` alone."""
        self.name = name
        self.found = found
        self.figures = figures

    @property
    def weight(self) -> float:
        """By which rows are ordered: what differs most comes first."""
        return sum(abs(pair.difference) for pair in self.figures.values())

    def to_json(self) -> dict[str, Any]:
        figures = {name: pair.to_json() for name, pair in self.figures.items()}
        return {"name": self.name, "in": self.found, **figures}


class Comparison:
    """Two reports. ``sections``: rows by the name of what they are by."""

    def __init__(self, files: Sequence[str], reports: Sequence[Report]) -> None:
        self.files = tuple(files)
        self.reports = tuple(reports)
        a, b = reports
        names: tuple[str, ...] = TOTALS
        self.totals = {name: Pair(getattr(a.totals, name), getattr(b.totals, name)) for name in names}
        self.totals["processes"] = Pair(len(a.processes), len(b.processes))
        self.totals["sockets"] = Pair(*(sum(row.folded or 1 for row in one.sockets) for one in reports))
        self.totals["duration_s"] = Pair(a.duration_s, b.duration_s)
        self.sections = {
            "by_program": _compared(_programs, reports),
            "by_peer": _compared(_peers, reports),
            "by_syscall": _compared(_calls, reports),
        }

    def to_json(self) -> dict[str, Any]:
        runs = (_run(file, report) for file, report in zip(self.files, self.reports, strict=True))
        return {
            "schema": SCHEMA,
            **dict(zip(("a", "b"), runs, strict=True)),
            "totals": {name: pair.to_json() for name, pair in self.totals.items()},
            **{name: [row.to_json() for row in rows] for name, rows in self.sections.items()},
        }


def _run(file: str, report: Report) -> dict[str, Any]:
    header = report.header
    return {
        "file": file,
        "host": header.host,
        "rank": header.rank,
        "command": report.command,
        "started": header.started,
        "complete": report.complete,
    }


def _compared(sums: Callable[[Report], Sums], reports: Sequence[Report]) -> tuple[Compared, ...]:
    a, b = map(sums, reports)
    rows = (_row(name, a.get(name), b.get(name)) for name in {**a, **b})
    return tuple(sorted(rows, key=lambda row: (-row.weight, row.name)))


def _row(name: str, a: Mapping[str, int] | None, b: Mapping[str, int] | None) -> Compared:
    found = "both" if a is not None and b is not None else "b" if a is None else "a"
    first, second = a or {}, b or {}
    return Compared(name, found, {key: Pair(first.get(key, 0), second.get(key, 0)) for key in {**first, **second}})


def _programs(report: Report) -> Sums:
    """By the name of the executable, as the kernel shows it."""
    return _added((row.name, {"sent": row.sent, "received": row.received, "processes": 1}) for row in report.processes)


def _peers(report: Report) -> Sums:
    """By transport and host, whatever the port."""
    return _added(
        (
            f"{row.transport}  {row.peer_address or '(no address)'}",
            {"sent": row.sent, "received": row.received, "sockets": row.sockets},
        )
        for row in report.by_peer
    )


def _calls(report: Report) -> Sums:
    return {
        name: {"calls": row.calls, "errors": row.errors, "bytes": row.bytes} for name, row in report.by_syscall.items()
    }


def _added(rows: Iterable[tuple[str, Mapping[str, int]]]) -> Sums:
    sums: dict[str, dict[str, int]] = {}
    for name, figures in rows:
        row = sums.setdefault(name, dict.fromkeys(figures, 0))
        for key, count in figures.items():
            row[key] += count
    return sums
