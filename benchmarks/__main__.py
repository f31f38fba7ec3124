# SPDX-License-Identifier: GPL-2.0-only
"""``python -m benchmarks``: what tracing costs, as multiples of the same work untraced."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, TypeVar

from rich.console import Console

from benchmarks.bars import Held, judge_all
from benchmarks.jobs import build
from benchmarks.machine import machine
from benchmarks.measure import Plan, run_all
from benchmarks.report import WIDTH, notes, table
from benchmarks.results import NATIVE, Results
from benchmarks.tools import all_tools, has_fast
from benchmarks.workloads import WORKLOADS

ROUNDS = 7


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").split(": ", 1)[1])
    result.add_argument("--rounds", type=positive, metavar="N", help=f"default {ROUNDS}, with --quick 1")
    result.add_argument("--only", metavar="TOOL,...", help="native, and these tools")
    result.add_argument("--workloads", metavar="NAME,...", help="these workloads")
    result.add_argument("--quick", action="store_true", help="few operations: shows that it works, not what it costs")
    result.add_argument("--check", action="store_true", help="compare with the project's bars; exit 1 if one fails")
    result.add_argument("--json", metavar="FILE", help="all figures, and the ratio of any two tools; -: to stdout")
    result.add_argument("--plot", metavar="FILE.svg", type=Path, help="draw them (needs the extra bench)")
    result.add_argument("--from", dest="source", metavar="FILE", type=Path, help="a --json of before; runs nothing")
    result.add_argument("--list", action="store_true", help="say the names of tools and workloads")
    return result


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def chosen(all_of_them: Sequence[N], names: str | None, always: str = "") -> tuple[N, ...]:
    """Those that are named, in their own order. Raises ValueError for a name that there is not."""
    if names is None:
        return tuple(all_of_them)
    wanted = set(names.split(","))
    if unknown := wanted - {one.name for one in all_of_them}:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; --list says the names")
    return tuple(one for one in all_of_them if one.name in wanted or one.name == always)


def measured(options: argparse.Namespace) -> Results:
    """Runs what the options say. Raises ValueError for names that there are not."""
    tools = chosen(all_tools(has_fast()), options.only, NATIVE)
    workloads = chosen(WORKLOADS, options.workloads)
    plan = Plan(tools, workloads, options.rounds or (1 if options.quick else ROUNDS), options.quick)
    console = Console(stderr=True)
    # The folder may be a server's: another user's.
    with tempfile.TemporaryDirectory(prefix="ptmon-bench-") as folder, console.status("builds") as status:

        def say(line: str) -> None:
            status.update(line)

        return run_all(build(Path(folder)), plan, machine(), say)


def loaded(path: Path) -> Results:
    return Results.from_json(json.loads(path.read_text()))


def main(words: Sequence[str] | None = None) -> int:
    arguments = parser()
    options = arguments.parse_args(words)
    if options.list:
        print("tools:    ", *(tool.name for tool in all_tools(True)))
        print("workloads:", *(workload.name for workload in WORKLOADS))
        return 0
    if options.plot and find_spec("matplotlib") is None:
        arguments.error("--plot needs matplotlib: pip install -e '.[bench]'")
    try:
        results = loaded(options.source) if options.source else measured(options)
    except (ValueError, KeyError, TypeError, OSError) as error:
        arguments.error(str(error))
    out = Console(width=WIDTH, stderr=options.json == "-")
    out.print(table(results))
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
