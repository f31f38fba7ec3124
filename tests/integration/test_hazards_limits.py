# SPDX-License-Identifier: GPL-2.0-or-later
"""Where ptrace ends: a program's own ptrace, memory that may not be read, namespaces."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hazards import Unprivileged, assert_counted, reasons, run_both
from tests.support import PTMON, Outcome, Targets, run_ptmon

Run = Callable[..., Outcome]


def test_a_program_that_traces_its_own_child_is_refused_and_goes_on(ptmon: Run, targets: Targets) -> None:
    traced = ptmon(targets("tracer"), "own")
    assert traced.returncode == 0
    assert traced.stdout.splitlines()[:-1] == [
        "PTRACE_TRACEME: Operation not permitted",
        "child's status 0x300",
        "PTRACE_SEIZE: Operation not permitted",
    ]
    assert_counted(traced, calls=True)
    assert "ptrace" in reasons(traced.report)


def test_calls_that_only_sockets_allow_are_counted_where_nothing_may_be_read(
    nobody: Unprivileged, targets: Targets
) -> None:
    program = nobody.copy(targets("hidden"))
    traced = run_both([program, "send"], nobody.folder / "r.json", calls=False, **nobody.keywords)
    assert traced.report["by_family"] == {"unix": {"sent": 101 * 17, "received": 101 * 17}}


def test_what_files_allow_too_is_counted_where_nothing_may_be_read(nobody: Unprivileged, targets: Targets) -> None:
    program = nobody.copy(targets("hidden"))
    traced = run_ptmon([program, "write"], nobody.folder / "r.json", **nobody.keywords)
    told = traced.told
    assert told["other_sent"] > 0
    assert traced.totals["sent"] == told["sent"] + told["other_sent"]
    assert traced.totals["received"] == told["received"] + told["other_received"]
    assert traced.report["complete"], traced.report["warnings"]


@pytest.mark.parametrize("mode", ["named", "messages"])
def test_messages_that_may_not_be_read_are_said(nobody: Unprivileged, targets: Targets, mode: str) -> None:
    program = nobody.copy(targets("hidden"))
    traced = run_ptmon([program, mode], nobody.folder / "r.json", **nobody.keywords)
    assert traced.returncode == 0, traced.stderr
    assert reasons(traced.report) == {"unreadable"}
    if mode == "named":  # their bytes are known, but not whom they went to
        assert traced.totals["sent"] == traced.told["sent"] > 0
        assert traced.report["by_scope"]["unknown"]["sent"] == traced.told["sent"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone reads what is not dumpable")
def test_root_reads_what_is_not_dumpable(ptmon: Run, targets: Targets) -> None:
    traced = ptmon(targets("hidden"), "write")
    told = traced.told
    assert traced.totals["sent"] == told["sent"] + told["other_sent"]
    assert traced.totals["received"] == told["received"] + told["other_received"]
    assert traced.report["complete"] is True


def test_an_execute_only_program_is_counted(nobody: Unprivileged, targets: Targets) -> None:
    program = nobody.copy(targets("hidden"), mode=0o111)
    traced = run_both([program, "dumpable"], nobody.folder / "r.json", calls=False, **nobody.keywords)
    assert not reasons(traced.report)


def test_user_and_pid_namespaces(nobody: Unprivileged, targets: Targets) -> None:
    words = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    allowed = subprocess.run([*words, "true"], capture_output=True, text=True, **nobody.keywords)
    if allowed.returncode != 0:
        pytest.skip(f"no user namespaces here: {allowed.stderr.strip()}")
    command = [*words, str(nobody.copy(targets("processes"))), "lineage"]
    traced = run_both(command, nobody.folder / "r.json", **nobody.keywords)
    assert [process["sent"] for process in traced.report["processes"]] == [0, 101, 13, 17]


def test_user_namespaces_of_root(targets: Targets, tmp_path: Path) -> None:
    words = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    allowed = subprocess.run([*words, "true"], capture_output=True, text=True)
    if allowed.returncode != 0:
        pytest.skip(f"no user namespaces here: {allowed.stderr.strip()}")
    run_both([*words, targets("processes"), "lineage"], tmp_path / "r.json")


def test_ptmon_inside_ptmon_is_one_clear_error(tmp_path: Path) -> None:
    outer = run_ptmon([*PTMON, "--", "true"], tmp_path / "r.json", ["-q"])
    assert outer.returncode == 125
    assert outer.stdout == ""
    (line,) = outer.stderr.splitlines()
    assert line.startswith("ptmon: ")
    assert "ptmon" in line.removeprefix("ptmon: ") or "traced" in line
