# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the workloads under the tools, interleaved: in each round every tool does every workload.

The order is random, but one workload's runs follow each other, so that what is compared is as close in time as may be.
"""

from __future__ import annotations

import json
import random
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.jobs import Built, Done, Start
from benchmarks.processes import Process, RunError, Usage, check_runs, held, last_words, started, until, wait_for_end
from benchmarks.results import NATIVE, Cell, Column, Results, Row, Verdict
from benchmarks.servers import job
from benchmarks.servers import why_missing as workload_missing
from benchmarks.tools import NO_FAST, Tool
from benchmarks.trials import why_missing as tool_missing
from benchmarks.workloads import SCALE, Speed, Workload

SCALE_ROUNDS = 3
BY_SIGINT = (0, -signal.SIGINT, 128 + signal.SIGINT)
"""How a tracer ends that is asked to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one tool at one workload."""

    nanoseconds: float
    verdict: Verdict
    cpu_seconds: float | None = None
    """At scale alone."""
    peak_bytes: int | None = None


@dataclass(slots=True)
class Taken:
    """What the rounds of one tool at one workload have brought so far."""

    operations: int
    outcomes: list[Outcome] = field(default_factory=list)
    failed: str = ""

    def cell(self) -> Cell:
        verdicts = {outcome.verdict for outcome in self.outcomes}
        verdict = Verdict.DIFFERENT if Verdict.DIFFERENT in verdicts else next(iter(verdicts), Verdict.SILENT)
        good = [] if self.failed else self.outcomes
        return Cell(
            self.operations,
            tuple(outcome.nanoseconds for outcome in good),
            verdict,
            self.failed,
            tuple(outcome.cpu_seconds for outcome in good if outcome.cpu_seconds is not None),
            tuple(outcome.peak_bytes for outcome in good if outcome.peak_bytes is not None),
        )


@contextmanager
def tracer(tool: Tool, built: Built, folder: Path, pid: int) -> Iterator[Callable[[bool], Usage | None]]:
    """A tool that attaches, once it has; the function lets it end: by itself (True), or by SIGINT if it waits for that.
    It returns what the tool took, once it has ended.

    For a tool that starts the program itself there is nothing to do.
    """
    if not tool.attached_when:
        yield lambda ended: None
        return
    out = folder / "tracer.out"
    with started(tool.command(folder, built.shim, pid), out, tool.surroundings(folder, built.shim)) as process:

        def attached() -> bool:
            check_runs(process, out)
            if tool.attached_when == "held":
                return held(pid, process.pid)
            return tool.attached_when in out.read_text(errors="replace").split()

        until(attached, f"{tool.title} to attach")
        yield lambda ended: let_end(process, tool, out, ended)


def let_end(process: Process, tool: Tool, out: Path, ended: bool) -> Usage | None:
    """Who holds the process ends with it. Others are asked to, before a server ends: its last words are no traffic."""
    if tool.attached_when == "held":
        if ended:
            return wait_for_end(process, out)
    elif not ended:
        process.send_signal(signal.SIGINT)
        return wait_for_end(process, out, BY_SIGINT)
    return None


def outcome_of(tool: Tool, workload: Workload, done: Done, verdict: Verdict, usage: Usage | None) -> Outcome:
    """``usage``: of a tool that has attached."""
    usage = usage or done.usage
    if workload.group != SCALE or usage is None:
        return Outcome(done.nanoseconds, verdict)
    return Outcome(done.nanoseconds, verdict, usage.all if tool.name == NATIVE else usage.own, usage.peak)


def verdict_of(tool: Tool, folder: Path, done: Done) -> Verdict:
    if tool.tells is None:
        return Verdict.SILENT
    try:
        traffic = tool.tells(folder)
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise RunError(f"its figures can't be read: {error}") from error
    return Verdict.EQUAL if done.truth.holds_for(traffic) else Verdict.DIFFERENT


def run_once(built: Built, tool: Tool, workload: Workload, count: int) -> Outcome:
    """One run. Raises RunError."""
    # Not in a folder that only this user may enter: a server may be another's.
    with tempfile.TemporaryDirectory(prefix="ptmon-bench-") as name:
        folder = Path(name)
        launch = tool.attached_when == "" and tool.words
        prefix: Sequence[str] = tool.command(folder, built.shim) if launch else ()
        environment = None if tool.attached_when else tool.surroundings(folder, built.shim)
        start = Start(folder, prefix, environment, tool.after)
        try:
            with job(built, workload, count, start) as one, tracer(tool, built, folder, one.pid) as let_go:
                done = one.work()
                usage = let_go(False)
                one.end()
                usage = let_go(True) or usage
        except (OSError, ValueError) as error:
            said = last_words(folder / "out") if (folder / "out").exists() else ""
            raise RunError(f"{type(error).__name__}: {error} {said}".strip()) from error
        return outcome_of(tool, workload, done, verdict_of(tool, folder, done), usage)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run."""

    tools: tuple[Tool, ...]
    workloads: tuple[Workload, ...]
    rounds: int
    quick: bool = False
    scale_rounds: int = SCALE_ROUNDS
    """Of what stands in the table of scale."""

    def rounds_of(self, workload: Workload) -> int:
        return self.scale_rounds if workload.group == SCALE else self.rounds


def run_all(built: Built, plan: Plan, machine: Mapping[str, str], say: Callable[[str], None]) -> Results:
    """All tools and workloads of the plan. What fails once is said, and not run again."""
    rows = tuple(
        Row(tool.name, tool.title, tool.shown(), tool.missing or tool_missing(tool), tool.why_not)
        for tool in plan.tools
    )
    columns = tuple(
        Column(one.name, one.title, one.operation, workload_missing(one), one.group) for one in plan.workloads
    )
    # A ptmon without --fast is run all the same: as it is.
    usable = [tool for tool, row in zip(plan.tools, rows, strict=True) if row.missing in ("", NO_FAST)]
    taken = {
        (tool.name, workload.name): Taken(workload.count(speed, plan.quick))
        for tool in usable
        for workload, column in zip(plan.workloads, columns, strict=True)
        if (speed := speed_at(tool, workload)) and not column.missing
    }
    rounds = max(map(plan.rounds_of, plan.workloads))
    for number in range(rounds):
        for tool, workload in shuffled(usable, [one for one in plan.workloads if number < plan.rounds_of(one)]):
            one = taken.get((tool.name, workload.name))
            if one is None or one.failed:
                continue
            say(f"round {number + 1} of {rounds}: {workload.name}, {tool.title}")
            try:
                one.outcomes.append(run_once(built, tool, workload, one.operations))
            except RunError as error:
                one.failed = str(error)
    cells = {key: one.cell() for key, one in taken.items()}
    return Results(machine, plan.rounds, rows, columns, cells, measurement=not plan.quick)


def speed_at(tool: Tool, workload: Workload) -> Speed | None:
    """None: the tool does not do it."""
    if workload.tools and tool.name not in workload.tools and not tool.given:
        return None
    speed = tool.speed_at(workload.name)
    return speed if speed in workload.counts else None


def shuffled(tools: Sequence[Tool], workloads: Sequence[Workload]) -> Iterator[tuple[Tool, Workload]]:
    for workload in random.sample(workloads, len(workloads)):
        for tool in random.sample(tools, len(tools)):
            yield tool, workload
