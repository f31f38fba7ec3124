# SPDX-License-Identifier: GPL-2.0-or-later
"""--allow: nobody is reached but who is named, and the loopback. Traffic in network namespaces alone."""

from __future__ import annotations

import json
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
    called,
    denials,
    namespace,
    reached,
    traced,
)
from tests.support import DEADLINE, PTMON, Outcome, Targets, run_plain, started

__all__ = ["namespace"]
INTERNAL_RULE = "connect:10.0.0.0/8"


@SECCOMP
@ABI
def test_who_is_not_allowed_is_refused_and_the_loopback_works(
    targets: Targets, namespace: None, tmp_path: Path, flags: tuple[str, ...], seccomp: str
) -> None:
    program, plain = reached(targets, flags)
    options = ["--seccomp", seccomp, "--fast-after", "1", "--allow", INTERNAL_RULE]
    outcome = traced([program, "out"], tmp_path / "r.json", *options)
    assert outcome.returncode == 0, outcome.stderr
    found = attempts(outcome)
    for whom in NOWHERE:
        assert found[whom] == dict.fromkeys(plain[whom], "EACCES"), whom
    for whom in INTERNAL:
        assert found[whom] == plain[whom], whom
    assert outcome.told == {"sent": 16, "received": 16}
    assert (outcome.totals["sent"], outcome.totals["received"]) == (16, 16)
    tried = [how for whom in NOWHERE for how in plain[whom]]
    assert denials(outcome.report) == {
        (f"--allow {INTERNAL_RULE}", call, "EACCES"): sum(call == called(how) for how in tried)
        for call in ("connect", "sendto", "sendmsg", "sendmmsg")
    }


@pytest.mark.parametrize(
    ("rule", "whom"),
    [
        ("connect:loopback", []),
        ("connect:private", INTERNAL),
        ("connect:global", NOWHERE),
        ("connect:inet6", ["2001:db8::1"]),
        ("connect:192.0.2.0/24", ["192.0.2.1", "::ffff:192.0.2.1"]),
        ("connect:::ffff:192.0.2.0/120", ["192.0.2.1", "::ffff:192.0.2.1"]),
    ],
)
def test_a_network_is_allowed_and_no_other(
    targets: Targets, namespace: None, tmp_path: Path, rule: str, whom: list[str]
) -> None:
    program, plain = reached(targets, ())
    found = attempts(traced([program, "out"], tmp_path / "r.json", "--allow", rule))
    assert found == {
        address: dict.fromkeys(ways, "ENETUNREACH" if address in whom else "EACCES") for address, ways in plain.items()
    }


def test_sending_can_be_allowed_where_connecting_is_not(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, _ = reached(targets, ())
    found = attempts(traced([program, "out"], tmp_path / "r.json", "--allow", "sendto:global"))["192.0.2.1"]
    assert {how for how, word in found.items() if word == "EACCES"} == {"tcp connect", "udp connect"}


def test_what_is_denied_is_refused_though_it_is_allowed(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, plain = reached(targets, ())
    options = ["--allow", "connect:global", "--deny", "connect:192.0.2.1=EPERM"]
    outcome = traced([program, "out"], tmp_path / "r.json", *options)
    words = {
        **dict.fromkeys(NOWHERE, "EPERM"),
        **dict.fromkeys(INTERNAL, "EACCES"),
        "2001:db8::1": "ENETUNREACH",
    }
    assert attempts(outcome) == {address: dict.fromkeys(ways, words[address]) for address, ways in plain.items()}
    assert {(rule, error) for rule, _, error in denials(outcome.report)} == {
        ("connect:192.0.2.1=EPERM", "EPERM"),
        ("--allow connect:global", "EACCES"),
    }


def test_an_allow_list_holds_in_an_attached_process(targets: Targets, namespace: None, tmp_path: Path) -> None:
    program, plain = reached(targets, ())
    with started([*IN_NAMESPACE, program, "wait", "out"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", "--allow", INTERNAL_RULE) as ptmon:
            out = process.communicate("x", timeout=DEADLINE)[0]
            ptmon.finish()
    assert process.returncode == 0
    found = attempts(Outcome(0, out, "", {}))
    for whom in NOWHERE:
        assert found[whom] == dict.fromkeys(plain[whom], "EACCES"), whom
    assert sum(denials(ptmon.report).values()) == sum(len(plain[whom]) for whom in NOWHERE)


def test_who_is_not_in_the_file_is_refused_and_each_refusal_is_an_event(
    targets: Targets, namespace: None, tmp_path: Path
) -> None:
    program, plain = reached(targets, ())
    file, log = tmp_path / "rules", tmp_path / "log.jsonl"
    file.write_text("connect:10.0.0.0/8  # reach\nconnect:2001:db8::1\n")
    options = [f"--log={log}", "--log-format", "jsonl", "--allow", f"@{file}"]
    found = attempts(traced([program, "out"], tmp_path / "r.json", *options))
    refused = {"192.0.2.1", "::ffff:192.0.2.1"}
    assert {whom for whom, ways in found.items() if set(ways.values()) == {"EACCES"}} == refused
    events = [json.loads(line) for line in log.read_text().splitlines()]
    rules = [event["rule"] for event in events if event.get("event") == "deny"]
    assert rules == [f"--allow @{file}"] * sum(len(plain[whom]) for whom in refused)


def test_a_unix_socket_is_free_under_an_allow_list(targets: Targets, tmp_path: Path) -> None:
    code = (
        "import socket; a = socket.socket(socket.AF_UNIX); a.bind('x'); a.listen();"
        "b = socket.socket(socket.AF_UNIX); b.connect('x'); print('reached')"
    )
    command: list[str | Path] = ["env", "-C", tmp_path, "python3", "-c", code]
    done = run_plain(*PTMON, "-q", "--allow", "connect:loopback", "--", *command)
    assert (done.returncode, done.stdout) == (0, "reached\n"), done.stderr


def test_a_rule_that_cannot_be_understood_is_an_error_before_the_program_starts(tmp_path: Path) -> None:
    witness = tmp_path / "started"
    done = run_plain(*PTMON, "--allow", "connect:gobal", "--", "touch", witness)
    assert done.returncode == 2
    assert done.stderr.startswith("ptmon: --allow connect:gobal: ") and done.stderr.count("\n") == 1
    assert not witness.exists()
