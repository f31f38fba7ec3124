# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures as a picture: a panel for each workload, on one logarithmic scale."""

from __future__ import annotations

import importlib
import statistics
from pathlib import Path
from typing import Any

from benchmarks.report import duration
from benchmarks.results import NATIVE, Column, Ratio, Results, Row, Verdict

# Typed as Any, so that the types are checked alike where matplotlib is installed and where it is not.
matplotlib: Any = importlib.import_module("matplotlib")
figures: Any = importlib.import_module("matplotlib.figure")
lines: Any = importlib.import_module("matplotlib.lines")
ticker: Any = importlib.import_module("matplotlib.ticker")

COLUMNS = 4
INK, FAINT, GRID = "#1f2933", "#6b7785", "#dde3e9"
PTMON, SHIM, KERNEL, STRACE, PYTHON = "#0072b2", "#009e73", "#cc79a7", "#d55e00", "#8a6d00"
"""Okabe and Ito's palette, which the colour-blind can tell apart; the last one is darker, to be seen on white."""
COLOURS = {
    "shim": SHIM,
    **dict.fromkeys(("perf", "bpftrace", "sysdig", "tracee"), KERNEL),
    **dict.fromkeys(("python-ptrace", "ptmon-reference"), PYTHON),
}
LEGEND = (
    (PTMON, "ptmon"),
    (SHIM, "LD_PRELOAD"),
    (STRACE, "strace"),
    (KERNEL, "perf, eBPF (root)"),
    (PYTHON, "Python"),
)


def colour(tool: str) -> str:
    return COLOURS.get(tool, STRACE if tool.startswith("strace") else PTMON)


# Outlines rather than text: it looks the same wherever it is shown, whatever fonts are there.
LOOK = {"font.size": 9, "svg.fonttype": "path", "svg.hashsalt": "ptmon"}


def plot(results: Results, path: Path) -> None:
    """Draws into ``path``; its suffix says the format. Raises ValueError if there are no figures."""
    figure = figure_of(results)
    with matplotlib.rc_context(LOOK):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, facecolor="white")


def figure_of(results: Results) -> Any:
    """Of what stands in the first table, without the tools that have no figure in it. Raises ValueError."""
    columns = [column for column in results.group() if ratios(results, column)]
    rows = [
        row for row in results.rows if row.name != NATIVE and any(results.ratio(row.name, one.name) for one in columns)
    ]
    if not columns:
        raise ValueError("there is nothing to draw")
    down = -(-len(columns) // COLUMNS)
    with matplotlib.rc_context(LOOK):
        figure = figures.Figure(figsize=(12, 1.2 + down * (0.6 + 0.2 * len(rows))), layout="constrained")
        figure.get_layout_engine().set(wspace=0.06, hspace=0.04)
        grid = figure.subplots(down, COLUMNS, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for panel, column in zip(panels, columns, strict=False):
            draw(panel, results, column, rows)
        for panel in panels[len(columns) :]:
            panel.set_visible(False)
        for panel in panels[max(0, len(columns) - COLUMNS) : len(columns)]:
            panel.tick_params(labelbottom=True)
        caption(figure, results)
    return figure


def draw(panel: Any, results: Results, column: Column, rows: list[Row]) -> None:
    """A dot for each tool's median, a line for its spread, and the median in figures."""
    panel.set_xscale("log")
    panel.axvline(1, color=FAINT, linewidth=1, zorder=1)
    for place, row in enumerate(rows):
        ratio = results.ratio(row.name, column.name)
        if ratio is None:
            continue
        ink = colour(row.name)
        wrong = results.cell(row.name, column.name).verdict is Verdict.DIFFERENT
        silent = results.cell(row.name, column.name).verdict is Verdict.SILENT
        panel.plot([1, ratio.median], [place, place], color=ink, linewidth=1, alpha=0.35, zorder=2)
        panel.plot([ratio.least, ratio.most], [place, place], color=ink, linewidth=3.5, alpha=0.45, zorder=3)
        face = "white" if silent or wrong else ink
        panel.plot(ratio.median, place, "X" if wrong else "o", color=ink, markerfacecolor=face, markersize=6, zorder=4)
        right = max(ratio.most, ratio.median, 1)
        label = f"{ratio.median:.3g}" if ratio.median < 1000 else f"{ratio.median:.0f}"
        panel.annotate(label, (right, place), (6, 0), textcoords="offset points", va="center", color=INK, fontsize=8)
    dress(panel, results, column, rows)


def dress(panel: Any, results: Results, column: Column, rows: list[Row]) -> None:
    panel.set_title(column.title.replace("\n", " "), loc="left", fontsize=10, fontweight="bold", color=INK)
    if times := results.cell(NATIVE, column.name).nanoseconds:
        native = f"native: {duration(statistics.median(times))}"
        panel.set_title(native, loc="right", fontsize=8, color=FAINT)
    panel.set_yticks(range(len(rows)), [row.title for row in rows], color=INK)
    panel.set_ylim(len(rows) - 0.4, -0.6)
    panel.set_xlim(min(0.6, 0.6 * least(results)), 6000)
    panel.xaxis.set_major_locator(ticker.LogLocator(10))
    panel.xaxis.set_minor_locator(ticker.NullLocator())
    panel.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"×{value:g}"))
    panel.xaxis.set_minor_formatter(ticker.NullFormatter())
    panel.grid(axis="x", color=GRID, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.tick_params(length=0, colors=FAINT)
    panel.tick_params(axis="y", labelcolor=INK)
    for side in panel.spines.values():
        side.set_visible(False)


def ratios(results: Results, column: Column) -> list[Ratio]:
    """Of all tools but native."""
    found = (results.ratio(row.name, column.name) for row in results.rows if row.name != NATIVE)
    return [ratio for ratio in found if ratio is not None]


def least(results: Results) -> float:
    """The least ratio: a tool may start faster than Python."""
    return min((ratio.least for column in results.group() for ratio in ratios(results, column)), default=1.0)


def caption(figure: Any, results: Results) -> None:
    rounds = f"{results.rounds} interleaved round{'s' if results.rounds > 1 else ''}"
    title = f"Time over native time: median of {rounds}, and their spread"
    if not results.measurement:
        title = f"NO MEASUREMENT (--quick). {title}"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13, fontweight="bold", color=INK)
    marks = [lines.Line2D([], [], marker="o", linestyle="", color=ink, label=name) for ink, name in LEGEND]
    hollow = {"linestyle": "", "color": INK, "markerfacecolor": "white"}
    marks += [
        lines.Line2D([], [], marker="o", label="tells no bytes", **hollow),
        lines.Line2D([], [], marker="X", label="tells wrong bytes", **hollow),
    ]
    figure.legend(
        handles=marks,
        loc="outside lower left",
        ncols=len(marks),
        frameon=False,
        labelcolor=INK,
        title=where(results),
        title_fontproperties={"size": 8},
        alignment="left",
    )


def where(results: Results) -> str:
    machine = results.machine
    return f"{machine.get('cpu', '')}, {machine.get('cpus', '?')} CPUs, Linux {machine.get('kernel', '')}"
