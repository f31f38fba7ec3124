# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine as a part of another program: it leaves that program's signals and children alone."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support import DEADLINE, Targets


@pytest.mark.parametrize("kind", ["default", "ignored", "handled", "twice"])
def test_the_host_keeps_its_signals_and_its_children(targets: Targets, kind: str) -> None:
    """SIGCHLD may be at its default, ignored or handled; and there may be a second tracer in a second thread."""
    words = [sys.executable, "-m", "tests.hosting", str(targets("watched")), kind]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert set(told["codes"]) == {0} and told["bytes"] == ([10, 0] if kind == "twice" else [10])
    assert kind != "twice" or told["batches"][1] >= 5  # a second of sleep, a batch every 100 ms
    assert told["signalled"] and told["same"] and told["mask"]
    assert told["child"] == (None if kind == "ignored" else 5)
    assert told["chld"] is (kind == "handled")
