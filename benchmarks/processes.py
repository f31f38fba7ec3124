# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that are surely gone in the end, and waiting for what they do, with a deadline."""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO, TypeVar

T = TypeVar("T")
LIMIT = 120.0
"""Seconds that one run may take, or any step of it."""
LISTEN, TIME_WAIT = "0A", "06"
"""States in /proc/net/tcp (include/net/tcp_states.h)."""
LOOKS = 20
"""A state that lasts so many looks in a row is no passing one."""


LOOK = 0.01
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took, from its start to its end."""

    own: float
    """Seconds of CPU time, in steps of a clock tick."""
    all: float
    """The same with that of the children which it has waited for: a tracer's are what it traced."""
    peak: int
    """Bytes that it had in memory at most, but for those of the last moment."""


class RunError(Exception):
    """A tool could not do a workload; why, in words."""


class Process(subprocess.Popen[bytes]):
    """With a thread that looks at its memory until it ends.

    The kernel's ru_maxrss would be of no use: it has the memory of who called execve, which is ours.
    """

    def __init__(self, words: Sequence[str], out: IO[bytes], environment: Mapping[str, str]) -> None:
        # A group of its own, so that what it started can be ended with it.
        super().__init__(
            words, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT, env=environment, process_group=0
        )
        self.peak = 0
        self._look_once()  # it has executed its program, and may be gone when the thread begins
        self._ended = Event()
        self._looks = Thread(target=self._look, daemon=True)
        self._looks.start()

    def reap(self, limit: float) -> Usage:
        """Waits for the end. Raises RunError if it is not reached within so many seconds."""
        fd = os.pidfd_open(self.pid)
        try:
            if not select.select([fd], [], [], limit)[0]:
                raise RunError(f"did not end within {limit:.0f} s")
        finally:
            os.close(fd)
        self.look_no_more()
        # It is not waited for yet, so there is something to look at.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        _, status, used = os.wait4(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        return Usage(own, used.ru_utime + used.ru_stime, self.peak)

    def look_no_more(self) -> None:
        self._ended.set()
        self._looks.join()

    def _look(self) -> None:
        pause = LOOK / 16
        while self._look_once() and not self._ended.wait(pause):
            pause = min(2 * pause, LOOK)

    def _look_once(self) -> bool:
        """False: somebody else has waited for it."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except OSError:
            return False
        sizes = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        self.peak = max(self.peak, *sizes, 0)
        return True


@contextmanager
def started(words: Sequence[str], out: Path, environment: Mapping[str, str]) -> Iterator[Process]:
    """A process whose output goes to a file; if it still runs when the block ends, it and its children are killed."""
    with out.open("wb") as file:
        process = Process(words, file, {**os.environ, **environment})
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.look_no_more()
        if process.stdin:
            with suppress(OSError):
                process.stdin.close()


@contextmanager
def gone_after(pid: int) -> Iterator[None]:
    """If the block fails, ends what a tool has started: it may outlive the tool, which is its parent and lives yet."""
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise


def until(condition: Callable[[], T], what: str) -> T:
    """Polls until the condition is true, and returns its value."""
    end = time.monotonic() + LIMIT
    while not (value := condition()):
        if time.monotonic() > end:
            raise RunError(f"gave up waiting for {what}")
        time.sleep(0.002)
    return value


def check_runs(process: Process, out: Path) -> None:
    """Raises RunError with what the process said if it has ended too early."""
    if process.poll() is not None:
        raise RunError(f"ended early with {process.returncode}: {last_words(out)}")


def wait_for_end(process: Process, out: Path, fine: Sequence[int] = (0,), limit: float = LIMIT) -> Usage:
    usage = process.reap(limit)
    if process.returncode not in fine:
        raise RunError(f"exit status {process.returncode}: {last_words(out)}")
    return usage


def last_words(out: Path) -> str:
    lines = out.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip()[:200] if lines else "without a word"


def run(words: Sequence[str]) -> str:
    """What a client says. Raises RunError if it can't be run, or fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        raise RunError(f"{words[0]} did not end within {LIMIT:.0f} s") from None
    if done.returncode:
        raise RunError(f"{words[0]}: exit status {done.returncode}: {done.stderr.strip()[:200]}")
    return done.stdout + done.stderr


def held(pid: int, tracer: int) -> bool:
    """Whether every thread has this tracer, and stays where it waits: an attach is over."""
    for _ in range(LOOKS):
        for task in Path(f"/proc/{pid}/task").iterdir():
            lines = (task / "status").read_text().splitlines()
            status = dict(line.split(":", 1) for line in lines if ":" in line)
            if int(status["TracerPid"]) != tracer or status["State"].split()[0] != "S":
                return False
        time.sleep(0.002)
    return True


def states(port: int) -> list[str]:
    """Of the TCP sockets with this local port. Asked of the kernel: a connection would be counted as one."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[3] for row in rows if row[1].endswith(f":{port:04X}")]


def listens(port: int) -> bool:
    return LISTEN in states(port)


def connections(port: int) -> int:
    """How many a server has, or has not closed yet."""
    return sum(state not in (LISTEN, TIME_WAIT) for state in states(port))


def free_port() -> int:
    """One to listen on, below those that the kernel gives to clients, so that none takes it meanwhile."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as trial, suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port
