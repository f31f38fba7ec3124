# SPDX-License-Identifier: GPL-2.0-or-later
"""--demo: the main job with nothing to prepare."""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hazards import MARK, marked
from tests.support import DEADLINE, PTMON, assert_sums_agree, until

Demo = Callable[..., subprocess.CompletedProcess[str]]
EXCHANGE = ["Traffic module: process received 35 bytes.", "Traffic module: process sent 35 bytes."]
LOG = [
    "Traffic module: loaded.",
    "Traffic module: program server.out is monitored.",
    "Traffic module: program server.out with PID = N executed.",
    *EXCHANGE * 5,
    "Traffic module: process with PID = N exited.",
    "Traffic module: received 175 bytes.",
    "Traffic module: sent      175 bytes.",
    "Traffic module: unloaded.",
]


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    """Runs the demo, and sees to it that neither a process nor a file of it is left behind."""

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        mark, scratch = uuid.uuid4().hex, tmp_path / "scratch"
        scratch.mkdir()
        environment = {**os.environ, MARK: mark, "TMPDIR": str(scratch)}
        words = [*PTMON, "--demo", *options]
        done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, env=environment)
        until(lambda: not marked(mark), "the clients' end")
        assert list(scratch.iterdir()) == []
        return done

    return run


def test_the_demo_shows_the_log_and_the_report(demo: Demo) -> None:
    done = demo()
    assert (done.returncode, done.stdout) == (0, "Server exited.\n")
    lines = done.stderr.splitlines()
    log = [line for line in lines if re.match(r"\[ *\d+\.\d{6}\] ", line)]
    assert [re.sub(r"PID = \d+", "PID = N", line.split("] ", 1)[1]) for line in log] == LOG
    assert lines[0].startswith(
        'ptmon: "Traffic module: ..." is what a kernel module that ptmon stands in for would log'
    )
    assert lines[1 : len(log) + 1] == log
    report = "\n".join(lines[len(log) + 1 :])
    assert re.search(r"^total +175 B +175 B$", report, re.MULTILINE)
    assert "the kernel's TCP counters agree on 5 of 5 sockets" in report


def test_the_demos_log_may_have_another_form_and_place(demo: Demo, tmp_path: Path) -> None:
    file = tmp_path / "log"
    done = demo(f"--log={file}", "--log-format", "jsonl", "--format", "json")
    assert done.returncode == 0
    report = json.loads(done.stderr)
    assert_sums_agree(report)
    assert (report["totals"]["sent"], report["totals"]["received"], report["exit"]["code"]) == (175, 175, 0)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert sum(event["bytes"] for event in events if event.get("event") == "send") == 175


def test_where_no_script_can_be_run_the_interpreter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from ptmon import demo as module

    monkeypatch.setattr(module, "FIRST_LINE_MOST", 0)
    with module.started() as command:
        assert command[1:4] == ("-m", "ptmon.demo", "server")
        done = subprocess.run(
            command, pass_fds=[int(command[4])], capture_output=True, text=True, timeout=DEADLINE, check=True
        )
    assert done.stdout == "Server exited.\n"
