# SPDX-License-Identifier: GPL-2.0-only
"""Start-up: from the start of a tool to its end, of which the program that it runs takes next to nothing.

What ptmon takes is Python's start and what is its own. So the native time is that of ``python3 -c pass``, the least
that any program in Python takes, and not that of ``true``, which the tools run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.jobs import Done, Start
from benchmarks.processes import LIMIT, RunError, last_words
from benchmarks.tells import Truth

NATIVE = (sys.executable, "-c", "pass")


@dataclass(frozen=True, slots=True)
class Starts:
    """A tool that is started so many times, one after the other."""

    start: Start
    count: int

    @property
    def pid(self) -> int:
        """None yet: there is nothing to attach to."""
        return 0

    def work(self) -> Done:
        under = self.start.prefix or self.start.suffix or self.start.environment
        words = self.start.around(["true"]) if under else list(NATIVE)
        out = self.start.folder / "out"
        with out.open("wb") as file:
            begun = time.perf_counter_ns()
            for _ in range(self.count):
                self._run(words, file.fileno())
            passed = time.perf_counter_ns() - begun
        return Done(passed / self.count, Truth.exactly(0, 0))

    def end(self) -> None:
        """All have ended by themselves."""

    def _run(self, words: list[str], out: int) -> None:
        environment = {**os.environ, **(self.start.environment or {})}
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            raise RunError(f"did not end within {LIMIT:.0f} s") from None
        if done.returncode:
            raise RunError(f"exit status {done.returncode}: {last_words(self.start.folder / 'out')}")
