# SPDX-License-Identifier: GPL-2.0-or-later
"""io_uring closes and installs fds without a system call: a number is looked at anew at each call."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attaching import attached
from tests.counting import SKIPPED
from tests.fast import MODES
from tests.hazards import assert_counted, reasons
from tests.support import DEADLINE, Outcome, Targets, run_plain, run_ptmon, started

LAUNCHED = ["own", "polled", "forked", "executed", "got"]
ATTACHED = ["own", "polled", "forked", "got"]


@pytest.fixture(scope="session")
def rings(targets: Targets) -> Path:
    """The target, where a ring may be made."""
    program = targets("ringfds")
    plain = run_plain(program, "own")
    if plain.returncode == SKIPPED:
        pytest.skip(f"no io_uring here: {plain.stderr.strip()}")
    assert plain.returncode == 0, plain.stderr
    return program


def assert_said(report: dict[str, object]) -> None:
    """What a ring transfers is not counted, and that is all that is said to be missing."""
    assert reasons(report) == {"io_uring"}
    assert not report["complete"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", LAUNCHED)
def test_what_a_ring_does_to_a_number_is_seen(rings: Path, tmp_path: Path, how: str, mode: str) -> None:
    traced = run_ptmon([rings, how], tmp_path / "r.json", MODES[mode])
    assert traced.returncode == 0, traced.stderr
    assert_counted(traced, calls=True)
    assert_said(traced.report)


@pytest.mark.parametrize("how", LAUNCHED)
def test_the_same_without_a_seccomp_filter(rings: Path, tmp_path: Path, how: str) -> None:
    traced = run_ptmon([rings, how], tmp_path / "r.json", ["--seccomp", "off", "--fast-after", "1"])
    assert traced.returncode == 0, traced.stderr
    assert_counted(traced, calls=True)
    assert_said(traced.report)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ATTACHED)
def test_a_ring_from_before_the_attach_is_found(rings: Path, tmp_path: Path, how: str, mode: str) -> None:
    with started([rings, how, "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", *MODES[mode], states="StR") as ptmon:
            out, errors = process.communicate("\n", timeout=DEADLINE)
            ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    assert_counted(Outcome(0, out, errors, ptmon.report), calls=True)
    assert_said(ptmon.report)
    assert json.loads(out.splitlines()[-1])["sent"] > 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["launched", "attached"])
def test_what_a_supervisor_puts_in_the_place_of_an_fd_is_seen(
    targets: Targets, tmp_path: Path, how: str, mode: str
) -> None:
    program, file = targets("foreign"), tmp_path / "r.json"
    if how == "launched":
        traced = run_ptmon([program, "supervised"], file, MODES[mode])
    else:
        with started([program, "supervised", "wait"], stdin=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            with attached(process.pid, file, *MODES[mode], states="StR") as ptmon:
                out, errors = process.communicate("\n", timeout=DEADLINE)
                ptmon.finish()
        traced = Outcome(process.returncode, out, errors, ptmon.report)
    assert traced.returncode == 0, traced.stderr
    assert_counted(traced, calls=True)
    assert traced.report["complete"], traced.report["warnings"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("follow", [(), ("--no-follow",)])
def test_what_a_process_does_that_shares_the_fds_is_seen(
    targets: Targets, tmp_path: Path, follow: tuple[str, ...], mode: str
) -> None:
    traced = run_ptmon([targets("foreign"), "shared"], tmp_path / "r.json", [*MODES[mode], *follow])
    assert traced.returncode == 0, traced.stderr
    assert_counted(traced, calls=True)
    assert traced.report["complete"], traced.report["warnings"]


SPAWNING = """\
import json, os, socket
near, far = socket.socketpair()
def rally():
    for _ in range(200):
        near.send(b"x" * 13), far.recv(100)
rally()
os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
rally()
print(json.dumps({"sent": 5200, "received": 5200, "calls": 800, "errors": 0}))
"""


@pytest.mark.parametrize("mode", MODES)
def test_a_child_that_is_not_followed_and_runs_in_its_parents_memory(tmp_path: Path, mode: str) -> None:
    traced = run_ptmon([sys.executable, "-c", SPAWNING], tmp_path / "r.json", [*MODES[mode], "--no-follow"])
    assert traced.returncode == 0, traced.stderr
    assert_counted(traced, calls=True)
    assert traced.report["complete"], traced.report["warnings"]
