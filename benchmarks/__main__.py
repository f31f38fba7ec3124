# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks``: what tracing costs, as multiples of the same work untraced."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.bars import Held, judge_all
from benchmarks.given import given_tools
from benchmarks.jobs import build
from benchmarks.machine import machine
from benchmarks.measure import SCALE_ROUNDS, Plan, run_all
from benchmarks.options import ROUNDS, check, chosen, chosen_workloads, listing, parser
from benchmarks.processes import RunError
from benchmarks.report import WIDTH, notes, tables
from benchmarks.results import NATIVE, Results
from benchmarks.saved import loaded
from benchmarks.tools import Tool, all_tools, has_fast

INTERRUPTED = 130


def plan_of(options: argparse.Namespace, given: Sequence[Tool]) -> Plan:
    """What the options say. Raises ValueError for names that there are not."""
    tools = (*all_tools(has_fast()), *given)
    try:
        tools = chosen(tools, options.only, NATIVE, *(tool.name for tool in given))
    except ValueError as error:
        raise ValueError(f"--only: {error}") from None
    try:
        workloads = chosen_workloads(options.workloads, options.scale)
    except ValueError as error:
        raise ValueError(f"--workloads: {error}") from None
    usual, at_scale = (1, 1) if options.quick else (ROUNDS, SCALE_ROUNDS)
    return Plan(tools, workloads, options.rounds or usual, options.quick, options.rounds or at_scale)


def measured(plan: Plan) -> Results:
    """Runs it. Raises RunError if the workloads can't be compiled."""
    console = Console(stderr=True)
    # The folder may be a server's: another user's.
    with tempfile.TemporaryDirectory(prefix="ptmon-bench-") as folder, console.status("builds") as status:

        def say(line: str) -> None:
            status.update(line)

        return run_all(build(Path(folder)), plan, machine(), say)


def results_of(options: argparse.Namespace, given: Sequence[Tool]) -> Results:
    """Measured, or read. Raises ValueError, OSError or RunError."""
    if options.source is None:
        return measured(plan_of(options, given))
    results = loaded(options.source)
    if options.check and not results.measurement:
        raise ValueError(f"--check needs a measurement, and {options.source} is of --quick")
    return results


def main(words: Sequence[str] | None = None) -> int:
    arguments = parser()
    options = arguments.parse_args(words)
    try:
        given = given_tools(options.tool, {tool.name for tool in all_tools(True)})
        if options.list:
            print("\n".join(listing((*all_tools(True), *given))))
            return 0
        check(options)
        if options.merge:
            from benchmarks import merging

            print(merging.measured(options.quick))
            return 0
        return show(options, results_of(options, given))
    except (ValueError, OSError, RunError) as error:
        arguments.error(str(error))
    except KeyboardInterrupt:
        print(f"{arguments.prog}: interrupted; no figures are kept", file=sys.stderr)
        return INTERRUPTED


def show(options: argparse.Namespace, results: Results) -> int:
    out = Console(width=WIDTH, stderr=options.json == "-")
    for table in tables(results):
        out.print(table)
    for note in notes(results):
        out.print(note, highlight=False, markup=False)
    return write(options, results, out)


def write(options: argparse.Namespace, results: Results, out: Console) -> int:
    """All but the table."""
    if options.json:
        text = json.dumps(results.to_json(), indent=1, ensure_ascii=False) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            Path(options.json).write_text(text)
    if options.plot:
        from benchmarks.plot import plot  # which loads matplotlib

        plot(results, options.plot)
    if not options.check:
        return 0
    judged = list(judge_all(results))
    for one in judged:
        out.print(f"{one.held:8}{one.text}", highlight=False, markup=False)
    return int(any(one.held is Held.FAIL for one in judged))


if __name__ == "__main__":
    sys.exit(main())
