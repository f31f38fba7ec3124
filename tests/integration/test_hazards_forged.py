# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that change what ptmon keeps in their memory: it neither spins nor falls, and believes none of it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ptmon.notices import FALLBACKS
from ptmon.records import FallbackReason
from tests.attaching import attached
from tests.hazards import reasons
from tests.support import DEADLINE, Outcome, Targets, run_plain, run_ptmon, started, status_field, until

TAKEN = FALLBACKS[FallbackReason.TAKEN]
INSIDE = ("--fast-after", "1")
SENDTO, CLOSE, EXECVE = "44", "3", "59"

FORGED = [
    ("head", "0"),
    ("head", str(1 << 20)),
    ("head", str(1 << 62)),
    ("head", str((1 << 64) - 1)),
    ("gaps",),
    ("record", SENDTO, "3", str(1 << 60)),
    ("record", SENDTO, "3", str(-(1 << 63))),
    ("record", SENDTO, "3", "-4096"),
    ("record", SENDTO, str(1 << 16), "1"),
    ("record", CLOSE, "3", "1"),
    ("record", EXECVE, "3", "1"),
    ("record", "500", "3", "1"),
]

ROW = {"begin": 8, "stub_at": 16, "stub": 20, "before": 21, "after": 22, "jump": 23, "repeatable": 24}
"""Offsets in a row of the hand-over table: native/fast/image/handover.c."""


def both(targets: Targets, file: Path, *arguments: str) -> Outcome:
    """Runs the target plainly and inside; what it does is the same, and ptmon counts no byte too many."""
    command = [str(targets("forger")), *arguments]
    plain = run_plain(*command)
    traced = run_ptmon(command, file, [*INSIDE])
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout), traced.stderr
    assert "Traceback" not in traced.stderr
    if traced.report["path"]["fast"] == 0 and traced.report["complete"]:
        pytest.skip(f"calls are not counted inside here: {traced.report['fallbacks']}")
    assert traced.totals["sent"] <= traced.told["sent"]
    return traced


def fallbacks(report: dict[str, Any]) -> list[str]:
    return [row["reason"] for row in report["fallbacks"]]


@pytest.mark.parametrize("arguments", FORGED, ids=" ".join)
def test_what_no_stub_has_written_makes_the_report_incomplete(
    targets: Targets, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    traced = both(targets, tmp_path / "r.json", *arguments)
    assert not traced.report["complete"]
    assert reasons(traced.report) == {"forged"}
    assert TAKEN in fallbacks(traced.report)
    # What comes after that is counted at stops.
    assert traced.report["path"]["stop"] >= 150
    assert traced.totals["sent"] >= 8 * 90


def test_wild_registers_in_a_stub_end_the_program_and_not_ptmon(targets: Targets, tmp_path: Path) -> None:
    command = [str(targets("forger")), "registers"]
    traced = run_ptmon(command, tmp_path / "r.json", [*INSIDE])
    assert run_plain(*command).returncode == traced.returncode == -signal.SIGSEGV
    assert traced.report["processes"][0]["exit"] == {"code": None, "signal": signal.SIGSEGV}
    assert reasons(traced.report) <= {"forged"}


def say(process: subprocess.Popen[str], expected: str) -> None:
    """The target makes its next step, and tells it."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline().strip()
    if line == "nothing there":
        pytest.skip("calls are not counted inside here")
    assert line == expected


@pytest.mark.parametrize("field", [None, *ROW])
def test_a_table_that_no_ptmon_has_left_is_not_taken_over(targets: Targets, tmp_path: Path, field: str | None) -> None:
    """A ptmon is killed; the program changes what it has left; the next one counts all the same."""
    place = "-1" if field is None else str(ROW[field])
    with started([targets("forger"), "table", place, "255"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "first.json", *INSIDE) as first:
            say(process, "counted inside")
            first.tracer.kill()
            first.tracer.wait(DEADLINE)
        until(lambda: status_field(process.pid, "TracerPid") == "0", "the kernel to let go")
        say(process, "forged")
        with attached(process.pid, tmp_path / "second.json", *INSIDE) as second:
            out, errors = process.communicate("\n", timeout=DEADLINE)
            second.finish()
    assert (process.returncode, errors) == (0, "")
    told = Outcome(0, out, errors, second.report)
    assert (told.totals["sent"], told.totals["received"]) == (told.told["sent"], told.told["received"])
    assert second.report["complete"], second.report["warnings"]
    assert (TAKEN in fallbacks(second.report)) is (field is not None)
    assert (second.report["path"]["fast"] > 0) is (field is None)
