# SPDX-License-Identifier: GPL-2.0-or-later
"""A system call that an attach or a detach interrupts restarts as if nothing had happened."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from tests.attaching import assert_free, attached
from tests.support import DEADLINE, Targets, started

LATE = 1.6
"""Seconds before the first attach: a time limit that began anew there would be over at the wrong time."""
AS_ALWAYS = [
    "recv: 1 Success",
    "read: 1 Success",
    "accept: 1 Success",
    "futex: 0 Success",
    "poll: 1 Success",
    "poll for 4 s: 0 Success, on time",
    "nanosleep: 0 Success, on time",
    "futex for 4 s: -1 Connection timed out, on time",
]


@pytest.mark.parametrize("attaches", [0, 1, 3])
@pytest.mark.parametrize("woken", ["while attached", "after detach"])
def test_blocked_calls_return_as_always(targets: Targets, tmp_path: Path, attaches: int, woken: str) -> None:
    with started([targets("blocked")], stdin=subprocess.PIPE) as target:
        assert target.stdout is not None and target.stdin is not None
        assert target.stdout.readline() == "ready\n"
        time.sleep(LATE)
        for attach in range(attaches):
            with attached(target.pid, tmp_path / "r.json") as ptmon:
                if woken == "while attached" and attach == attaches - 1:
                    output = target.communicate("\n", timeout=DEADLINE)[0]
                    ptmon.finish()
                else:
                    ptmon.detach()
                    assert_free(target.pid)
        if target.poll() is None:
            output = target.communicate("\n", timeout=DEADLINE)[0]
    assert output.splitlines() == AS_ALWAYS
    assert target.returncode == 0
