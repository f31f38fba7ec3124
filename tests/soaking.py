# SPDX-License-Identifier: GPL-2.0-or-later
"""What the soak is made of: verifier.c and what it knows of itself, and the processes that attach to it."""

from __future__ import annotations

import json
import mmap
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attaching import thread_status, threads_of
from tests.hazards import LOOKS
from tests.support import DEADLINE, started, until

FIELDS = struct.Struct("16Q")
"""struct shared of verifier.c: wanted, paused, state, eintr, rounds, ticks; pid and counts of two processes."""
RUNNING, BROKEN, ENDED = 1, 2, 3
THREADS = 4
PROMPT = 20.0
"""Seconds after which a process that should be free is not."""


@dataclass(frozen=True)
class Known:
    """What a verifier says of itself."""

    state: int
    eintr: int
    rounds: int
    pids: tuple[int, int]
    sent: int
    received: int
    calls: int
    errors: int

    def since(self, other: Known) -> dict[str, int]:
        return {key: getattr(self, key) - getattr(other, key) for key in ("sent", "received", "calls", "errors")}


def counted(totals: dict[str, Any]) -> dict[str, int]:
    """A report's totals as a verifier has them."""
    calls = totals["calls_sent"] + totals["calls_received"]
    return {"sent": totals["sent"], "received": totals["received"], "calls": calls, "errors": totals["errors"]}


class Memory:
    """The memory that a verifier shares with who watches it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        until(lambda: file.exists() and file.stat().st_size >= mmap.PAGESIZE, "the verifier's file")
        with file.open("r+b") as opened:
            self.map = mmap.mmap(opened.fileno(), mmap.PAGESIZE)

    def fields(self) -> tuple[int, ...]:
        return FIELDS.unpack_from(self.map)

    def read(self) -> Known:
        _, _, state, eintr, rounds, _, *counts = self.fields()
        mine, childs = counts[:5], counts[5:]
        sums = [one + other for one, other in zip(mine[1:], childs[1:], strict=True)]
        return Known(state, eintr, rounds, (mine[0], childs[0]), *sums)

    def want(self, paused: bool) -> int:
        wanted = self.fields()[0]
        if wanted % 2 != paused:
            wanted += 1
            struct.pack_into("Q", self.map, 0, wanted)
        return wanted


class TrappedError(Exception):
    """A verifier came to a breakpoint that a killed ptmon has left (README, "Calls that are cut short")."""


def ended_by(pid: int) -> int:
    """The signal that has ended a child that nobody has waited for; 0: it runs, or there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[49]) & 0x7F if fields[0] == "Z" else 0  # state and exit_code: proc_pid_stat(5)


class Verifier:
    """A running verifier."""

    def __init__(self, process: subprocess.Popen[str], memory: Memory) -> None:
        self.process = process
        self.memory = memory
        self.traffic(10)

    def assert_well(self) -> None:
        """Raises TrappedError."""
        if self.process.poll() == -signal.SIGTRAP or ended_by(self.memory.read().pids[1]) == signal.SIGTRAP:
            raise TrappedError
        assert self.memory.read().state != BROKEN, self.process.communicate(timeout=DEADLINE)
        assert self.process.poll() is None, self.process.communicate(timeout=DEADLINE)

    @property
    def pids(self) -> tuple[int, int]:
        return self.memory.read().pids

    def traffic(self, rounds: int = 20) -> None:
        """Waits for so many more rounds: it is alive, and what it receives is right."""
        goal = self.memory.read().rounds + rounds

        def reached() -> bool:
            self.assert_well()
            return self.memory.read().rounds >= goal

        until(reached, f"traffic of {self.process.pid}")

    def pause(self) -> Known:
        """Waits until nothing moves any more; what it knows then is exact."""
        wanted = self.memory.want(True)

        def paused() -> bool:
            self.assert_well()
            return self.memory.fields()[1] == wanted

        until(paused, f"the traffic of {self.process.pid} to rest")
        return self.memory.read()

    def resume(self) -> None:
        self.memory.want(False)

    def statuses(self) -> list[dict[str, str]]:
        return [thread_status(task) for pid in self.pids for task in threads_of(pid)]

    def held(self) -> bool:
        """Whether every thread is traced, and has been stopped by that and gone on. No look can tell the latter, for a
        thread that sleeps looks the same before: but all have been traced and asleep for longer than it can take.
        """
        self.assert_well()
        restless = set()
        for look in range(LOOKS):
            time.sleep(0.003)
            tasks = [task for pid in self.pids for task in threads_of(pid)]
            statuses = {task: thread_status(task) for task in tasks}
            if not all(status and status["TracerPid"] != "0" for status in statuses.values()):
                return False
            if look == LOOKS // 2:
                restless = set(tasks)
            restless -= {task for task, status in statuses.items() if status["State"][0] == "S"}
        return not restless

    def assert_free(self) -> None:
        """Nobody traces a thread any more, and none is stopped."""

        def free() -> bool:
            self.assert_well()
            return all(
                status and status["TracerPid"] == "0" and status["State"][0] not in "tT" for status in self.statuses()
            )

        until(free, f"{self.process.pid} to be free: {self.statuses()}", PROMPT)

    def end(self) -> None:
        """It ends by itself and finds that all was right."""
        self.assert_well()
        self.process.send_signal(signal.SIGTERM)
        out, errors = self.process.communicate(timeout=DEADLINE)
        assert (self.process.returncode, errors) == (0, ""), (self.process.returncode, errors)
        assert out.splitlines()[0] == "ok"


@contextmanager
def verifier(program: Path, file: Path, threads: int = THREADS) -> Iterator[Verifier]:
    file.unlink(missing_ok=True)
    with started([program, file, str(threads)]) as process:
        yield Verifier(process, Memory(file))


class Worker:
    """A running tests.soak_worker."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def say(self, *words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate(timeout=DEADLINE)
        return line.strip()

    def touch(self, target: Verifier, after: int) -> None:
        """Attaches and lets go, in the middle of traffic."""
        self.say("touch", after, *target.pids)
        assert json.loads(self.hear())["complete"]

    def count(self, target: Verifier, after: int, rounds: int) -> None:
        """Attaches and lets go while the target rests; between, every byte and every call is counted."""
        before = target.pause()
        self.say("hold", after, *target.pids)
        assert self.hear() == "held"
        until(target.held, f"all of {target.process.pid} to be traced")
        target.resume()
        target.traffic(rounds)
        known = target.pause().since(before)
        self.say("enough")
        totals = json.loads(self.hear())
        target.resume()
        assert counted(totals) == known, f"ptmon's figures and the target's: {totals}, {known}"
        assert totals["complete"]


@contextmanager
def worker() -> Iterator[Worker]:
    words = [sys.executable, "-m", "tests.soak_worker"]
    with started(words, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1]) as process:
        yield Worker(process)


@contextmanager
def load(hogs: int) -> Iterator[None]:
    """Processes that want the processors for themselves."""
    if hogs == 0:
        yield
        return
    with started(["sh", "-c", "while :; do :; done"]), load(hogs - 1):
        yield


def some_after() -> int:
    """How soon calls are counted inside the tracee: at ptmon's own choice, at once, or in the middle of things."""
    return random.choice([0, 1, 3])
