# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of attach share: the target that obeys, and how to know that ptmon holds all of it, or nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hazards import LOOKS
from tests.support import DEADLINE, assert_sums_agree, started, tracing, until

AT_ONCE = 5.0
"""Seconds that a detach may take at most, on a machine that is busy with other things too."""


@dataclass(frozen=True)
class Busy:
    """tests/targets/busy.c: every word is answered by its counts."""

    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, word: str) -> dict[str, int]:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, int]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the target ended: {self.process.wait()}"
        told = json.loads(line)
        assert isinstance(told, dict)
        return told

    def transfer(self, least: int = 2000) -> None:
        """Lets the threads transfer until so many more calls have ended, then rest."""
        goal = self.ask("go")["calls"] + least
        until(lambda: self.ask("count")["calls"] > goal, "traffic")
        self.ask("pause")

    def quit(self) -> None:
        """Ends the target, which has found all its data as it should be."""
        self.ask("quit")
        assert self.process.wait(DEADLINE) == 0


@contextmanager
def busy(program: Path, pairs: int = 4) -> Iterator[Busy]:
    with started([program, str(pairs)], stdin=subprocess.PIPE) as process:
        target = Busy(process)
        target.answer()
        yield target


def threads_of(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").iterdir())


def thread_status(task: Path) -> dict[str, str]:
    """/proc/PID/task/TID/status; empty if the thread is gone."""
    try:
        lines = (task / "status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def held_by(pid: int, tracer: int, states: str, but: int = 0) -> bool:
    """Whether all threads have this tracer (0: none) and stay in these states: a stop to attach or detach is over.

    ``but`` is one that is not looked at, as a leader that has exited.
    """
    for _ in range(LOOKS):
        statuses = [thread_status(task) for task in threads_of(pid) if int(task.name) != but]
        if not all(status and int(status["TracerPid"]) == tracer for status in statuses):
            return False
        if not all(status["State"][0] in states for status in statuses):
            return False
        time.sleep(0.005)
    return True


def assert_free(pid: int) -> None:
    """No thread is traced or stopped any more."""
    for task in threads_of(pid):
        status = thread_status(task)
        assert status["TracerPid"] == "0"
        assert status["State"][0] not in "tT"


@dataclass
class Attached:
    """A ptmon that holds a process, and its report once it has let go."""

    tracer: subprocess.Popen[str]
    file: Path
    report: dict[str, Any]

    def detach(self, number: int = signal.SIGINT) -> None:
        """Asks ptmon to end, which it does at once, and reads its report."""
        asked = time.monotonic()
        self.tracer.send_signal(number)
        self.finish()
        assert time.monotonic() - asked < AT_ONCE

    def finish(self) -> str:
        """Waits for ptmon's end, reads its report, and returns what it said on stderr."""
        errors = self.tracer.communicate(timeout=DEADLINE)[1]
        assert self.tracer.returncode == 0, (self.tracer.returncode, errors)
        self.report = json.loads(self.file.read_text())
        assert_sums_agree(self.report)
        return str(errors)


def words_to_attach(pid: int, file: Path, *options: str) -> list[str]:
    return tracing("--format", "json", "-o", file, *options, "--attach", str(pid))


@contextmanager
def attached(pid: int, file: Path, *options: str, states: str = "S") -> Iterator[Attached]:
    """ptmon, attached to every thread of a process that rests in one of ``states``."""
    with started(words_to_attach(pid, file, *options)) as tracer:

        def holds() -> bool:
            assert tracer.poll() is None, tracer.communicate()[1]
            return held_by(pid, tracer.pid, states)

        until(holds, f"ptmon to hold all of {pid}")
        yield Attached(tracer, file, {})
