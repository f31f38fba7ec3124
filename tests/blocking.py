# SPDX-License-Identifier: GPL-2.0-or-later
"""Long calls, the rows of tests/targets/blocking_*.c: made by themselves, under ptmon, and attached to meanwhile."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.attaching import attached
from tests.fast import MODES
from tests.support import DEADLINE, SOURCES, Targets, run_plain, run_ptmon, started

LIMITS = (1.5, 6.0)
"""Seconds of the calls that have a time limit: with the second one if the machine was too busy for the first."""

LATE = 0.3
"""By which part of its limit a call may be late: it is not disturbed before a third has passed and could begin anew."""

EARLY = 0.005
"""By which part of it it may seem early: the target's clock is not the kernel's."""

PATCHED_WITHIN = 5.0
"""Seconds in which ptmon has changed the code of a process that it holds, if it does."""

ROW = re.compile(r'^\t\t(ENDS|EXPIRES|WORKS)\("([^"]+)",', re.MULTILINE)


@dataclass(frozen=True)
class Call:
    """A row of the table of tests/targets/PROGRAM.c."""

    name: str
    kind: str
    program: str


CALLS = {
    name: Call(name, kind, path.stem)
    for path in sorted(SOURCES.glob("blocking_*.c"))
    for kind, name in ROW.findall(path.read_text())
}


@dataclass(frozen=True)
class Ended:
    """What a call returned, as the target tells it, and ptmon's report if there was one."""

    result: int
    error: str
    seconds: float
    limit: float
    sent: int
    received: int
    changed: bool
    """Whether ptmon changed the program's code while the call lasted."""

    report: dict[str, Any]
    meanwhile: bool = True
    """Whether ptmon came and went before the time limit."""

    @property
    def returned(self) -> tuple[int, str]:
        return self.result, self.error

    @property
    def late(self) -> float:
        """By which part of its time limit it was too late."""
        return round(self.seconds / self.limit - 1, 3)


def read(out: str, limit: float, folder: Path, report: dict[str, Any], what: object) -> Ended:
    """The last two lines of a target, and what it left in its folder."""
    found = re.search(r'^\S+ (-?\d+) (\S+) (\d+\.\d+)\n\{"sent": (\d+), "received": (\d+)\}\n\Z', out, re.MULTILINE)
    assert found, f"the target has told nothing: {what}"
    result, error, seconds, sent, received = found.groups()
    changed = (folder / "changed").exists()
    return Ended(int(result), error, float(seconds), limit, int(sent), int(received), changed, report)


@dataclass(frozen=True)
class Runner:
    """``runner(call, mode)`` makes one call: as "native", in one of tests.fast.MODES, or attached to and let go.

    "killed": attached to, and ptmon is killed as soon as it has changed the code. "locked": as by default, and the
    program gives all its threads a seccomp filter meanwhile.
    """

    targets: Targets
    folder: Path

    def __call__(self, call: Call, mode: str) -> Ended:
        for limit in LIMITS:
            run = self.attached if mode in ("attach", "killed") else self.launched
            ended = run(call, mode, limit)
            if call.kind != "EXPIRES" or (ended.meanwhile and ended.late < LATE):
                break
        return ended

    @contextmanager
    def command(self, call: Call, mode: str, limit: float) -> Iterator[tuple[list[str], Path]]:
        """The words to run the target, and a folder, which is gone afterwards: there are large files."""
        folder = self.folder / f"{call.name}.{mode}.{limit}"
        folder.mkdir()
        yield [str(self.program(call, mode)), call.name, str(folder), str(int(limit * 1000))], folder
        shutil.rmtree(folder)

    def program(self, call: Call, mode: str) -> Path:
        return self.targets(call.program, *(["-DLOCKED"] if mode == "locked" else []))

    def launched(self, call: Call, mode: str, limit: float) -> Ended:
        with self.command(call, mode, limit) as (words, folder):
            if mode == "native":
                done = run_plain(*words, stdin=subprocess.DEVNULL)
            else:
                done = run_ptmon(words, folder / "report.json", MODES.get(mode, ()), stdin=subprocess.DEVNULL)
            return read(done.stdout, limit, folder, done.report, done)

    def attached(self, call: Call, mode: str, limit: float) -> Ended:
        with self.command(call, mode, limit) as (words, folder):
            with started(words, stdin=subprocess.PIPE) as process:
                assert process.stdout is not None
                assert process.stdout.readline() == "blocked\n"
                blocked = time.monotonic()
                with attached(process.pid, folder / "report.json", states="RSDt") as ptmon:
                    self.await_change(folder, limit / 4 if call.kind == "EXPIRES" else PATCHED_WITHIN)
                    if mode == "killed":
                        ptmon.tracer.kill()
                        ptmon.tracer.wait()
                    else:
                        ptmon.detach()
                took = time.monotonic() - blocked
                out, errors = process.communicate("\n", timeout=DEADLINE)
            ended = read(out, limit, folder, ptmon.report, (process.returncode, out, errors))
        return replace(ended, meanwhile=took < limit / 2)

    @staticmethod
    def await_change(folder: Path, seconds: float) -> None:
        """A process that stays at stops keeps its code: it is held as long."""
        end = time.monotonic() + seconds
        while not (folder / "changed").exists() and time.monotonic() < end:
            time.sleep(0.005)
