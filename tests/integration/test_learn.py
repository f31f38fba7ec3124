# SPDX-License-Identifier: GPL-2.0-or-later
"""--learn: the rules that a run needed, with which --allow refuses nothing of it. Traffic in namespaces alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.attaching import attached
from tests.integration.test_deny import (
    ABI,
    IN_NAMESPACE,
    INTERNAL,
    NOWHERE,
    SECCOMP,
    attempts,
    denials,
    namespace,
    reached,
    traced,
)
from tests.support import DEADLINE, PTMON, Outcome, Targets, run_plain, started

__all__ = ["namespace"]
NEEDED = ["connect:10.1.2.3", "connect:192.0.2.1", "connect:2001:db8::1"]


def rules(file: Path) -> list[str]:
    """The lines that are rules, with their comments taken off."""
    lines = [line.partition("#")[0].strip() for line in file.read_text().splitlines()]
    return [line for line in lines if line]


@SECCOMP
@ABI
def test_a_learnt_file_refuses_nothing_of_the_same_run(
    targets: Targets, namespace: None, tmp_path: Path, flags: tuple[str, ...], seccomp: str
) -> None:
    program, plain = reached(targets, flags)
    file, log = tmp_path / "rules", tmp_path / "log.jsonl"
    options = ["--seccomp", seccomp, f"--log={log}", "--log-format", "jsonl", "--learn", str(file)]
    outcome = traced([program, "out"], tmp_path / "r.json", *options)
    assert outcome.returncode == 0, outcome.stderr
    assert attempts(outcome) == plain
    assert outcome.told == {"sent": 16, "received": 16}
    assert (outcome.totals["sent"], outcome.totals["received"]) == (16, 16)
    assert rules(file) == NEEDED
    assert all(line.endswith(f"  # {program.name[:15]}") for line in file.read_text().splitlines()[1:])
    assert denials(outcome.report) == {}
    assert not [line for line in log.read_text().splitlines() if json.loads(line).get("event") == "deny"]
    again = traced([program, "out"], tmp_path / "r.json", "--seccomp", seccomp, "--allow", f"@{file}")
    assert attempts(again) == plain
    assert denials(again.report) == {}


def test_each_rule_of_a_learnt_file_is_needed(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, plain = reached(targets, ())
    found = attempts(traced([program, "out"], tmp_path / "r.json", "--allow", NEEDED[0]))
    assert {whom for whom in plain if found[whom] == plain[whom]} == set(INTERNAL)
    assert {word for whom in NOWHERE for word in found[whom].values()} == {"EACCES"}


def test_who_is_only_sent_to_needs_no_more(namespace: None, tmp_path: Path) -> None:
    code = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for host in ('192.0.2.1', '127.0.0.1'):\n"
        "    try: s.sendto(b'x', (host, 9))\n"
        "    except OSError: pass\n"
    )
    file = tmp_path / "rules"
    traced(["/usr/bin/python3", "-c", code], tmp_path / "r.json", "--learn", str(file))
    assert rules(file) == ["sendto:192.0.2.1"]


def test_what_is_denied_is_not_learnt(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, _ = reached(targets, ())
    file = tmp_path / "rules"
    outcome = traced([program, "out"], tmp_path / "r.json", "--learn", str(file), "--deny", "connect:192.0.2.0/24")
    assert rules(file) == [NEEDED[0], NEEDED[2]]
    assert {rule for rule, _, _ in denials(outcome.report)} == {"connect:192.0.2.0/24"}


def test_a_name_in_a_learnt_file_is_no_rule(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program = tmp_path / "x\nconnect:inet\n"
    shutil.copy(targets("reach"), program)
    file = tmp_path / "rules"
    traced([program, "out"], tmp_path / "r.json", "--learn", str(file))
    assert rules(file) == NEEDED


def test_rules_are_learnt_of_an_attached_process(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, plain = reached(targets, ())
    file = tmp_path / "rules"
    with started([*IN_NAMESPACE, program, "wait", "out"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", "--learn", str(file)) as ptmon:
            out = process.communicate("x", timeout=DEADLINE)[0]
            ptmon.finish()
    assert attempts(Outcome(0, out, "", {})) == plain
    assert rules(file) == NEEDED


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (["--learn", "/dev/null/x"], 125, "cannot write the rules to /dev/null/x: ENOTDIR"),
        (["--learn", "f", "--allow", "connect:private"], 2, "--learn and --allow do not go together"),
        (["--learn", "f", "-o", "f"], 2, "--learn f and -o f are the same file"),
    ],
)
def test_what_cannot_be_learnt_is_an_error_before_the_program_starts(
    options: list[str], status: int, said: str, tmp_path: Path
) -> None:
    witness = tmp_path / "started"
    done = run_plain(*PTMON, *options, "--", "touch", witness)
    assert done.returncode == status
    assert done.stderr.startswith(f"ptmon: {said}") and done.stderr.count("\n") == 1
    assert not witness.exists()
