# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of hazards share: a run beside a plain run, what is left behind, the unprivileged user."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import Outcome, process_state, run_plain, run_ptmon, unprivileged, until

MARK = "PTMON_TEST_MARK"
NOBODY = 65534
LOOKS = 20
"""A state that lasts this many looks in a row is no passing stop of the tracer's own."""


def marked(mark: str) -> list[int]:
    """The processes that were started with this mark in their environment and still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if f"{MARK}={mark}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:  # gone meanwhile, or not ours
            continue
    return found


def run_both(
    command: Sequence[str | Path],
    file: Path,
    *,
    options: Sequence[str] = (),
    same_told: bool = True,
    calls: bool = True,
    complete: bool = True,
    **keywords: Any,
) -> Outcome:
    """Runs ``command`` plainly and under ptmon: same exit status and output, totals as the target tells, nothing left.

    ``same_told``: the last line, where the target tells its counts, is the same in both runs.
    ``calls``: the target tells its calls and errors too, and all of them ended before it told.
    """
    mark = uuid.uuid4().hex
    environment = {**os.environ, **keywords.pop("env", {}), MARK: mark}
    by_itself = run_plain(*command, env=environment, **keywords)
    traced = run_ptmon(command, file, options, env=environment, **keywords)
    assert traced.returncode == by_itself.returncode, traced.stderr
    last = None if same_told else -1
    assert traced.stdout.splitlines()[:last] == by_itself.stdout.splitlines()[:last]
    assert_counted(traced, calls=calls)
    assert traced.report["complete"] is complete, traced.report["warnings"]
    until(lambda: not marked(mark), f"processes left behind: {marked(mark)}", deadline=10)
    return traced


def assert_counted(traced: Outcome, *, calls: bool) -> None:
    """The totals are what the target tells about itself."""
    told, totals = traced.told, traced.totals
    keys = ["sent", "received", *(["calls", "errors"] if calls else [])]
    counted = {**totals, "calls": totals["calls_sent"] + totals["calls_received"]}
    wrong = {key: (counted[key], told[key]) for key in keys if counted[key] != told[key]}
    assert not wrong, f"ptmon's figure and the target's: {wrong}; {traced.report['by_syscall']}"


def reasons(report: dict[str, Any]) -> set[str]:
    """Why the report says that it is not complete."""
    return {warning["reason"] for warning in report["warnings"]}


def lasting_state(pid: int, states: str) -> bool:
    """Whether a process stays in one of these states for LOOKS looks in a row."""
    for _ in range(LOOKS):
        state = process_state(pid)
        if not state or state not in states:
            return False
        time.sleep(0.005)
    return True


def children_of(pid: int) -> list[int]:
    """The children of every thread of a process; none if it is gone."""
    try:
        lists = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
        return [int(word) for path in lists for word in path.read_text().split()]
    except OSError:
        return []


def child_running(pid: int, program: Path) -> int:
    """Waits until a process has a child that runs ``program``, and returns it."""

    def find() -> list[int]:
        return [child for child in children_of(pid) if executable(child) == str(program)]

    found = until(find, f"a child of {pid} that runs {program}")
    assert isinstance(found, list)
    return int(found[0])


def running(program: Path) -> list[int]:
    """The processes that run ``program``, wherever they are."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if executable(pid) == str(program)]


def executable(pid: int) -> str:
    """Path of what a process runs; empty where it can't be known."""
    try:
        return str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return ""


@dataclass(frozen=True)
class Unprivileged:
    """Who has no capabilities: keywords for subprocess that make it so, and a folder that this user may use."""

    folder: Path
    keywords: dict[str, Any] = field(default_factory=dict)

    def copy(self, program: Path, mode: int = 0o755) -> Path:
        """A copy of a program that this user owns and may reach."""
        there = self.folder / program.name
        shutil.copyfile(program, there)
        there.chmod(mode)
        if self.keywords:
            os.chown(there, NOBODY, NOBODY)
        return there


@contextmanager
def as_unprivileged() -> Iterator[Unprivileged]:
    """The user who runs the tests if that is not root, else user 65534."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        keywords = {} if unprivileged() else {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        yield Unprivileged(Path(folder), keywords)
