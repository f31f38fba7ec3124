# SPDX-License-Identifier: GPL-2.0-or-later
"""Attach to what runs, count from then on, let go: the process runs on as it was."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.attaching import Busy, assert_free, attached, busy, held_by, threads_of, words_to_attach
from tests.support import DEADLINE, Targets, process_state, started, status_field, tracing, until


def since(before: dict[str, int], after: dict[str, int]) -> tuple[int, int, int]:
    """sent, received, calls between two answers of the target."""
    return tuple(after[key] - before[key] for key in ("sent", "received", "calls"))  # type: ignore[return-value]


def counted(report: dict[str, dict[str, int]]) -> tuple[int, int, int]:
    totals = report["totals"]
    return totals["sent"], totals["received"], totals["calls_sent"] + totals["calls_received"]


def test_from_attach_to_detach_every_byte_is_counted(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        target.transfer()
        before = target.ask("count")
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            target.transfer()
            assert os.sched_getaffinity(target.pid) == os.sched_getaffinity(0)
            after = target.ask("count")
            ptmon.detach()
        assert_free(target.pid)
        assert counted(ptmon.report) == since(before, after)
        assert ptmon.report["mode"] == "attach"
        assert ptmon.report["exit"] is None
        (process,) = ptmon.report["processes"]
        assert (process["pid"], process["name"]) == (target.pid, "busy")
        target.transfer()
        target.quit()


def test_new_threads_and_children_are_followed(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        before = target.ask("count")
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            target.ask("thread")
            target.ask("child")
            target.transfer()
            after = target.ask("count")
            ptmon.detach()
        assert counted(ptmon.report) == since(before, after)
        parent, child = ptmon.report["processes"]
        assert (child["ppid"], child["sent"], child["exit"]) == (target.pid, 103 * 17, {"code": 0, "signal": None})
        assert 101 * 13 in [thread["sent"] for thread in parent["threads"]]
        target.quit()


def test_a_child_is_not_followed_where_that_is_asked(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        with attached(target.pid, tmp_path / "r.json", "--no-follow") as ptmon:
            target.ask("thread")
            target.ask("child")
            ptmon.detach()
        assert counted(ptmon.report) == (101 * 13, 101 * 13, 26)
        target.quit()


def test_an_execve_is_followed(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        before = target.ask("count")
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            target.transfer()
            target.ask("exec")
            target.transfer()
            after = target.ask("count")
            ptmon.detach()
        assert counted(ptmon.report) == since(before, after)
        target.quit()


def test_attach_in_the_middle_of_traffic_misses_only_what_came_before(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        before = target.ask("go")
        with attached(target.pid, tmp_path / "r.json", states="RSDt") as ptmon:
            attached_at = target.ask("count")
            goal = attached_at["calls"] + 2000
            until(lambda: target.ask("count")["calls"] > goal, "traffic")
            after = target.ask("pause")
            ptmon.detach()
        for got, most, least in zip(
            counted(ptmon.report), since(before, after), since(attached_at, after), strict=True
        ):
            # What was counted by ptmon and not yet by the target when it answered: one call a thread at the most.
            assert least - 8 * 16 <= got <= most + 8 * 16
        assert_free(target.pid)
        target.quit()


def test_two_processes_at_once(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as one, busy(targets("busy")) as other:
        with attached(one.pid, tmp_path / "r.json", "--attach", str(other.pid)) as ptmon:
            until(lambda: held_by(other.pid, ptmon.tracer.pid, "S"), "the other process")
            one.transfer()
            other.transfer()
            told = [target.ask("count") for target in (one, other)]
            ptmon.detach()
        sent = {process["pid"]: process["sent"] for process in ptmon.report["processes"]}
        assert sent == {one.pid: told[0]["sent"], other.pid: told[1]["sent"]}
        one.quit()
        other.quit()


@pytest.mark.parametrize("form", ["comma", "words", "name"])
def test_several_processes_by_one_option(targets: Targets, tmp_path: Path, form: str) -> None:
    program = tmp_path / f"b{uuid.uuid4().hex[:10]}"
    shutil.copy(targets("busy"), program)
    with busy(program) as one, busy(program) as other:
        forms = {
            "comma": [f"{one.pid},{other.pid}"],
            "words": [str(one.pid), str(other.pid)],
            "name": [program.name],
        }
        with started(tracing("-o", tmp_path / "r.json", "-p", *forms[form])) as tracer:
            until(lambda: all(held_by(pid, tracer.pid, "S") for pid in (one.pid, other.pid)), "both")
            one.transfer()
            other.transfer()
            told = {target.pid: target.ask("count")["sent"] for target in (one, other)}
            tracer.send_signal(signal.SIGINT)
            errors = tracer.communicate(timeout=DEADLINE)[1]
        assert (tracer.returncode, errors) == (0, "")
        report = json.loads((tmp_path / "r.json").read_text())
        assert {row["pid"]: row["sent"] for row in report["processes"]} == told
        assert report["complete"]
        one.quit()
        other.quit()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_detaches_in_the_middle_of_traffic(targets: Targets, tmp_path: Path, number: int) -> None:
    with busy(targets("busy")) as target:
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            target.ask("go")
            ptmon.detach(number)
        assert_free(target.pid)
        goal = target.ask("count")["calls"] + 1000
        until(lambda: target.ask("count")["calls"] > goal, "traffic after detach")
        target.ask("pause")
        target.quit()


def test_duration_detaches(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        target.ask("go")
        words = words_to_attach(target.pid, tmp_path / "r.json", "--duration", "0.5")
        done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "r.json").exists()
        assert_free(target.pid)
        target.ask("pause")
        target.quit()


def test_ptmon_ends_when_its_target_ends(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target, attached(target.pid, tmp_path / "r.json") as ptmon:
        target.quit()
        ptmon.finish()
        assert ptmon.report["exit"] == {"code": 0, "signal": None}


def test_the_target_survives_ptmons_sudden_death(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            target.ask("go")
            ptmon.tracer.kill()
            ptmon.tracer.wait()
        until(lambda: held_by(target.pid, 0, "RSD"), "the target to be free")
        goal = target.ask("count")["calls"] + 1000
        until(lambda: target.ask("count")["calls"] > goal, "traffic")
        target.ask("pause")
        target.quit()


def test_a_stopped_process_stays_stopped(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        os.kill(target.pid, signal.SIGSTOP)
        until(lambda: held_by(target.pid, 0, "T"), "the stop")
        with attached(target.pid, tmp_path / "r.json", states="tT") as ptmon:
            ptmon.detach()
        assert held_by(target.pid, 0, "T")
        os.kill(target.pid, signal.SIGCONT)
        until(lambda: held_by(target.pid, 0, "S"), "the end of the stop")
        target.transfer()
        target.quit()


def test_a_process_stopped_and_continued_while_attached(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        before = target.ask("count")
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            os.kill(target.pid, signal.SIGSTOP)
            until(lambda: held_by(target.pid, ptmon.tracer.pid, "tT"), "the stop")
            assert os.waitid(os.P_PID, target.pid, os.WSTOPPED | os.WNOHANG) is not None
            os.kill(target.pid, signal.SIGCONT)
            until(lambda: held_by(target.pid, ptmon.tracer.pid, "S"), "the end of the stop")
            target.transfer()
            after = target.ask("count")
            os.kill(target.pid, signal.SIGSTOP)
            until(lambda: held_by(target.pid, ptmon.tracer.pid, "tT"), "the second stop")
            ptmon.detach()
        assert held_by(target.pid, 0, "T")
        os.kill(target.pid, signal.SIGCONT)
        assert counted(ptmon.report) == since(before, after)
        target.transfer()
        target.quit()


def test_attach_by_a_threads_tid_takes_its_process(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        tid = max(int(task.name) for task in threads_of(target.pid))
        assert tid != target.pid
        before = target.ask("count")
        with started(words_to_attach(tid, tmp_path / "r.json")) as tracer:
            until(lambda: held_by(target.pid, tracer.pid, "S"), "the whole process")
            target.transfer()
            after = target.ask("count")
            tracer.send_signal(signal.SIGINT)
            errors = tracer.communicate(timeout=DEADLINE)[1]
        assert tracer.returncode == 0, errors
        (line,) = [line for line in errors.splitlines() if str(tid) in line]
        assert str(target.pid) in line
        report = json.loads((tmp_path / "r.json").read_text())
        assert counted(report) == since(before, after)
        target.quit()


def cycle(target: Busy, file: Path) -> None:
    """Attaches in the middle of traffic and lets go at once."""
    with started(words_to_attach(target.pid, file)) as tracer:
        until(lambda: tracer.poll() is not None or status_field(target.pid, "TracerPid") != "0", "the attach")
        tracer.send_signal(signal.SIGINT)
        errors = tracer.communicate(timeout=DEADLINE)[1]
        assert tracer.returncode == 0, errors
    assert_free(target.pid)


@pytest.mark.timeout(300)
def test_50_attaches_in_the_middle_of_traffic_do_no_harm(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        target.ask("go")
        for _ in range(50):
            calls = target.ask("count")["calls"]
            cycle(target, tmp_path / "r.json")
            until(lambda calls=calls: target.ask("count")["calls"] > calls, "traffic")  # type: ignore[misc]
        target.ask("pause")
        target.quit()


EPOLL = """import select, signal
signal.signal(signal.SIGTRAP, signal.SIG_IGN)
epoll = select.epoll()
print("ready", flush=True)
epoll.poll()
"""


def test_a_call_that_an_attach_has_to_cut_short_is_named(tmp_path: Path) -> None:
    """Where no breakpoint can be put: SIGTRAP is ignored, or the machine is another than x86_64."""
    with started([sys.executable, "-c", EPOLL], stdout=subprocess.PIPE) as target:
        assert target.stdout is not None and target.stdout.readline()
        until(lambda: process_state(target.pid) == "S", "the call")
        with attached(target.pid, tmp_path / "r.json") as ptmon:
            until(lambda: process_state(target.pid) == "S", "the call once more")
            ptmon.detach()
        assert target.poll() is None
        assert ptmon.report["complete"]
        (warning,) = ptmon.report["warnings"]
        assert warning["reason"] == "interrupted"
        assert "epoll_" in warning["message"]
