# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that are made and connected inside the program, without a stop, are told as if each call had stopped."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import attached
from tests.counting import SKIPPED
from tests.fast import MODES, Fast
from tests.support import DEADLINE, Targets, run_plain, run_ptmon, started, tracing, until

WAYS = (
    "refused",
    "refused6",
    "accepted",
    "in_progress",
    "in_progress_refused",
    "told_by_transfer",
    "told_by_connect",
    "asked_by_connect",
    "abandoned",
    "timed_out",
    "interrupted",
    "unix",
    "udp",
    "wrong",
    "twice",
    "refused_first",
    "unspecified",
    "connected6",
    "udp_again",
    "unix_datagrams",
    "restarted",
    "taken_away",
    "forked",
)
"""What tests/targets/connecting.c does."""

on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="no stubs here")


def shape(report: dict[str, Any]) -> dict[str, list[Any]]:
    """What is the same each time: ports, paths and times are not."""
    connects = [
        (
            *(one[name] for name in ("family", "type", "protocol", "scope", "calls")),
            *(one[name] for name in ("connected", "failed", "in_progress", "abandoned")),
            sorted(one["errnos"].items()),
            one["average_s"] is None,
            one["longest_s"] is None,
        )
        for one in report["connects"]
    ]
    sockets = [
        (
            *(one[name] for name in ("family", "type", "protocol", "scope", "direction", "sent", "received")),
            *(one[name] for name in ("calls_sent", "calls_received", "audit")),
            one["connect_s"] is None,
            one["closed_s"] is None,
            one["peer"] is None,
        )
        for one in report["sockets"]
    ]
    return {"connects": sorted(connects, key=repr), "sockets": sorted(sockets, key=repr)}


def assert_times_are_possible(report: dict[str, Any]) -> None:
    for one in report["sockets"]:
        assert one["connect_s"] is None or 0 <= one["connect_s"] <= (one["duration_s"] or report["duration_s"])
    for one in report["connects"]:
        assert one["longest_s"] is None or 0 <= one["average_s"] <= one["longest_s"] <= report["duration_s"]


def seen_at_stops(fast: Fast, folder: Path, way: str) -> dict[str, list[Any]]:
    command: list[str | Path] = [fast.targets("connecting"), way, "late"]
    if ("connecting", way) not in fast.references:
        plain = run_plain(*command)
        if plain.returncode == SKIPPED:
            pytest.skip(plain.stderr.strip())
        outcome = run_ptmon(command, folder / "stops.json", ["--fast", "off"])
        assert (outcome.returncode, outcome.stdout) == (plain.returncode, plain.stdout)
        fast.references["connecting", way] = shape(outcome.report)
    seen: dict[str, list[Any]] = fast.references["connecting", way]
    return seen


@pytest.mark.parametrize("way", WAYS)
def test_what_becomes_of_a_connect_is_told_as_at_stops(fast: Fast, tmp_path: Path, way: str) -> None:
    expected = seen_at_stops(fast, tmp_path, way)
    traced = run_ptmon([fast.targets("connecting"), way, "late"], tmp_path / "report.json", fast.options)
    assert traced.returncode == 0, traced.stderr
    assert traced.report["complete"], traced.report["warnings"]
    assert shape(traced.report) == expected
    assert_times_are_possible(traced.report)


@pytest.mark.parametrize("way", WAYS)
def test_what_becomes_of_a_connect_is_told_after_an_attach(fast: Fast, tmp_path: Path, way: str) -> None:
    expected = seen_at_stops(fast, tmp_path, way)
    with fast.ready(fast.targets("connecting"), way, "late") as (process, ptmon):
        errors = process.communicate("\n", timeout=DEADLINE)[1]
        ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    assert shape(ptmon.report) == expected
    assert_times_are_possible(ptmon.report)


@pytest.mark.parametrize("pairs", ["1", "8"])
def test_many_that_connect_at_once_share_fds(fast: Fast, pairs: str) -> None:
    report = fast("crowd", pairs, "200", same=False, calls=False).report
    connects = [(one["calls"], one["connected"]) for one in report["connects"]]
    assert connects == [(int(pairs) * 200, int(pairs) * 200)]
    assert Counter(one["direction"] for one in report["sockets"]) == {
        "connected": int(pairs) * 200,
        "accepted": int(pairs) * 200,
    }
    connected = [one for one in report["sockets"] if one["direction"] == "connected"]
    assert all(one["connect_s"] and one["audit"] == "match" for one in connected)


@pytest.mark.parametrize("how", ["plain", "signals"])
@pytest.mark.parametrize("names", ["auto", "off"])
def test_each_connect_is_told_once(targets: Targets, tmp_path: Path, how: str, names: str) -> None:
    """Signal handlers interrupt all of it, fds are given again all the time."""
    options = ["--fast-after", "1", "--names", names]
    report = run_ptmon([targets("visits"), how, "150"], tmp_path / "report.json", options).report
    told = {one["protocol"] or one["family"]: one for one in report["connects"]}
    assert {name: (one["calls"], one["connected"]) for name, one in told.items()} == {
        "tcp": (300, 300),
        "unix": (300, 300),
    }
    assert not report["warnings"]


@on_x86_64
@pytest.mark.parametrize("options", [(), ("--names", "off")], ids=["names", "no names"])
def test_there_are_no_stops_for_sockets_and_connects(targets: Targets, tmp_path: Path, options: tuple[str]) -> None:
    """But for those that are looked at for names."""
    words = tracing("-q", "--fast-after", "1", *options, "--fast-explain", "-o", tmp_path / "report.json")
    done = subprocess.run([*words, "--", targets("crowd"), "2", "500"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    stops: Counter[str] = Counter()
    for site in report["sites"]:
        for name in site["calls"]:
            stops[name] += site["stops"]
    assert stops["recvfrom"] > 0
    assert stops["socket"] < 20
    assert stops["connect"] < 100  # until all of them jump
    assert stops["close"] < 100


@on_x86_64
@pytest.mark.parametrize(
    "call",
    ["getpid", "process_vm_readv", "fstat", "getsockopt", "getsockname", "getpeername", "socket", "connect"],
)
def test_a_call_that_is_traced_is_told_as_often_as_the_program_makes_it(
    targets: Targets, tmp_path: Path, call: str
) -> None:
    command: list[str | Path] = [targets("visits"), "plain", "40"]
    lines = []
    for options in (["--fast-after", "1"], ["--fast", "off"]):
        outcome = run_ptmon(command, tmp_path / "report.json", [*options, "--trace", call])
        lines.append(len([line for line in outcome.stderr.splitlines() if f"{call}(" in line]))
    assert lines[0] == lines[1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_detach_in_the_middle_of_a_connect_does_not_end_it(
    targets: Targets, tmp_path: Path, mode: str, when: str
) -> None:
    """Nobody answers before ptmon is gone. Attached to before its first call, or while it connects already."""
    program = targets("connecting")
    with started([program, "held", "late", "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def go() -> None:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()

        assert process.stdout.readline() == "ready\n"
        if when == "meanwhile":
            go()
            assert process.stdout.readline() == "connecting\n"
            until(lambda: is_connecting(process.pid), "its connect")
        with attached(process.pid, tmp_path / "report.json", *MODES[mode], states="StR") as ptmon:
            if when == "before":
                go()
                assert process.stdout.readline() == "connecting\n"
                until(lambda: is_connecting(process.pid), "its connect")
            ptmon.detach()
        assert is_connecting(process.pid)
        go()
        out = process.communicate(timeout=DEADLINE)[0]
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1]) == {"sent": 161, "received": 161}
    assert ptmon.report["complete"], ptmon.report["warnings"]
    if when == "before":
        assert ptmon.report["totals"]["sent"] == 100


def is_connecting(pid: int) -> bool:
    """Does its first thread sleep in connect(2)?"""
    try:
        words = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return False
    return words[0] == {"x86_64": "42", "aarch64": "203"}[platform.machine()]


@pytest.mark.parametrize("mode", MODES)
def test_who_is_killed_while_it_connects_has_all_else_told(targets: Targets, tmp_path: Path, mode: str) -> None:
    words = tracing(*MODES[mode], "-o", tmp_path / "report.json", "--", targets("connecting"), "held", "late")
    with started(words, stdin=subprocess.PIPE) as tracer:
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "connecting\n"
        (child,) = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        until(lambda: is_connecting(int(child)), "its connect")
        os.kill(int(child), 9)
        tracer.communicate(timeout=DEADLINE)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["complete"], report["warnings"]
    assert report["totals"]["sent"] == 100
    assert [(one["calls"], one["connected"]) for one in report["connects"]] == [(1, 1)]
