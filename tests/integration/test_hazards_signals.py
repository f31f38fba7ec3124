# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals that end, stop and interrupt."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hazards import child_running, lasting_state
from tests.support import DEADLINE, PTMON, Outcome, Targets, process_state, started, until

Hazard = Callable[..., Outcome]


def test_sigkill_in_recv_ends_ptmon_alike(hazard: Hazard) -> None:
    traced = hazard("signals", "kill", calls=False)
    assert traced.returncode == -signal.SIGKILL
    assert traced.report["exit"] == {"code": None, "signal": signal.SIGKILL}


@pytest.mark.parametrize(("how", "number"), [("segv", signal.SIGSEGV), ("pipe", signal.SIGPIPE)])
def test_a_fatal_signal_ends_ptmon_alike(hazard: Hazard, how: str, number: int) -> None:
    traced = hazard("signals", how)
    assert traced.returncode == -number
    assert traced.report["exit"] == {"code": None, "signal": number}


def test_a_program_that_stops_itself_is_continued_by_its_child(hazard: Hazard) -> None:
    hazard("signals", "stop")


def test_a_program_that_stops_itself_is_continued_from_outside(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with started([*PTMON, "-o", file, targets("signals"), "stop_alone"]) as tracer:
        program = child_running(tracer.pid, targets("signals"))
        until(lambda: lasting_state(program, "tT"), "the program's stop")
        assert tracer.poll() is None
        assert process_state(tracer.pid) not in "tT"
        os.kill(program, signal.SIGCONT)
        output, errors = tracer.communicate(timeout=DEADLINE)
    assert tracer.returncode == 0, errors
    told = json.loads(output.splitlines()[-1])
    totals = json.loads(file.read_text())["totals"]
    assert (totals["sent"], totals["received"]) == (told["sent"], told["received"])


def test_a_parent_is_told_when_its_child_stops_and_goes_on(hazard: Hazard) -> None:
    hazard("signals", "stop_child", calls=False)


def test_restarted_calls_count_once(hazard: Hazard) -> None:
    traced = hazard("signals", "storm", "restart")
    assert traced.totals["errors"] == 0


def test_a_handler_that_transfers_does_not_confuse_the_call_that_it_interrupts(hazard: Hazard) -> None:
    traced = hazard("signals", "storm", "nested", same_told=False)
    assert traced.totals["errors"] == 0


def test_signals_arrive_with_all_that_they_carry(hazard: Hazard) -> None:
    traced = hazard("signals", "details")
    assert traced.stdout.count("Trace/breakpoint trap") == 4


def test_interrupted_calls_are_errors(hazard: Hazard) -> None:
    traced = hazard("signals", "storm", "plain", same_told=False)
    assert traced.told["errors"] > 0
    assert traced.report["by_syscall"]["recvfrom"]["errnos"] == {"EINTR": traced.told["errors"]}
