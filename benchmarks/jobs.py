# SPDX-License-Identifier: GPL-2.0-or-later
"""A workload under way: started (under a tool or not), ready, let go, ended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.processes import LIMIT, Process, RunError, Usage, check_runs, gone_after, started, until, wait_for_end
from benchmarks.tells import Truth


@dataclass(frozen=True, slots=True)
class Built:
    """What was compiled."""

    program: Path
    shim: Path


@dataclass(frozen=True, slots=True)
class Start:
    """How a tool wants the workload to be started."""

    folder: Path
    """Of this run alone."""
    prefix: Sequence[str] = ()
    environment: Mapping[str, str] | None = None
    suffix: Sequence[str] = ()

    def around(self, words: Sequence[str]) -> list[str]:
        """The program's command, under the tool."""
        return [*self.prefix, *words, *self.suffix]


@dataclass(frozen=True, slots=True)
class Done:
    """What the workload tells of itself."""

    nanoseconds: float
    """Of one operation."""
    truth: Truth
    usage: Usage | None = None
    """Of the program, or of the tool that started it."""


class Job(Protocol):
    """What is started and waits for its work."""

    @property
    def pid(self) -> int:
        """The process that works, not the tool that it is under."""

    def work(self) -> Done:
        """Lets it go, and returns when the work is done and every byte of it is counted."""

    def end(self) -> None:
        """Ends it, and waits until the tool that it is under has ended too."""


def build(folder: Path) -> Built:
    """Compiles the workloads and the shim. Raises RunError if that can't be done."""
    here = Path(__file__).parent
    built = Built(folder / "workload", folder / "shim.so")
    flags = ["-O2", "-pthread", "-U_FORTIFY_SOURCE"]
    parts = (
        (built.program, ("workload.c", "many.c"), ()),
        (built.shim, ("shim.c",), ("-shared", "-fPIC", "-ldl")),
    )
    for path, sources, more in parts:
        try:
            done = subprocess.run(["cc", *flags, "-o", path, *(here / source for source in sources), *more])
        except FileNotFoundError:
            raise RunError("the workloads can't be compiled: there is no cc") from None
        if done.returncode:
            raise RunError(f"{sources[0]} can't be compiled: cc says why above")
    return built


@dataclass(frozen=True, slots=True)
class Program:
    """workload.c at work."""

    process: Process
    pid: int
    out: Path
    result: Path
    count: int
    limit: float

    def work(self) -> Done:
        assert self.process.stdin is not None
        self.process.stdin.close()  # which poll(2) tells as readable
        usage = wait_for_end(self.process, self.out, limit=self.limit)
        told = json.loads(self.result.read_text())
        return Done(told["nanoseconds"] / self.count, Truth.exactly(told["sent"], told["received"]), usage)

    def end(self) -> None:
        """It has ended by itself."""


@contextmanager
def program(
    built: Built, name: str, count: int, start: Start, command: Sequence[str] = (), limit: float = LIMIT
) -> Iterator[Program]:
    """``command``: one run of it is all of the operations."""
    out, result = start.folder / "out", start.folder / "result"
    runs = 1 if command else count
    words = start.around([str(built.program), name, str(runs), str(result), *command])
    with started(words, out, start.environment or {}) as process:

        def ready() -> list[str]:
            check_runs(process, out)
            lines = [line.split() for line in out.read_text(errors="replace").splitlines(True) if line.endswith("\n")]
            return next((line for line in lines if len(line) == 2 and line[0] == "ready"), [])

        pid = int(until(ready, "the workload to be ready")[1])
        with gone_after(pid):
            yield Program(process, pid, out, result, count, limit)


def which(name: str) -> str | None:
    """Servers are not on every user's path."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
