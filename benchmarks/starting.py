# SPDX-License-Identifier: GPL-2.0-or-later
"""Times from the start of a tool to its end: of ``true``, which takes next to nothing, and of a shell with a loop.

What ptmon takes is Python's start and what is its own. So the native time of ``true`` is that of ``python3 -c pass``,
the least that any program in Python takes.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.jobs import Done, Start
from benchmarks.processes import LIMIT, RunError, last_words
from benchmarks.tells import Truth

PROGRAM = ("true",)
NATIVE = (sys.executable, "-c", "pass")
LOOP = "i=0; while [ $i -lt {} ]; do /bin/true; i=$((i+1)); done"


@dataclass(frozen=True, slots=True)
class Starts:
    """A tool that is started so many times, one after the other."""

    start: Start
    runs: int
    words: Sequence[str] = PROGRAM
    native: Sequence[str] = NATIVE
    operations: int = 1
    """Of each run."""

    @property
    def pid(self) -> int:
        """None yet: there is nothing to attach to."""
        return 0

    def work(self) -> Done:
        under = self.start.prefix or self.start.suffix or self.start.environment
        words = self.start.around(self.words) if under else list(self.native)
        out = self.start.folder / "out"
        with out.open("wb") as file:
            begun = time.perf_counter_ns()
            for _ in range(self.runs):
                self._run(words, file.fileno())
            passed = time.perf_counter_ns() - begun
        return Done(passed / (self.runs * self.operations), Truth.exactly(0, 0))

    def end(self) -> None:
        """All have ended by themselves."""

    def _run(self, words: list[str], out: int) -> None:
        environment = {**os.environ, **(self.start.environment or {})}
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, start_new_session=True
        ) as process:
            if not _has_ended(process.pid):
                os.killpg(process.pid, signal.SIGKILL)
                raise RunError(f"did not end within {LIMIT:.0f} s")
        if process.returncode:
            raise RunError(f"exit status {process.returncode}: {last_words(self.start.folder / 'out')}")


def _has_ended(pid: int) -> bool:
    """Waits for that. Popen.wait() with a timeout looks every 50 ms, which is longer than what is measured here."""
    number = os.pidfd_open(pid)
    try:
        return bool(select.select([number], [], [], LIMIT)[0])
    finally:
        os.close(number)


def shell_loop(start: Start, count: int) -> Starts:
    """One shell, which runs so many programs."""
    words = ("sh", "-c", LOOP.format(count))
    return Starts(start, 1, words, words, count)
