# SPDX-License-Identifier: GPL-2.0-or-later
"""--deny: what a rule refuses fails with its errno, all else is as without it. Traffic in network namespaces alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import attached
from tests.counting import I386, assert_schema_true, compiled
from tests.hazards import MARK, marked
from tests.support import DEADLINE, PTMON, Outcome, Targets, run_plain, run_ptmon, started, tracing, unprivileged, until

IN_NAMESPACE = ["unshare", "-rn" if unprivileged() else "-n", "--"]
NOWHERE = ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"]
INTERNAL = ["10.1.2.3", "::ffff:10.1.2.3"]
SECCOMP = pytest.mark.parametrize("seccomp", ["on", "off"])
ABI = pytest.mark.parametrize("flags", [(), I386], ids=["64-bit program", "i386 program"])
I386_RUNS = platform.machine() == "x86_64"


@pytest.fixture(scope="module")
def namespace() -> None:
    """A network namespace of one's own, from which nothing can leave."""
    done = subprocess.run([*IN_NAMESPACE, "true"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no network namespace can be made here: {done.stderr.strip()}")


def traced(command: Sequence[str | Path], file: Path, *options: str) -> Outcome:
    """ptmon and its program in a network namespace of their own; nothing of it stays."""
    mark = uuid.uuid4().hex
    words = [*IN_NAMESPACE, *tracing(*options, "--format", "json", "-o", file, "--", *command)]
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, MARK: mark},
    )
    until(lambda: not marked(mark), f"processes left behind: {marked(mark)}", deadline=10)
    report = json.loads(file.read_text())
    assert_schema_true(report)
    return Outcome(done.returncode, done.stdout, done.stderr, report)


def attempts(outcome: Outcome) -> dict[str, dict[str, str]]:
    """What reach.c told: by address, how it was tried, and the errno."""
    found: dict[str, dict[str, str]] = {}
    for line in outcome.stdout.splitlines()[:-1]:
        tried, _, word = line.rpartition(": ")
        how, _, whom = tried.rpartition(" ")
        found.setdefault(whom, {})[how] = word
    return found


def denials(report: dict[str, Any]) -> dict[tuple[str, str, str], int]:
    return {(row["rule"], row["syscall"], row["errno"]): row["calls"] for row in report["denied"]}


def reached(targets: Targets, flags: tuple[str, ...]) -> tuple[Path, dict[str, dict[str, str]]]:
    """The program, and what it finds without ptmon."""
    if flags and not I386_RUNS:
        pytest.skip("i386 programs run on x86_64")
    program = compiled(targets, "reach", flags)
    found = attempts(run_plain(*IN_NAMESPACE, program, "out"))
    assert set(found) == {*NOWHERE, *INTERNAL}
    assert {word for ways in found.values() for word in ways.values()} == {"ENETUNREACH"}
    assert any(how.startswith("socketcall") for how in found["192.0.2.1"]) == bool(flags)
    return program, found


@SECCOMP
@ABI
def test_what_would_leave_is_refused_and_the_loopback_works(
    targets: Targets, namespace: None, tmp_path: Path, flags: tuple[str, ...], seccomp: str
) -> None:
    program, plain = reached(targets, flags)
    outcome = traced([program, "out"], tmp_path / "r.json", "--seccomp", seccomp, "--deny", "connect:global")
    assert outcome.returncode == 0, outcome.stderr
    found = attempts(outcome)
    for whom in NOWHERE:
        assert found[whom] == dict.fromkeys(plain[whom], "EACCES"), whom
    for whom in INTERNAL:
        assert found[whom] == plain[whom], whom
    assert outcome.told == {"sent": 16, "received": 16}
    assert (outcome.totals["sent"], outcome.totals["received"]) == (16, 16)
    tried = [how for whom in NOWHERE for how in plain[whom]]
    expected = {
        ("connect:global", call, "EACCES"): sum(call == called(how) for how in tried)
        for call in ("connect", "sendto", "sendmsg", "sendmmsg")
    }
    assert denials(outcome.report) == expected


def called(how: str) -> str:
    """The system call of an attempt; fast open and what has no family are sent by sendto."""
    word = how.removeprefix("socketcall ").removeprefix("tcp ").removeprefix("udp ")
    return "sendto" if word in ("fast open", "sendto of no family") else word


@pytest.mark.parametrize(
    ("rule", "whom", "errno"),
    [
        ("connect:private", INTERNAL, "EACCES"),
        ("connect:10.0.0.0/8=EPERM", INTERNAL, "EPERM"),
        ("connect:2001:db8::/32=EHOSTUNREACH", ["2001:db8::1"], "EHOSTUNREACH"),
        ("connect:::ffff:192.0.2.0/120", ["192.0.2.1", "::ffff:192.0.2.1"], "EACCES"),
    ],
)
def test_a_network_is_refused_and_no_other(
    targets: Targets, namespace: None, tmp_path: Path, rule: str, whom: list[str], errno: str
) -> None:
    program, plain = reached(targets, ())
    found = attempts(traced([program, "out"], tmp_path / "r.json", "--deny", rule))
    assert found == {
        address: dict.fromkeys(ways, errno if address in whom else "ENETUNREACH") for address, ways in plain.items()
    }


def test_sending_can_be_refused_where_connecting_is_not(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, _ = reached(targets, ())
    found = attempts(traced([program, "out"], tmp_path / "r.json", "--deny", "sendto:global"))["192.0.2.1"]
    assert {how for how, word in found.items() if word == "ENETUNREACH"} == {"tcp connect", "udp connect"}
    assert {how for how, word in found.items() if word == "EACCES"} == {
        *("sendto", "sendmsg", "sendmmsg", "fast open", "sendto of no family"),
    }


def test_a_sendmmsg_of_which_one_message_is_refused_sends_none(
    targets: Targets, namespace: None, tmp_path: Path
) -> None:
    program = targets("reach")
    lines = traced([program, "mixed"], tmp_path / "r.json", "--deny", "connect:global").stdout.splitlines()
    assert lines[:2] == [
        "sendmmsg the loopback and 192.0.2.1: EACCES",
        "and what came over the loopback: EAGAIN",
    ]


def test_the_loopback_too_can_be_refused(targets: Targets, namespace: None, tmp_path: Path) -> None:
    outcome = traced([targets("reach"), "mixed"], tmp_path / "r.json", "--deny", "bind:loopback=EADDRNOTAVAIL")
    assert outcome.returncode == 99 and "bind(" in outcome.stderr
    assert denials(outcome.report) == {("bind:loopback=EADDRNOTAVAIL", "bind", "EADDRNOTAVAIL"): 1}


def test_a_rule_holds_in_an_attached_process(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, plain = reached(targets, ())
    with started([*IN_NAMESPACE, program, "wait", "out"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", "--deny", "connect:global") as ptmon:
            out = process.communicate("x", timeout=DEADLINE)[0]
            ptmon.finish()
    assert process.returncode == 0
    found = attempts(Outcome(0, out, "", {}))
    for whom in NOWHERE:
        assert found[whom] == dict.fromkeys(plain[whom], "EACCES"), whom
    assert sum(denials(ptmon.report).values()) == sum(len(plain[whom]) for whom in NOWHERE)


def test_an_execve_is_refused_but_not_the_programs_own_start(tmp_path: Path) -> None:
    outcome = run_ptmon(["sh", "-c", "/bin/true; echo $?"], tmp_path / "r.json", ["--deny", "execve"])
    assert (outcome.returncode, outcome.stdout) == (0, "126\n"), outcome.stderr
    assert denials(outcome.report) == {("execve", "execve", "EACCES"): 1}
    outcome = run_ptmon(["sh", "-c", "exec /bin/true"], tmp_path / "r.json", ["--deny", "execve=ENOENT"])
    assert outcome.returncode == 127


EVERYTHING = {
    "ptrace=EPERM": ("ptrace", "EPERM"),
    "io_uring_setup=ENOSYS": ("io_uring_setup", "ENOSYS"),
    "socket:netlink": ("netlink", "EACCES"),
    "socketpair:unix=EAFNOSUPPORT": ("socketpair", "EAFNOSUPPORT"),
    "execve=EIO": ("execve", "EIO"),
}
OPTIONS = [word for rule in EVERYTHING for word in ("--deny", rule)]
UNRULED = {"netlink": "done", "unix": "done", "inet": "done", "socketpair": "done", "getsid": "done", "child": "0"}


def outcomes(text: str) -> dict[str, str]:
    return dict(line.split(": ") for line in text.splitlines() if ": " in line)


def ruled(plain: dict[str, str]) -> dict[str, str]:
    """What refused.c tells when every rule holds: the child that executes nothing exits with 5."""
    return {**plain, **dict(EVERYTHING.values()), "child": "5"}


@SECCOMP
@pytest.mark.parametrize("own", [[], ["filter"]], ids=["", "with a filter of its own"])
def test_rules_by_call_and_by_family(targets: Targets, tmp_path: Path, seccomp: str, own: list[str]) -> None:
    program: list[str | Path] = [targets("refused"), *own]
    plain = outcomes(run_plain(*program).stdout)
    assert plain.items() >= {**UNRULED, **({"getsid": "EPERM"} if own else {})}.items()
    outcome = run_ptmon(program, tmp_path / "r.json", ["--seccomp", seccomp, *OPTIONS])
    assert outcome.returncode == 3, outcome.stderr
    assert outcomes(outcome.stdout) == ruled(plain)
    assert_schema_true(outcome.report)
    assert {key[0]: key[2] for key in denials(outcome.report)} == {rule: word for rule, (_, word) in EVERYTHING.items()}
    assert set(denials(outcome.report).values()) == {1}


def test_rules_hold_in_an_attached_process_and_its_children(targets: Targets, tmp_path: Path) -> None:
    plain = outcomes(run_plain(targets("refused")).stdout)
    with started([targets("refused"), "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", *OPTIONS) as ptmon:
            out = process.communicate("x", timeout=DEADLINE)[0]
            ptmon.finish()
    assert process.returncode == 3
    assert outcomes(out) == ruled(plain)
    assert {rule for rule, _, _ in denials(ptmon.report)} == set(EVERYTHING)


def test_each_denial_is_an_event(targets: Targets, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    options = [f"--log={log}", "--log-format", "jsonl", *OPTIONS]
    outcome = run_ptmon([targets("refused")], tmp_path / "r.json", options)
    assert outcome.returncode == 3, outcome.stderr
    events = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(event["rule"], event["syscall"]) for event in events if event.get("event") == "deny"]
    assert sorted(told) == sorted((rule, call) for rule, call, _ in denials(outcome.report))
    assert len(told) == len(EVERYTHING)


def test_the_summary_says_what_was_refused(targets: Targets) -> None:
    done = run_plain(*PTMON, *OPTIONS, "--", targets("refused"))
    assert done.returncode == 3
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("socket:netlink")]
    assert line.split() == ["socket:netlink", "(socket,", "EACCES)", "1"]


@pytest.mark.parametrize("rule", ["conect:global", "connect:10.1.0.0/8", "ptrace=EPREM", "execve:x", ""])
def test_a_rule_that_cannot_be_understood_is_an_error_before_the_program_starts(rule: str, tmp_path: Path) -> None:
    witness = tmp_path / "started"
    done = run_plain(*PTMON, "--deny", "execve", "--deny", rule, "--", "touch", witness)
    assert done.returncode == 2
    assert done.stderr.startswith(f"ptmon: --deny {rule}: ") and done.stderr.count("\n") == 1
    assert not witness.exists()
