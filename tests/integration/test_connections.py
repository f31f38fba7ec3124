# SPDX-License-Identifier: GPL-2.0-or-later
"""Connects, what became of them, and how sockets came by their ends."""

from __future__ import annotations

import csv
import json
import os
import platform
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.counting import I386, Count, assert_schema_true
from tests.support import DEADLINE, PTMON, Targets, run_ptmon, started, tracing, until
from tests.unit.schema import event_validator

ENDS = ("connected", "failed", "in_progress", "abandoned")


def row(report: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The one row of connects that has these."""
    (found,) = [one for one in report["connects"] if all(one[name] == fact for name, fact in facts.items())]
    assert isinstance(found, dict)
    return found


def ends(one: dict[str, Any]) -> dict[str, int]:
    """What became of a row's connects, as far as there are any."""
    assert one["calls"] == sum(one[name] for name in ENDS)
    return {name: one[name] for name in ENDS if one[name]}


def directions(report: dict[str, Any]) -> list[str]:
    return [socket["direction"] for socket in report["sockets"]]


@pytest.mark.parametrize("mode", ["refused", "refused6"])
def test_a_refused_connect_is_told_with_its_address(count: Count, mode: str) -> None:
    report = count("connecting", mode).report
    (one,) = report["connects"]
    calls = 3 if mode == "refused" else 1
    assert (ends(one), one["errnos"]) == ({"failed": calls}, {"ECONNREFUSED": calls})
    host = "127.0.0.1" if mode == "refused" else "::1"
    assert (one["peer_address"], one["protocol"], one["scope"]) == (host, "tcp", "loopback")
    assert one["peer"] == (f"{host}:{one['peer_port']}" if mode == "refused" else f"[{host}]:{one['peer_port']}")
    assert 0 < one["average_s"] <= one["longest_s"] < report["duration_s"]
    assert report["sockets"] == []


def test_a_connection_tells_who_opened_it_and_how_long_that_took(count: Count) -> None:
    report = count("connecting", "accepted").report
    opened, accepted = report["sockets"]
    assert directions(report) == ["connected", "accepted"]
    assert (opened["peer"], opened["peer_address"]) == (accepted["local"], "127.0.0.1")
    assert opened["peer_port"] == accepted["local_port"] == row(report)["peer_port"]
    assert opened["local_port"] == accepted["peer_port"]
    assert 0 < opened["connect_s"] <= opened["duration_s"]
    assert accepted["connect_s"] is None
    assert opened["connect_s"] == row(report)["longest_s"]


def test_a_connect_in_progress_is_connected_when_that_is_seen(count: Count) -> None:
    report = count("connecting", "in_progress").report
    assert ends(row(report)) == {"connected": 1}
    assert directions(report) == ["connected", "accepted"]


def test_a_connect_in_progress_has_failed_and_why_is_not_guessed(count: Count) -> None:
    one = row(count("connecting", "in_progress_refused").report)
    assert (ends(one), one["errnos"]) == ({"failed": 1}, {})


@pytest.mark.parametrize("mode", ["told_by_transfer", "told_by_connect"])
def test_why_it_has_failed_is_told_where_a_call_of_the_program_is(count: Count, mode: str) -> None:
    one = row(count("connecting", mode).report)
    assert (ends(one), one["errnos"]) == ({"failed": 1}, {"ECONNREFUSED": 1})


def test_who_asks_by_connect_makes_no_further_one(count: Count) -> None:
    assert ends(row(count("connecting", "asked_by_connect").report)) == {"connected": 1}


def full(report: dict[str, Any]) -> dict[str, Any]:
    """The row of the listener that had too many waiting."""
    return row(report, protocol="tcp")


def test_a_connect_whose_socket_is_closed_meanwhile_is_abandoned(count: Count) -> None:
    report = count("connecting", "abandoned").report
    assert ends(full(report))["abandoned"] == 1


def test_the_reference_engine_tells_an_abandoned_connect_too(targets: Targets, tmp_path: Path) -> None:
    outcome = run_ptmon([targets("connecting"), "abandoned"], tmp_path / "report.json", ["--engine", "reference"])
    assert ends(full(outcome.report))["abandoned"] == 1


def test_a_connect_that_nobody_answers_times_out(count: Count) -> None:
    one = full(count("connecting", "timed_out").report)
    assert (one["failed"], one["errnos"]) == (1, {"ETIMEDOUT": 1})
    assert one["longest_s"] >= 1  # the first try and another one


def test_a_connect_that_a_signal_ends_is_one_and_goes_on(count: Count) -> None:
    one = full(count("connecting", "interrupted").report)
    assert (one["calls"], one["failed"]) == (4 + 1, 0)
    assert one["in_progress"] >= 1


def test_unix_sockets_tell_the_same(count: Count) -> None:
    report = count("connecting", "unix").report
    assert directions(report) == ["connected", "accepted"]
    names = {one["peer"].split("-")[1]: one for one in report["connects"]}
    assert ends(names["listener"]) == {"connected": 1, "failed": 1}
    assert names["listener"]["errnos"] == {"EAGAIN": 1}
    assert (ends(names["silent"]), names["silent"]["errnos"]) == ({"failed": 1}, {"ECONNREFUSED": 1})
    assert names["silent"]["peer_port"] is None
    assert names["silent"]["peer_address"] == names["silent"]["peer"]


def test_a_pair_is_neither_connected_nor_accepted(count: Count) -> None:
    report = count("connecting", "pair").report
    assert directions(report) == ["pair", "pair"]
    assert report["connects"] == []


def test_datagram_sockets_are_connected_or_bound_or_neither(count: Count) -> None:
    report = count("connecting", "udp").report
    assert directions(report) == ["connected", "bound", "none"]
    one = row(report)
    assert (ends(one), one["protocol"]) == ({"connected": 1}, "udp")


def test_what_connects_to_nothing_is_no_connect(count: Count) -> None:
    one = row(count("connecting", "wrong").report)
    assert (ends(one), one["errnos"], one["peer"]) == ({"failed": 1}, {"EFAULT": 1}, None)


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_each_is_an_event(targets: Targets, tmp_path: Path, engine: str) -> None:
    log = tmp_path / "log"
    options = ["--engine", engine, f"--log={log}", "--log-format", "jsonl"]
    outcome = run_ptmon([targets("connecting"), "told_by_transfer"], tmp_path / "report.json", options)
    assert_schema_true(outcome.report)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    for line in told:
        event_validator().validate(line)
    connects = [line for line in told if line.get("event") == "connect"]
    said = [(line["outcome"], line.get("errno"), line.get("later", False)) for line in connects]
    assert said == [
        ("in_progress", "EINPROGRESS", False),
        ("failed", None, True),
        ("failed", "ECONNREFUSED", True),
    ]
    assert len({(line["peer"], line["inode"]) for line in connects}) == 1


def test_the_summary_says_what_was_not_connected(targets: Targets) -> None:
    done = subprocess.run([*tracing(), str(targets("connecting")), "refused"], capture_output=True, text=True)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("connect:")]
    assert re.fullmatch(r"connect: 3 failed \(ECONNREFUSED\) -> 127\.0\.0\.1:\d+", line)


def test_peers_are_told_by_address_transport_and_port_of_the_service(count: Count) -> None:
    report = count("connecting", "udp").report
    server, client = report["sockets"][1], report["sockets"][0]
    told = {(row["transport"], row["peer_address"], row["port"]): row for row in report["by_peer"]}
    one = told["udp", "127.0.0.1", server["local_port"]]
    assert client["peer_port"] == server["local_port"]
    assert one["sent"] == report["totals"]["sent"] == 23 + 29 + 31
    assert one["scope"] == "loopback"


def test_both_ends_of_a_connection_are_told_by_the_port_of_who_listened(count: Count) -> None:
    report = count("connecting", "accepted").report
    (one,) = report["by_peer"]
    assert (one["port"], one["sockets"]) == (report["sockets"][1]["local_port"], 2)
    assert (one["sent"], one["received"], one["calls_sent"], one["calls_received"]) == (11, 11, 1, 1)


def test_the_report_by_peer_is_csv_too(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "report.peers"
    subprocess.run([*tracing("-o", file), "--", str(targets("connecting")), "accepted"], check=True)
    (one,) = csv.DictReader(file.open())
    assert (one["transport"], one["peer_address"], one["sent"], one["received"]) == ("tcp", "127.0.0.1", "11", "11")


@pytest.mark.parametrize("mode", ["refused", "accepted", "told_by_transfer", "unix", "udp"])
def test_a_program_of_the_32_bit_abi_tells_the_same(count: Count, mode: str) -> None:
    """It connects by socketcall, whose arguments are in memory."""
    one, other = (count("connecting", mode, flags=flags).report for flags in ((), I386))
    assert directions(one) == directions(other)
    assert [(ends(row), row["errnos"]) for row in one["connects"]] == [
        (ends(row), row["errnos"]) for row in other["connects"]
    ]


@pytest.mark.parametrize("options", [["--fast-after", "1"], ["--fast", "off"]], ids=["fast", "stops"])
@pytest.mark.parametrize("mode", ["accepted", "in_progress", "in_progress_refused", "told_by_transfer", "udp"])
def test_however_calls_are_counted_connections_are_told(count: Count, mode: str, options: list[str]) -> None:
    report = count("connecting", mode, options=options).report
    assert all(one["calls"] == one["connected"] + one["failed"] for one in report["connects"])
    assert "unknown" not in directions(report)


ATTACHED = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
before = socket.create_connection(listener.getsockname())
other, _ = listener.accept()
before.send(b"x" * 41)
print("ready", flush=True)
sys.stdin.readline()
before.send(b"x" * 43)
after = socket.create_connection(listener.getsockname())
third, _ = listener.accept()
after.send(b"x" * 47)
print(third.recv(47, socket.MSG_WAITALL) == b"x" * 47, socket.socket().connect_ex(("127.0.0.1", 1)))
"""


@pytest.mark.parametrize("options", [[], ["--fast", "off"]], ids=["fast", "stops"])
def test_after_an_attach_new_connections_are_told_and_old_ones_are_unknown(tmp_path: Path, options: list[str]) -> None:
    file = tmp_path / "report.json"
    with started([sys.executable, "-c", ATTACHED], stdin=subprocess.PIPE) as program:
        assert program.stdin and program.stdout
        assert program.stdout.readline() == "ready\n"
        with started(tracing(*options, "--log", "-o", file, "--attach", str(program.pid))) as ptmon:
            log = ptmon.stderr
            assert log is not None
            until(lambda: " exec " in log.readline(), "ptmon has attached")
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "True 111\n"
            assert ptmon.wait(DEADLINE) == 0
    report = json.loads(file.read_text())
    assert_schema_true(report)
    assert report["totals"]["sent"] == 43 + 47
    assert sorted(zip(directions(report), (one["sent"] for one in report["sockets"]), strict=True)) == [
        ("accepted", 0),
        ("connected", 47),
        ("unknown", 43),
    ]
    assert row(report, peer_port=1)["errnos"] == {"ECONNREFUSED": 1}


def test_a_connect_that_a_rule_refuses_is_no_connect(targets: Targets, tmp_path: Path) -> None:
    outcome = run_ptmon([targets("connecting"), "refused"], tmp_path / "report.json", ["--deny", "connect:loopback"])
    assert outcome.report["connects"] == []
    assert outcome.report["denied"][0]["calls"] == 1


MANY = """
import socket, sys
patience = None if sys.argv[1] == "waits" else 5
listener = socket.create_server(("127.0.0.1", 0))
for _ in range(100):
    with socket.create_connection(listener.getsockname(), patience) as near, listener.accept()[0] as far:
        near.send(b"x")
        far.recv(1)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="calls are counted inside the program on x86_64 alone")
@pytest.mark.parametrize("how", ["waits", "polls"])
def test_a_connection_stops_for_nothing(how: str) -> None:
    """Not for its socket, its connect, the first transfer, nor the close; nor does the side that accepts it."""
    words = [*PTMON, "-q", "--fast-after", "1", "--names", "off", "--", sys.executable, "-c", MANY, how]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PTMON_DEBUG": "stops"})
    told = done.stderr.splitlines()[-300:]
    stops = Counter(found[1] for line in told if (found := re.search(r"(?:SECCOMP|exit-stop) (\w+)", line)))
    assert {name: count for name, count in stops.items() if count > 10} == {}
