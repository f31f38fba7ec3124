# SPDX-License-Identifier: GPL-2.0-only
"""``python -m benchmarks [ROUNDS]``: what tracing costs, as multiples of the same work untraced."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.measure import NATIVE, TOOLS, WORKLOADS, Figures, Tool, Workload, build, run_all

ROUNDS = 7
WIDTH = 150


def cell(figures: Figures, tool: Tool, workload: Workload) -> str:
    """×median (least–most)."""
    if tool.missing:
        return "not installed"
    ratios = figures.ratios(tool, workload)
    if not ratios:
        return "–"
    return f"×{short(statistics.median(ratios))} ({short(min(ratios))}–{short(max(ratios))})"


def short(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2f}"


def table(figures: Figures, rounds: int) -> Table:
    machine = f"{platform.machine()}, Linux {platform.release().split('-')[0]}, {os.cpu_count()} CPUs"
    title = f"time over native time, median of {rounds} interleaved rounds (least–most); {machine}"
    result = Table(title=title, box=box.SIMPLE, title_justify="left")
    result.add_column("")
    result.add_column("native, µs", justify="right")
    for tool in TOOLS[1:]:
        result.add_column(tool.name, justify="right")
    for workload in WORKLOADS:
        native = f"{figures.median(NATIVE, workload) / 1000:.2f}"
        result.add_row(workload.title, native, *(cell(figures, tool, workload) for tool in TOOLS[1:]))
    return result


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        figures = run_all(build(Path(folder)), rounds)
    Console(width=WIDTH).print(table(figures, rounds))


if __name__ == "__main__":
    main()
