# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program opens is no socket, and a process of one thread does not stop to have it looked at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fast import Fast, built
from tests.support import Targets, run_ptmon
from tests.watching import X86

SAME = ["files", "threads", "child"]


@pytest.mark.parametrize("libc", ["glibc", "static", "musl"])
@pytest.mark.parametrize("way", SAME)
def test_files_and_sockets_take_each_others_numbers(fast: Fast, way: str, libc: str) -> None:
    fast("opening", way, libc=libc)


def test_a_handler_makes_a_socket_of_the_number_that_was_just_opened(fast: Fast) -> None:
    fast("opening", "handler", same=False)


@pytest.mark.parametrize("way", [*SAME, "handler"])
def test_files_and_sockets_take_each_others_numbers_after_an_attach(fast: Fast, way: str) -> None:
    fast.attached("opening", way)


@pytest.mark.skipif(not X86, reason="calls are not counted inside here")
def test_files_that_are_opened_and_closed_do_not_stop(targets: Targets, tmp_path: Path) -> None:
    environment = {**os.environ, "PTMON_DEBUG": "stops"}
    done = run_ptmon(
        [built(targets, "opening", "glibc"), "files"], tmp_path / "report.json", ["--fast-after", "5"], env=environment
    )
    assert done.report["complete"] and done.totals["sent"] == done.told["sent"]
    assert len([line for line in done.stderr.splitlines() if "PTRACE_EVENT_SECCOMP" in line]) < 100
