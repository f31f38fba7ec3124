# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that a ptmon without privileges may not look at: they are asked what their file descriptors are."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import assert_free, held_by, words_to_attach
from tests.hazards import Unprivileged, assert_counted, reasons
from tests.support import DEADLINE, Outcome, Targets, assert_sums_agree, run_plain, run_ptmon, started, until

WAYS = {"launch": (), "seccomp off": ("--seccomp", "off"), "fast off": ("--fast", "off"), "attach": ("--attach",)}
FAMILIES = {"inet": 2 * (19 + 3 * (101 + 107)), "inet6": 2 * 3 * 103, "unix": 2 * 2 * 3 * 109}
"""What ``asked kinds`` sends, and receives, by sockets of each family."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    name = request.param
    assert isinstance(name, str)
    return name


def attach(program: Path, mode: str, nobody: Unprivileged, file: Path) -> Outcome:
    with started([program, mode, "wait"], stdin=subprocess.PIPE, **nobody.keywords) as target:
        assert target.stdout is not None
        assert target.stdout.readline() == "ready\n"
        with started(words_to_attach(target.pid, file), **nobody.keywords) as tracer:
            until(lambda: held_by(target.pid, tracer.pid, "S"), "the attach")
            out, errors = target.communicate("\n", timeout=DEADLINE)
            assert tracer.wait(DEADLINE) == 0
    report = json.loads(file.read_text())
    assert_sums_agree(report)
    return Outcome(target.returncode, out, errors, report)


def asked(targets: Targets, nobody: Unprivileged, mode: str, way: str) -> Outcome:
    """``asked`` in one mode: it ends as without ptmon."""
    program = nobody.copy(targets("asked"))
    file = nobody.folder / "r.json"
    plain = run_plain(program, mode, **nobody.keywords)
    assert plain.returncode == 0, plain.stderr
    if way == "attach":
        traced = attach(program, mode, nobody, file)
    else:
        traced = run_ptmon([program, mode], file, WAYS[way], **nobody.keywords)
    assert (traced.returncode, len(traced.stdout.splitlines())) == (0, 1), (traced.stderr, traced.stdout)
    return traced


def assert_all_known(traced: Outcome) -> None:
    assert_counted(traced, calls=True)
    assert traced.report["complete"], traced.report["warnings"]
    assert not reasons(traced.report)


def test_write_and_read_of_a_hidden_process_are_counted_by_family(
    targets: Targets, nobody: Unprivileged, way: str
) -> None:
    traced = asked(targets, nobody, "kinds", way)
    assert_all_known(traced)
    families = {name: (row["sent"], row["received"]) for name, row in traced.report["by_family"].items()}
    assert families == {name: (size, size) for name, size in FAMILIES.items()}
    types = {(row["family"], row["type"], row["protocol"]) for row in traced.report["sockets"]}
    assert {("inet", "stream", "tcp"), ("inet6", "stream", "tcp")} < types


def test_numbers_that_name_nothing_are_no_sockets(targets: Targets, nobody: Unprivileged, way: str) -> None:
    assert_all_known(asked(targets, nobody, "closed", way))


def test_a_filter_of_its_own_is_never_shown_a_question(targets: Targets, nobody: Unprivileged, way: str) -> None:
    traced = asked(targets, nobody, "sandboxed", way)
    assert_counted(traced, calls=True)
    assert reasons(traced.report) == {"unreadable"}


def test_signals_do_not_notice_questions(targets: Targets, nobody: Unprivileged, way: str) -> None:
    assert_all_known(asked(targets, nobody, "signalled", way))


def test_questions_leave_the_registers_alone(targets: Targets, nobody: Unprivileged, way: str) -> None:
    assert_all_known(asked(targets, nobody, "registers", way))


def test_what_another_thread_puts_in_an_fds_place_is_asked_about_anew(
    targets: Targets, nobody: Unprivileged, way: str
) -> None:
    assert_all_known(asked(targets, nobody, "flipped", way))


def test_threads_that_open_and_close_are_all_counted(targets: Targets, nobody: Unprivileged, way: str) -> None:
    assert_all_known(asked(targets, nobody, "crowded", way))


def test_an_fd_that_other_threads_close_all_the_time_is_counted_or_said(
    targets: Targets, nobody: Unprivileged, way: str
) -> None:
    traced = asked(targets, nobody, "raced", way)
    for direction in ("sent", "received"):
        assert traced.totals[direction] <= traced.told[direction]
    if traced.report["complete"]:
        assert_counted(traced, calls=False)


def test_a_rule_for_the_questions_call_does_not_answer_it(targets: Targets, nobody: Unprivileged) -> None:
    program = nobody.copy(targets("asked"))
    options = ["--deny", "getsockopt=ENOTSOCK"]
    traced = run_ptmon([program, "registers"], nobody.folder / "r.json", options, **nobody.keywords)
    assert traced.returncode == 0, traced.stderr
    assert reasons(traced.report) == {"unreadable"}


def test_questions_are_not_told_as_calls(targets: Targets, nobody: Unprivileged) -> None:
    program = nobody.copy(targets("asked"))
    options = ["--trace", "getsockopt,shutdown,ioctl,write", "--log=" + str(nobody.folder / "log")]
    traced = run_ptmon([program, "registers"], nobody.folder / "r.json", options, **nobody.keywords)
    assert traced.returncode == 0, traced.stderr
    assert_all_known(traced)
    log = (nobody.folder / "log").read_text()
    assert "write" in log
    assert not {name for name in ("getsockopt", "shutdown", "ioctl") if name in log}


def test_a_detach_in_the_middle_of_questions_changes_nothing(targets: Targets, nobody: Unprivileged) -> None:
    program = nobody.copy(targets("asked"))
    with started([program, "forever", "wait"], stdin=subprocess.PIPE, **nobody.keywords) as target:
        assert target.stdout is not None
        assert target.stdout.readline() == "ready\n"
        file = nobody.folder / "r.json"
        with started(words_to_attach(target.pid, file), **nobody.keywords) as tracer:
            until(lambda: held_by(target.pid, tracer.pid, "S"), "the attach")
            assert target.stdin is not None
            target.stdin.write("\n")
            target.stdin.flush()
            assert target.stdout.readline() == "goes on\n"
            tracer.send_signal(signal.SIGINT)
            assert tracer.wait(DEADLINE) == 0
        assert_free(target.pid)
        out, errors = target.communicate("\n", timeout=DEADLINE)
        assert (target.returncode, errors) == (0, ""), out
    report: dict[str, Any] = json.loads(file.read_text())
    assert report["totals"]["sent"] > 0
    assert report["totals"]["errors"] == 0
