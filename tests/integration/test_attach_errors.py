# SPDX-License-Identifier: GPL-2.0-or-later
"""What can't be attached to: one line that says why and what to do, status 125, and nothing changed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import Busy, attached, busy, held_by, thread_status, threads_of
from tests.hazards import Unprivileged
from tests.support import DEADLINE, PTMON, Targets, process_state, started, until


def refused(pid: int | str, *options: str, **keywords: Any) -> str:
    """The one line that ptmon says when it can't attach to ``pid``."""
    words = [*PTMON, *options, "--attach", str(pid)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, **keywords)
    assert done.returncode == 125, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("ptmon: ")
    assert str(pid) in line
    return str(line)


def look(pid: int) -> list[tuple[str, ...]]:
    """What an attach would change: tracer, state and pending signals of every thread."""
    fields = ("Pid", "TracerPid", "State", "SigPnd", "ShdPnd", "SigBlk")
    return sorted(tuple(thread_status(task)[field] for field in fields) for task in threads_of(pid))


def at_rest(pid: int) -> list[tuple[str, ...]]:
    """The same, once every thread sleeps."""
    until(lambda: held_by(pid, 0, "S"), f"process {pid} to rest")
    return look(pid)


def unused_pid() -> int:
    """A pid that nothing has: the child that had it is reaped."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_a_pid_that_nothing_has() -> None:
    assert "No such process" in refused(unused_pid())


@pytest.mark.parametrize("word", ["0", "-1", "7x", "", "7,-1", "99999999999999999999"])
def test_what_is_no_pid_is_a_usage_error(word: str) -> None:
    done = subprocess.run([*PTMON, f"--attach={word}"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can start processes of two other users")
@pytest.mark.parametrize("owner", [0, 65533])
def test_another_users_process(nobody: Unprivileged, owner: int) -> None:
    with started(["sleep", "1000"], user=owner, group=owner, extra_groups=[]) as victim:
        before = at_rest(victim.pid)
        assert "Operation not permitted" in refused(victim.pid, **nobody.keywords)
        assert at_rest(victim.pid) == before


def test_ptmon_itself() -> None:
    script = 'echo $$ >&2; exec "$@" --attach $$'
    done = subprocess.run(["sh", "-c", script, "sh", *PTMON], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    pid, line = done.stderr.splitlines()
    assert line.startswith("ptmon: ")
    assert pid in line


def test_ptmons_parent() -> None:
    script = '"$@" --attach $$; echo $$ $?'
    done = subprocess.run(["sh", "-c", script, "sh", *PTMON], capture_output=True, text=True, timeout=DEADLINE)
    pid, status = done.stdout.split()
    assert status == "125"
    (line,) = done.stderr.splitlines()
    assert line.startswith("ptmon: ")
    assert pid in line
    assert "parent" in line or "ancestor" in line


def test_a_kernel_thread() -> None:
    if not Path("/proc/2").exists() or Path("/proc/2/cmdline").read_bytes():
        pytest.skip("pid 2 is no kernel thread here: a pid namespace of its own")
    assert "kernel thread" in refused(2)


def test_a_zombie() -> None:
    with started(["true"]) as child:
        until(lambda: process_state(child.pid) == "Z", "the zombie")
        assert "zombie" in refused(child.pid)
        assert child.wait() == 0  # its status is still there for its parent


@contextmanager
def seized(pid: int, program: Path) -> Iterator[subprocess.Popen[str]]:
    """A tracer of a process that rests."""
    at_rest(pid)
    with started([program, "seize", str(pid)], stdin=subprocess.PIPE) as tracer:
        yield tracer


def test_a_process_that_has_a_tracer_already(targets: Targets) -> None:
    with busy(targets("busy")) as victim, seized(victim.pid, targets("tracer")) as tracer:
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "seized\n"
        before = look(victim.pid)
        line = refused(victim.pid)
        assert str(tracer.pid) in line
        assert targets("tracer").name in line
        assert look(victim.pid) == before
        tracer.communicate("\n", timeout=DEADLINE)
        use(victim)


def test_one_that_ptmon_holds_already(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as victim, attached(victim.pid, tmp_path / "r.json") as first:
        line = refused(victim.pid)
        assert str(first.tracer.pid) in line
        use(victim)


@pytest.mark.parametrize("good_first", [True, False])
def test_where_one_of_two_is_refused_the_other_is_traced_and_the_report_says_so(
    targets: Targets, tmp_path: Path, good_first: bool
) -> None:
    with busy(targets("busy")) as good:
        bad = unused_pid()
        pids = [good.pid, bad] if good_first else [bad, good.pid]
        words = [*PTMON, "-o", str(tmp_path / "r.json"), "-p", *map(str, pids)]
        with started(words) as tracer:
            until(lambda: held_by(good.pid, tracer.pid, "S"), "the attach")
            good.transfer()
            told = good.ask("count")
            tracer.send_signal(signal.SIGINT)
            errors = tracer.communicate(timeout=DEADLINE)[1]
        assert tracer.returncode == 0
        (line,) = errors.splitlines()
        assert line.startswith(f"ptmon: cannot attach to process {bad}: ")
        report = json.loads((tmp_path / "r.json").read_text())
        assert not report["complete"]
        assert [(row["reason"], row["pid"]) for row in report["warnings"]] == [("unattached", bad)]
        assert [(row["pid"], row["sent"]) for row in report["processes"]] == [(good.pid, told["sent"])]
        use(good)


def test_where_all_are_refused_that_is_an_error() -> None:
    words = [*PTMON, "-p", f"{unused_pid()},{unused_pid()}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, len(done.stderr.splitlines())) == (125, 1)


def test_a_name_that_nobody_has() -> None:
    done = subprocess.run([*PTMON, "-p", "no-such-program"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    assert done.stderr == (
        "ptmon: no process runs a program of the name no-such-program; ptmon --wait no-such-program waits for one\n"
    )


def use(victim: Busy) -> None:
    """It works as before."""
    victim.transfer()
    victim.quit()
