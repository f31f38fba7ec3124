# SPDX-License-Identifier: GPL-2.0-or-later
"""What ptmon itself needs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support import DEADLINE, PTMON, Targets, assert_sums_agree, started, status_field

SOCKETS = 10_000
MOST_MIB = 60


def peak_mib(pid: int) -> float:
    """The most memory that a process had so far (VmHWM of proc(5))."""
    return int(status_field(pid, "VmHWM").split()[0]) / 1024


@pytest.mark.parametrize("ending", ["json", "txt"])
def test_ten_thousand_sockets_fit_into_60_mib(targets: Targets, tmp_path: Path, ending: str) -> None:
    report = tmp_path / f"report.{ending}"
    words: list[str | Path] = [*PTMON, "-o", report, "--", targets("many"), str(SOCKETS)]
    with started(words, stdin=subprocess.PIPE) as tracer:
        assert tracer.stdin is not None and tracer.stdout is not None
        told = json.loads(tracer.stdout.readline())
        peak = peak_mib(tracer.pid)
        tracer.stdin.close()
        while tracer.poll() is None:
            try:
                peak = max(peak, peak_mib(tracer.pid))
            except (KeyError, FileNotFoundError, ProcessLookupError):
                break  # it has ended: a zombie has no memory
        assert tracer.wait(DEADLINE) == 0
        tracer.stdin = None
    assert told["sent"] == SOCKETS // 2
    assert 5 < peak < MOST_MIB
    if ending == "json":
        written = json.loads(report.read_text())
        assert_sums_agree(written)
        assert len(written["sockets"]) == SOCKETS
        assert written["totals"]["sent"] == told["sent"]
