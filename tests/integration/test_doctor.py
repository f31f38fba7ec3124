# SPDX-License-Identifier: GPL-2.0-or-later
"""--doctor: what it finds where things work, and where somebody refuses them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ptmon.doctor import PROBES
from tests.hazards import Unprivileged
from tests.support import DEADLINE, PTMON, Targets, started, tracing

DOCTOR = [*PTMON, "--doctor=json"]
WITHOUT_CORE = (
    "import sys; sys.modules['ptmon._native'] = None\n"
    "from ptmon.cli import main; sys.exit(main(['--doctor=json']))"
)  # fmt: skip


def examined(words: Sequence[str | Path], **keywords: Any) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and the probes by name."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, **keywords)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert (told["schema"], told["launches"]) == ("ptmon.doctor/1", done.returncode == 0)
    probes = {probe["name"]: probe for probe in told["probes"]}
    assert [*probes] == [name for name, *_ in PROBES]
    for name, probe in probes.items():
        assert probe["state"] in ("ok", "limited", "missing")
        assert probe["said"], name
        assert probe["state"] == "ok" or probe["remedy"], name
        assert "Traceback" not in probe["said"]
    return done.returncode, probes


def assert_works(status: int, probes: dict[str, dict[str, str]]) -> None:
    assert status == 0
    for name in ("machine", "core", "reference", "ptrace", "launch", "seccomp", "memory", "pidfd_getfd"):
        assert probes[name]["state"] == "ok", probes[name]
    if os.uname().machine == "x86_64":
        assert "399 of 400 calls" in probes["fast"]["said"]


def test_what_works_here_is_said_to_work() -> None:
    assert_works(*examined(DOCTOR))


def test_it_is_for_people_unless_json_is_asked_for() -> None:
    done = subprocess.run([*PTMON, "--doctor"], capture_output=True, text=True, timeout=DEADLINE, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1].startswith("ptmon can launch and count programs here; ")
    assert [line.split()[1] for line in lines if line.startswith(("ok ", "limited ", "missing "))] == [
        name for name, *_ in PROBES
    ]
    assert max(map(len, lines)) <= 100


def test_an_unprivileged_user_is_told_whom_he_may_trace(nobody: Unprivileged) -> None:
    status, probes = examined(DOCTOR, **nobody.keywords)
    assert_works(status, probes)
    assert probes["capabilities"]["state"] == "limited"
    assert "own user" in probes["capabilities"]["said"]


def in_namespaces(*options: str) -> list[str]:
    words = ["unshare", *options]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("this user may make no user namespace here")
    return [*words, *DOCTOR]


def test_in_a_user_namespace_capabilities_are_said_to_be_its_own() -> None:
    status, probes = examined(in_namespaces("-r"))
    assert_works(status, probes)
    assert probes["capabilities"]["said"].endswith("in a user namespace: for processes of that one alone")


def test_a_proc_of_another_pid_namespace_is_told() -> None:
    status, probes = examined(in_namespaces("-r", "-p", "-f"))
    assert status == 0
    assert probes["proc"]["state"] == "limited"
    assert "another PID namespace" in probes["proc"]["said"]
    assert probes["fast"]["state"] != "ok"


def test_where_ptrace_is_refused_nothing_can_be_launched(targets: Targets) -> None:
    status, probes = examined([targets("confined"), "ptrace", *DOCTOR])
    assert status == 1
    for name in ("ptrace", "launch", "fast"):
        assert probes[name]["state"] == "missing"
        assert "EPERM" in probes[name]["said"]
    assert probes["container"]["state"] == "limited"
    assert "a seccomp filter is on ptmon" in probes["container"]["said"]
    assert probes["pidfd_getfd"]["state"] == "ok"


@pytest.mark.parametrize(("call", "name"), [("process_vm_readv", "memory"), ("pidfd_getfd", "pidfd_getfd")])
def test_where_a_lesser_call_is_refused_launching_works(targets: Targets, call: str, name: str) -> None:
    status, probes = examined([targets("confined"), call, *DOCTOR])
    assert status == 0
    assert probes[name]["state"] != "ok"
    assert "EPERM" in probes[name]["said"]
    assert probes["launch"]["state"] == "ok"


def test_without_the_core_the_other_probes_are_made_still() -> None:
    status, probes = examined([sys.executable, "-c", WITHOUT_CORE])
    assert status == 1
    assert {name for name in ("core", "launch", "fast") if probes[name]["state"] == "missing"} == {
        "core",
        "launch",
        "fast",
    }
    assert "pip install" in probes["core"]["remedy"]
    assert {probes[name]["state"] for name in ("ptrace", "seccomp", "memory", "pidfd_getfd")} == {"ok"}


def test_under_another_tracer_that_one_is_named() -> None:
    status, probes = examined([*tracing("-q", "--"), *DOCTOR])
    assert status == 1
    assert "is itself traced by" in probes["launch"]["said"]


def test_a_small_memory_is_why_calls_stop() -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("calls are not counted inside here: that is for x86_64")
    status, probes = examined(["sh", "-c", 'ulimit -v 300000; exec "$@"', "sh", *DOCTOR])
    assert status == 0
    assert probes["fast"]["state"] == "limited"
    assert "memory is limited" in probes["fast"]["said"]


def test_it_needs_no_stdin_and_no_default_for_sigchld() -> None:
    script = (
        "import os, signal as s, sys; s.signal(s.SIGCHLD, s.SIG_IGN); os.close(0); os.execv(sys.argv[1], sys.argv[1:])"
    )
    assert_works(*examined([sys.executable, "-c", script, *DOCTOR]))


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    with started(DOCTOR) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(DEADLINE) == 0
        process.stdout = None
