# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference engine attaches to a process of one thread, and lets it go as it was."""

from __future__ import annotations

import signal
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

from tests.attaching import Attached, attached, busy, held_by, thread_status, threads_of
from tests.hazards import children_of, lasting_state
from tests.reference import REFERENCE, assert_exchanged, quietly, server, talk
from tests.support import DEADLINE, PTMON, Targets, process_state, started, until


def attach(pid: int, folder: Path, *options: str) -> AbstractContextManager[Attached]:
    return attached(pid, folder / "report.json", *REFERENCE, *options)


def test_an_attached_server_serves_on_after_ptmon_has_gone(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        talk(targets, port, 1)
        with attach(process.pid, tmp_path) as ptmon:
            talk(targets, port, 3)
            ptmon.detach()
        assert_exchanged(ptmon.report, 3)
        assert held_by(process.pid, 0, "S")
        talk(targets, port, 1)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=DEADLINE)[0] == "Server exited.\n"


def test_the_end_of_an_attached_server_is_told(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        with attach(process.pid, tmp_path) as ptmon:
            talk(targets, port, 5)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=DEADLINE)[0] == "Server exited.\n"
            ptmon.finish()
        assert_exchanged(ptmon.report, 5)
        assert ptmon.report["exit"] == {"code": 0, "signal": None}


def test_after_its_duration_an_attach_ends(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        done = subprocess.run(
            [*PTMON, *REFERENCE, "--duration", "0.3", "-o", str(tmp_path / "r.json"), "-p", str(process.pid)],
            timeout=DEADLINE,
        )
        assert done.returncode == 0
        assert held_by(process.pid, 0, "S")
        talk(targets, port, 1)


def test_an_attached_process_survives_ptmons_death(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        with attach(process.pid, tmp_path) as ptmon:
            talk(targets, port, 1)
            ptmon.tracer.kill()
            ptmon.tracer.wait(DEADLINE)
        until(lambda: held_by(process.pid, 0, "S"), "the process to be free")
        talk(targets, port, 1)


def look(pid: int) -> list[tuple[str, ...]]:
    """What an attach would change: tracer, state and pending signals of every thread."""
    fields = ("Pid", "TracerPid", "State", "SigPnd", "ShdPnd", "SigBlk")
    return sorted(tuple(thread_status(task)[name] for name in fields) for task in threads_of(pid))


def test_a_process_with_threads_cannot_be_attached_to(targets: Targets) -> None:
    with busy(targets("busy"), 1) as victim:
        until(lambda: held_by(victim.pid, 0, "S"), "its threads to rest")
        before = look(victim.pid)
        done = quietly("--attach", str(victim.pid))
        assert done.returncode == 125
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"ptmon: cannot attach to process {victim.pid}: it has 3 threads")
        assert "--engine native" in line
        assert look(victim.pid) == before
        victim.quit()


def test_children_that_are_there_are_said_to_be_missing(targets: Targets, tmp_path: Path) -> None:
    with started(["sh", "-c", "cat; :"], stdin=subprocess.PIPE) as process:
        until(lambda: children_of(process.pid), "a child")
        with attach(process.pid, tmp_path) as ptmon:
            ptmon.detach()
    assert [row["reason"] for row in ptmon.report["warnings"]] == ["untraced"]
    assert not ptmon.report["complete"]


def test_a_stopped_process_is_left_alone(targets: Targets) -> None:
    with server(targets) as (process, _):
        process.send_signal(signal.SIGSTOP)
        until(lambda: process_state(process.pid) == "T", "the stop")
        done = quietly("--attach", str(process.pid))
        assert done.returncode == 125
        assert f"{process.pid}: it is stopped" in done.stderr
        assert lasting_state(process.pid, "T")
        process.send_signal(signal.SIGCONT)
