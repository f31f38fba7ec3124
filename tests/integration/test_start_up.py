# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run loads: before its program has ended nobody wants to wait for what it makes no use of."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ptmon.formats import EVENTS, REPORTS
from ptmon.outputs import OUTPUTS
from tests.support import DEADLINE

LISTED = """
import sys
before = set(sys.modules)
sys.argv[0] = "ptmon"
from ptmon.__main__ import start
status = start()
print(*sorted(set(sys.modules) - before))
sys.exit(status)
"""
UNUSED = {
    "argparse", "ast", "cffi", "csv", "ctypes", "dataclasses", "datetime", "difflib", "inspect", "ipaddress", "json",
    "locale", "logging", "pathlib", "ptrace", "random", "re", "rich", "selectors", "shutil", "socket", "ssl",
    "subprocess", "tempfile", "textwrap", "threading", "traceback", "typing", "urllib.parse", "uuid",
}  # fmt: skip
OWN = {
    *(f"ptmon.{name}" for name in ("api", "decoding", "demo", "explain", "hooks", "rules", "syscalls", "waiting")),
    *(f"ptmon.{name}" for name in ("completion", "ledger.history", "manual")),
    *OUTPUTS,
    *(row.module for row in REPORTS.values()),
    *(row.module for row in EVENTS.values()),
}


def loaded(*words: str) -> frozenset[str]:
    """What ``ptmon WORDS`` has loaded when it ends, beside what Python had before."""
    done = subprocess.run([sys.executable, "-c", LISTED, *words], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return frozenset(done.stdout.split())


def test_a_quiet_run_loads_nothing_that_it_makes_no_use_of() -> None:
    found = loaded("-q", "true")
    assert "ptmon.engines.native" in found
    assert found & UNUSED == set()
    assert found & OWN == set()


def test_while_it_traces_garbage_is_looked_for_in_what_came_since() -> None:
    code = "import gc, ptmon.__main__ as main; main.start(); print(gc.isenabled(), gc.get_freeze_count() > 1000)"
    done = subprocess.run([sys.executable, "-c", code, "-q", "true"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.stdout == "True True\n"


def test_a_report_in_a_file_loads_no_more_than_its_format() -> None:
    found = loaded("-o", "/dev/null", "--format", "json", "true")
    assert {"ptmon.outputs.json", "json"} <= found
    unused = {"csv", "dataclasses", "inspect", "rich", "socket", "typing", "ptmon.outputs.csv", "ptmon.outputs.summary"}
    assert found & unused == set()


def test_points_are_kept_for_a_page_alone() -> None:
    assert {"ptmon.ledger.history", "ptmon.outputs.html"} <= loaded("-o", "/dev/null", "--format", "html", "true")


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_without_a_program_no_engine_is_loaded(option: str) -> None:
    found = loaded(option)
    assert "ptmon.cli" in found
    assert found & {"ptmon._native", "ptmon.session", "ptmon.ledger.ledger", "rich", "dataclasses", "typing"} == set()
