# SPDX-License-Identifier: GPL-2.0-or-later
"""Code that changes while calls are counted inside the tracee: it is looked at anew, or the process stays at stops."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fast import Fast
from tests.hazards import reasons
from tests.support import DEADLINE, Targets, until

WAYS = ["moved", "plugin", "dropped", "generated"]
HOOKS = ["once", "first", "again"]
ROUNDS = 10
SLOWER = 3
"""Times: a program that generates code all the time may be so much slower than at stops, on a busy machine."""


@pytest.mark.parametrize("way", WAYS)
def test_code_that_changes_is_counted(fast: Fast, way: str) -> None:
    fast("changing", way)


@pytest.mark.parametrize("way", WAYS)
def test_code_that_changes_is_counted_after_an_attach(fast: Fast, way: str) -> None:
    report = fast.attached("changing", way)
    if way != "generated" and fast.mode != "off":
        assert report["path"]["fast"] > report["path"]["stop"]


def test_code_that_changes_under_other_threads_is_counted_after_an_attach(fast: Fast, targets: Targets) -> None:
    with fast.ready(targets("changing"), "crowded") as (process, ptmon):
        out, errors = process.communicate("\n", timeout=DEADLINE)
        ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    fast.assert_told(ptmon.report, json.loads(out), calls=True)


def assert_changed_code_is_told(fast: Fast, report: dict[str, Any], out: str) -> None:
    if fast.mode == "off":
        fast.assert_told(report, json.loads(out), calls=True)
    else:
        assert reasons(report) == {"code"}
        assert not report["complete"]


def test_what_is_written_over_a_jump_makes_the_report_incomplete(fast: Fast, targets: Targets) -> None:
    with fast.ready(targets("changing"), "restored") as (process, ptmon):
        out, errors = process.communicate("\n", timeout=DEADLINE)
        ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    assert_changed_code_is_told(fast, ptmon.report, out)


def test_code_whose_file_is_written_makes_the_report_incomplete(fast: Fast, targets: Targets, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    fast.options += [f"--log={log}", "--log-format", "jsonl"]
    with fast.ready(targets("changing"), "written") as (process, ptmon):
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        if fast.mode != "off":
            until(lambda: '"reason": "code"' in log.read_text() or '"reason":"code"' in log.read_text(), "a warning")
        out, errors = process.communicate("\n", timeout=DEADLINE)
        ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    assert_changed_code_is_told(fast, ptmon.report, out)


def nanoseconds(targets: Targets, file: Path, *options: str) -> int:
    """How long a program takes that generates code all the time, while ptmon is attached to it."""
    fast = Fast(targets, file, "default", {})
    fast.options = list(options)
    with fast.ready(targets("changing"), "toggled") as (process, ptmon):
        out, errors = process.communicate("\n", timeout=DEADLINE)
        ptmon.finish()
    assert process.returncode == 0
    fast.assert_told(ptmon.report, json.loads(out), calls=True)
    return int(errors)


def test_a_program_that_generates_code_all_the_time_is_not_slower_than_at_stops(
    targets: Targets, tmp_path: Path
) -> None:
    plain, fast = [], []
    for _ in range(ROUNDS):  # others may have the CPU in some of them
        plain.append(nanoseconds(targets, tmp_path, "--fast", "off"))
        fast.append(nanoseconds(targets, tmp_path))
        if min(fast) < SLOWER * min(plain):
            return
    raise AssertionError((plain, fast))


def test_a_thread_that_gets_no_cpu_behind_its_call_is_not_run_into_a_jump(fast: Fast) -> None:
    """It runs as far as anybody can see, but stands in the bytes that a jump is to replace."""
    fast("starved", "12", same=False, calls=False)


@pytest.mark.parametrize("way", HOOKS)
def test_a_program_that_hooks_its_own_calls_sees_all_of_them(fast: Fast, way: str) -> None:
    fast("rewriting", way, patched=way != "first")


@pytest.mark.parametrize("way", HOOKS)
def test_a_program_that_hooks_its_own_calls_sees_all_of_them_after_an_attach(fast: Fast, way: str) -> None:
    fast.attached("rewriting", way)
