# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon itself fails in the middle: what it traces must not suffer from it."""

from __future__ import annotations

import subprocess
import sys

from tests.support import DEADLINE, Targets, run_plain

FAILING = """
import sys
from ptmon.engines import EngineSettings
from ptmon.outputs import SilentOutput
from ptmon.session import Session

class Failing(SilentOutput):
    wants_events = True
    def write(self, events):
        raise RuntimeError("half-way")

Session(EngineSettings(command=tuple(sys.argv[1:])), [Failing()]).run()
"""


def test_a_program_is_passed_on_to_its_end_if_an_output_fails(targets: Targets) -> None:
    program = [str(targets("threads")), "pairs", "5"]
    by_itself = run_plain(*program)
    done = subprocess.run(
        [sys.executable, "-c", FAILING, *program], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert "RuntimeError: half-way" in done.stderr
    assert done.stdout == by_itself.stdout
    assert done.stdout
