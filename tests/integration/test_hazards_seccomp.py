# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that use seccomp themselves: they behave as without ptmon, and their transfers are counted."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attaching import attached
from tests.hazards import Unprivileged, assert_counted, run_both
from tests.support import DEADLINE, Outcome, Targets, started

Sandbox = Callable[..., Outcome]
FILTERS = ["allow", "forbidden", "errno", "trap", "trace", "notify", "tsync", "one_thread", "inherited"]
MODES = [*FILTERS, "strict", "strict_call", "strict_forbidden"]


@pytest.fixture(params=["as we are", "unprivileged"])
def sandbox(request: pytest.FixtureRequest, targets: Targets, tmp_path: Path) -> Sandbox:
    """Runs a mode of the target; once as the user who runs the tests, once surely without capabilities."""
    program, folder, keywords = targets("sandbox"), tmp_path, dict[str, object]()
    if request.param == "unprivileged":
        user: Unprivileged = request.getfixturevalue("nobody")
        program, folder, keywords = user.copy(program), user.folder, user.keywords

    def run(mode: str, **more: object) -> Outcome:
        return run_both([program, mode], folder / "report.json", **keywords, **more)  # type: ignore[arg-type]

    return run


def test_an_allow_list_allows_what_it_did(sandbox: Sandbox) -> None:
    sandbox("allow")


def test_an_allow_list_kills_for_the_rest(sandbox: Sandbox) -> None:
    assert sandbox("forbidden").returncode == -signal.SIGSYS


def test_calls_that_a_filter_fails_are_errors(sandbox: Sandbox) -> None:
    traced = sandbox("errno")
    assert traced.report["by_syscall"]["sendto"]["errnos"] == {"EPERM": 11}


def test_trapped_calls_move_nothing(sandbox: Sandbox) -> None:
    traced = sandbox("trap", calls=False)
    assert traced.stdout.count("trapped, returns") == 13


def test_a_programs_own_trace_verdict_finds_no_tracer(sandbox: Sandbox) -> None:
    traced = sandbox("trace")
    assert traced.stdout.count("Function not implemented") == 11


def test_what_a_supervisor_answers_is_what_the_call_returns(sandbox: Sandbox) -> None:
    traced = sandbox("notify")
    assert traced.report["by_syscall"]["sendto"]["errnos"] == {"EACCES": 10}


def test_a_filter_for_all_threads_at_once(sandbox: Sandbox) -> None:
    for _ in range(10):
        traced = sandbox("tsync", same_told=False)
        assert traced.report["by_syscall"]["sendmsg"]["errnos"] == {"EPERM": 400}


def test_a_filter_for_one_thread(sandbox: Sandbox) -> None:
    sandbox("one_thread")


def test_a_filter_is_inherited_by_children_and_programs(sandbox: Sandbox) -> None:
    traced = sandbox("inherited")
    assert traced.report["by_syscall"]["sendto"]["errnos"] == {"EPERM": 4}


@pytest.mark.parametrize("how", ["strict", "strict_call"])
def test_strict_mode_still_reads_and_writes(sandbox: Sandbox, how: str) -> None:
    assert sandbox(how).returncode == 0


def test_strict_mode_kills_for_the_rest(sandbox: Sandbox) -> None:
    assert sandbox("strict_forbidden").returncode == -signal.SIGKILL


@pytest.mark.parametrize("mode", MODES)
def test_a_program_that_is_attached_before_it_sandboxes_itself(targets: Targets, tmp_path: Path, mode: str) -> None:
    outcomes = []
    for attach in (False, True):
        with started([targets("sandbox"), mode, "wait"], stdin=subprocess.PIPE) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            if not attach:
                outcomes.append(program.communicate("\n", timeout=DEADLINE)[0])
                status = program.returncode
                continue
            with attached(program.pid, tmp_path / "r.json") as ptmon:
                outcomes.append(program.communicate("\n", timeout=DEADLINE)[0])
                ptmon.finish()
        assert program.returncode == status
    by_itself, traced = outcomes
    assert traced.splitlines()[:-1] == by_itself.splitlines()[:-1]
    outcome = Outcome(0, traced, "", ptmon.report)
    assert_counted(outcome, calls=mode != "trap")
    assert ptmon.report["complete"] is True
