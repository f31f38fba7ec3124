# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes whose main thread has exited while others go on: the leader is a zombie, without memory and files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.attaching import held_by, words_to_attach
from tests.fast import Fast
from tests.support import DEADLINE, assert_sums_agree, process_state, started, until


def test_bytes_of_the_others_are_counted_when_main_has_exited(fast: Fast) -> None:
    for _ in range(8):  # where main exits is not the same each time
        fast("leaderless")


def test_a_process_without_its_main_thread_is_attached_to(fast: Fast, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    with started([fast.targets("leaderless"), "wait"], stdin=subprocess.PIPE) as target:
        assert target.stdout is not None
        assert target.stdout.readline() == "ready\n"
        assert process_state(target.pid) == "Z"
        with started(words_to_attach(target.pid, file, *fast.options)) as tracer:
            until(
                lambda: tracer.poll() is not None or held_by(target.pid, tracer.pid, "S", but=target.pid),
                "ptmon to hold the thread that is left",
            )
            out, errors = target.communicate("\n", timeout=DEADLINE)
            assert target.returncode == 3, errors
            said = tracer.communicate(timeout=DEADLINE)[1]
            assert tracer.returncode == 0, said
    report = json.loads(file.read_text())
    assert_sums_agree(report)
    fast.assert_told(report, json.loads(out.splitlines()[-1]), calls=True)
    fast.assert_path(report, patched=True)
    (process,) = report["processes"]
    assert (process["pid"], process["argv"]) == (target.pid, [str(fast.targets("leaderless")), "wait"])
