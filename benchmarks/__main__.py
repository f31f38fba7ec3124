# SPDX-License-Identifier: GPL-2.0-only
"""``python -m benchmarks [ROUNDS]``: what tracing costs, as multiples of the same work untraced."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import NATIVE, TOOLS, WORKLOADS, Figures, Tool, Workload, build, run_all

ROUNDS = 7


def cell(figures: Figures, tool: Tool, workload: Workload) -> str:
    """×median (least–most)."""
    if tool.missing:
        return "not installed"
    ratios = figures.ratios(tool, workload)
    if not ratios:
        return "–"
    return f"×{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def table(figures: Figures, rounds: int) -> Table:
    machine = f"{platform.machine()}, Linux {platform.release().split('-')[0]}, {os.cpu_count()} CPUs"
    result = Table(title=f"time over native time: median of {rounds} interleaved rounds (least–most); {machine}")
    result.add_column("")
    for workload in WORKLOADS:
        result.add_column(workload.title, justify="right")
    result.add_row("native, µs", *(f"{figures.median(NATIVE, workload) / 1000:.2f}" for workload in WORKLOADS))
    for tool in TOOLS[1:]:
        result.add_row(tool.name, *(cell(figures, tool, workload) for workload in WORKLOADS))
    return result


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        figures = run_all(build(Path(folder)), rounds)
    Console(width=150).print(table(figures, rounds))


if __name__ == "__main__":
    main()
