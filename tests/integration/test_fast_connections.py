# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections of a few bytes each: what is accepted and closed is known, and read from the kernel, without a stop."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import attached
from tests.counting import assert_audits_match
from tests.fast import MODES, Fast
from tests.support import DEADLINE, Targets, run_ptmon, started, tracing, until

HOWS = {"plain": "200", "signals": "200", "forks": "60", "passes": "100"}
"""What tests/targets/visits.c does, and how often."""

on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="no stubs here")


def assert_visited(report: dict[str, Any], told: dict[str, int]) -> None:
    """As many rows have carried bytes as there were sockets, and the kernel says the same of each TCP one."""
    rows = [row for row in report["sockets"] if row["sent"] or row["received"]]
    assert len(rows) == told["rows"]
    assert all(row["closed_s"] is not None for row in rows)
    assert_audits_match(report)
    directions = Counter(row["direction"] for row in rows if row["protocol"] == "tcp")
    assert set(directions) == {"connected", "accepted"}
    assert directions["connected"] == directions["accepted"]


@pytest.mark.parametrize("how", HOWS)
def test_short_connections_are_counted_to_the_byte_and_the_row(fast: Fast, how: str) -> None:
    traced = fast("visits", how, HOWS[how], calls=False)
    assert_visited(traced.report, traced.told)


@pytest.mark.parametrize("how", HOWS)
def test_short_connections_are_counted_after_an_attach(fast: Fast, how: str) -> None:
    program = fast.targets("visits")
    with fast.ready(program, how, HOWS[how]) as (process, ptmon):
        out, errors = process.communicate("\n", timeout=DEADLINE)
        ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    told = json.loads(out.splitlines()[-1])
    fast.assert_told(ptmon.report, told, calls=False)
    assert_visited(ptmon.report, told)


@on_x86_64
def test_an_accepted_socket_makes_no_stop(targets: Targets, tmp_path: Path) -> None:
    """Neither its first transfer nor its close, but for those before the code jumps to stubs."""
    words = tracing("-q", "--fast", "auto", "--fast-after", "1", "-o", tmp_path / "report.json")
    done = subprocess.run(
        [*words, "--", targets("visits"), "forks", "100"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, "PTMON_DEBUG": "stops"},
    )
    assert done.returncode == 0, done.stderr
    stops = Counter(found[1] for found in re.finditer(r"(?:SECCOMP|exit-stop) (\w+)", done.stderr))
    assert stops["recvfrom"] >= 20  # the last lines alone are told: of children, whose fds are not known yet
    assert stops["close"] < 10
    assert stops["connect"] + stops["socket"] < 10


@on_x86_64
@pytest.mark.parametrize("call", ["fstat", "getsockopt", "getsockname", "getpeername", "ioctl"])
def test_a_call_that_is_traced_is_not_made_for_a_close(targets: Targets, tmp_path: Path, call: str) -> None:
    """ptmon makes some before it closes a socket, in the program's place: there is no such call then."""
    command: list[str | Path] = [targets("visits"), "plain", "60"]
    outcome = run_ptmon(command, tmp_path / "report.json", ["--fast-after", "1", "--trace", call])
    assert outcome.returncode == 0, outcome.stderr
    traced = [line for line in outcome.stderr.splitlines() if f"{call}(" in line]
    plain = run_ptmon(command, tmp_path / "report.json", ["--fast", "off", "--trace", call])
    assert len(traced) == len([line for line in plain.stderr.splitlines() if f"{call}(" in line])
    assert_visited(outcome.report, outcome.told)


@pytest.mark.parametrize("mode", MODES)
def test_a_program_that_is_killed_has_no_connection_uncounted(targets: Targets, tmp_path: Path, mode: str) -> None:
    """What it had sent is what has come, or is more: and the kernel had counted as much when it was killed."""
    file = tmp_path / "report.json"
    words = tracing(*MODES[mode], "--format", "json", "-o", file, "--", targets("visits"), "plain", "1000000", "wait")
    with started(words, stdin=subprocess.PIPE) as tracer:
        assert tracer.stdin is not None
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "ready\n"
        (child,) = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        tracer.stdin.write("\n")
        tracer.stdin.flush()
        time.sleep(0.5)  # in the middle of it, wherever that is
        os.kill(int(child), signal.SIGKILL)
        tracer.communicate(timeout=DEADLINE)
    report = json.loads(file.read_text())
    assert report["exit"] == {"code": None, "signal": "SIGKILL"} or report["exit"]["signal"]
    assert report["complete"], report["warnings"]
    wrong = [row for row in report["sockets"] if row["audit"] == "differ"]
    assert not wrong
    assert report["totals"]["sent"] >= report["totals"]["received"] > 0


@pytest.mark.parametrize("mode", MODES)
def test_a_detach_in_the_middle_of_connections_disturbs_none(targets: Targets, tmp_path: Path, mode: str) -> None:
    """The program finds all its data as it should be, and goes on to its end; ptmon lets go at once."""
    with started([targets("visits"), "signals", "4000", "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "report.json", *MODES[mode], states="StR") as ptmon:
            process.stdin.write("\n")
            process.stdin.flush()
            time.sleep(0.4)
            ptmon.detach()
        out = process.communicate(timeout=DEADLINE)[0]
    assert process.returncode == 0
    told = json.loads(out.splitlines()[-1])
    totals = ptmon.report["totals"]
    assert 0 < totals["sent"] <= told["sent"]
    assert 0 < totals["received"] <= told["received"]
    # A thread that is let go first goes on while the counters of the others' sockets are read.
    assert {warning["reason"] for warning in ptmon.report["warnings"]} <= {"audit"}


@pytest.mark.parametrize("mode", MODES)
def test_an_attach_in_the_middle_of_connections_disturbs_none(targets: Targets, tmp_path: Path, mode: str) -> None:
    with started([targets("visits"), "signals", "4000"]) as process:
        until(lambda: len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 1, "its threads")
        words = tracing(*MODES[mode], "--format", "json", "-o", tmp_path / "report.json", "--attach", str(process.pid))
        with started(words) as tracer:
            out = process.communicate(timeout=DEADLINE)[0]
            errors = tracer.communicate(timeout=DEADLINE)[1]
    assert (process.returncode, tracer.returncode) == (0, 0), errors
    told = json.loads(out.splitlines()[-1])
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["totals"]["sent"] <= told["sent"]
    assert report["complete"], report["warnings"]
    assert not [row for row in report["sockets"] if row["audit"] == "differ"]
