# SPDX-License-Identifier: GPL-2.0-only
"""Runs the workloads under the tools, interleaved, and keeps ratios.

A shared machine gets faster and slower by the minute. So in each round every tool does every workload, in random order,
and a tool's figure is its time over the native time of the same round; what is shown is the median over the rounds.
"""

from __future__ import annotations

import random
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 300
"""Seconds that one run may take."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What is done, and how often in one run."""

    name: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Tool:
    """What it is done under."""

    name: str
    prefix: tuple[str, ...]
    cannot: frozenset[str] = frozenset()
    """Workloads which this tool does not trace."""

    @property
    def missing(self) -> bool:
        return bool(self.prefix) and shutil.which(self.prefix[0]) is None


PTMON = (str(Path(sys.executable).with_name("ptmon")), "--quiet")
WORKLOADS = (
    Workload("ping_pong", "1-byte send and recv", 10_000),
    Workload("ping_pong_threads", "the same in 4 threads", 10_000),
    Workload("file_read", "read of a regular file", 10_000),
    Workload("unwatched", "a call that is not watched", 500_000),
    Workload("fork_exec", "fork, exec and wait", 300),
)
NATIVE = Tool("native", ())
TOOLS = (
    NATIVE,
    Tool("ptmon", PTMON),
    Tool("ptmon, no filter", (*PTMON, "--seccomp", "off"), frozenset({"unwatched"})),
    Tool(
        "ptmon reference", (*PTMON, "--engine", "reference"), frozenset({"unwatched", "fork_exec", "ping_pong_threads"})
    ),
    Tool("strace, filter", ("strace", "-o", "/dev/null", "-f", "--seccomp-bpf", "-c", "-e", "trace=%network")),
    Tool("strace", ("strace", "-o", "/dev/null", "-f", "-c"), frozenset({"unwatched"})),
)


@dataclass(slots=True)
class Figures:
    """Nanoseconds per operation, by tool and workload, one for each round."""

    values: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, tool: Tool, workload: Workload, nanoseconds: float) -> None:
        self.values.setdefault((tool.name, workload.name), []).append(nanoseconds)

    def median(self, tool: Tool, workload: Workload) -> float:
        return statistics.median(self.values[tool.name, workload.name])

    def ratios(self, tool: Tool, workload: Workload, base: Tool = NATIVE) -> list[float]:
        """This tool's time over another's, round by round. Empty where either was not run."""
        mine = self.values.get((tool.name, workload.name), [])
        return [
            value / other for value, other in zip(mine, self.values.get((base.name, workload.name), []), strict=False)
        ]


def build(folder: Path) -> Path:
    """Compiles the workloads. Raises CalledProcessError."""
    program = folder / "workload"
    source = Path(__file__).with_name("workload.c")
    subprocess.run(["cc", "-O2", "-pthread", "-o", str(program), str(source)], check=True)
    return program


def run_once(program: Path, tool: Tool, workload: Workload) -> float:
    """One run: nanoseconds per operation, as the workload itself measured them."""
    command = [*tool.prefix, str(program), workload.name, str(workload.count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT)
    return float(done.stdout)


def run_all(program: Path, rounds: int) -> Figures:
    """All tools and workloads, ``rounds`` times."""
    figures = Figures()
    pairs = [
        (tool, workload)
        for tool in TOOLS
        for workload in WORKLOADS
        if not tool.missing and workload.name not in tool.cannot
    ]
    for _ in range(rounds):
        random.shuffle(pairs)
        for tool, workload in pairs:
            figures.add(tool, workload, run_once(program, tool, workload))
    return figures
