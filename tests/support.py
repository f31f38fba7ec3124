# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests share: compiling targets, running ptmon, waiting for a condition with a deadline."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "targets"
PTMON = [sys.executable, "-m", "ptmon"]
TEST_OPTIONS = shlex.split(os.environ.get("PTMON_TEST_OPTIONS", ""))
"""More options for what the tests trace, such as "--fast off": so the whole suite runs with another engine setting."""
DEADLINE = float(os.environ.get("PTMON_TEST_DEADLINE", 60))
"""Seconds after which a test gives up: far more than any needs, even on a busy machine."""

ODD, ODD_SHOWN = b'\xff"\\', '\\xff"\\'
"""A program's name that is no UTF-8, and as it is shown."""


class Targets:
    """Compiles tests/targets/*.c on demand, once a session for each set of flags."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, *flags: str, compiler: str = "cc") -> Path:
        path = self.folder / "".join([name, *flags, compiler.removeprefix("cc")]).replace("/", "_")
        if not path.exists():
            command = [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread", *flags]
            subprocess.run([*command, "-o", str(path), str(SOURCES / f"{name}.c")], check=True)
        return path


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    returncode: int
    stdout: str
    stderr: str
    report: dict[str, Any]

    @property
    def told(self) -> dict[str, Any]:
        """What the target itself says: the last line that it printed, a JSON object like {"sent": 1, "received": 2}."""
        told = json.loads(self.stdout.splitlines()[-1])
        assert isinstance(told, dict)
        return told

    @property
    def totals(self) -> dict[str, int]:
        totals = self.report["totals"]
        assert isinstance(totals, dict)
        return totals


def assert_sums_agree(report: dict[str, Any]) -> None:
    """totals = Σ processes = Σ threads = Σ sockets = Σ by_family = Σ by_scope = Σ by_peer; calls = paths."""
    for way in ("sent", "received"):
        total = report["totals"][way]
        assert total == sum(process[way] for process in report["processes"])
        assert total == sum(thread[way] for process in report["processes"] for thread in process["threads"])
        assert total == sum(socket[way] for socket in report["sockets"])
        assert total == sum(row[way] for row in report["by_family"].values())
        assert total == sum(row[way] for row in report["by_scope"].values())
        assert total == sum(row[way] for row in report["by_peer"])
        assert report["totals"][f"calls_{way}"] == sum(row[f"calls_{way}"] for row in report["by_peer"])
    assert sum(report["path"].values()) == report["totals"]["calls_sent"] + report["totals"]["calls_received"]


def tracing(*options: str | Path) -> list[str]:
    """ptmon and its options, after those of PTMON_TEST_OPTIONS: of an option given twice the last one holds."""
    more = [] if "reference" in options else TEST_OPTIONS
    return [*PTMON, *more, *map(str, options)]


def run_ptmon(
    command: Sequence[str | Path],
    file: Path,
    options: Sequence[str] = (),
    **keywords: Any,
) -> Outcome:
    """Runs ``ptmon [options] --format json -o file -- command``; its report's sums are checked on the way."""
    words = tracing(*options, "--format", "json", "-o", file, "--", *command)
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, **keywords)
    report = json.loads(file.read_text()) if file.exists() else {}
    if report:
        assert_sums_agree(report)
    return Outcome(done.returncode, done.stdout, done.stderr, report)


def run_plain(*command: str | Path, **keywords: Any) -> Outcome:
    """Runs a command without ptmon."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=DEADLINE, **keywords)
    return Outcome(done.returncode, done.stdout, done.stderr, {})


def until(condition: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """Polls ``condition`` until it is true and returns its value; fails with ``what`` after ``deadline`` seconds."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        assert time.monotonic() < end, f"gave up waiting: {what}"
        time.sleep(0.005)
    return value


def process_state(pid: int) -> str:
    """The state letter of /proc/PID/stat (proc(5)): R S D T t Z …; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def status_field(pid: int, field: str) -> str:
    """One field of /proc/PID/status, such as TracerPid."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    raise KeyError(field)


@contextmanager
def started(words: Sequence[str | Path], **keywords: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is surely gone when the block ends."""
    keywords = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **keywords}
    process = subprocess.Popen([*map(str, words)], **keywords)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def unprivileged() -> bool:
    return os.geteuid() != 0


def oddly_named(program: Path, folder: Path) -> Path:
    """The same program by the name ODD."""
    name = folder / os.fsdecode(ODD)
    name.symlink_to(program)
    return name
