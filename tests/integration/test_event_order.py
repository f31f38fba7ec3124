# SPDX-License-Identifier: GPL-2.0-or-later
"""Events come in the order of their times, and those are the times of the calls, whichever way these are counted."""

from __future__ import annotations

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import attached
from tests.fast import MODES
from tests.support import DEADLINE, Outcome, Targets, run_ptmon, started

SHAPES = {
    "a process": ("0", "1", "2000"),
    "threads": ("1", "4", "1000"),
    "processes": ("4", "1", "1000"),
    "processes of threads": ("3", "3", "500"),
}
PAUSE_S = 0.03
"""What the target lets go by."""


@pytest.fixture(params=sorted(MODES))
def mode(request: pytest.FixtureRequest) -> list[str]:
    return list(MODES[request.param])


@pytest.fixture(params=sorted(SHAPES))
def shape(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return SHAPES[request.param]


def launched(targets: Targets, folder: Path, *words: str, options: list[str]) -> tuple[Outcome, list[dict[str, Any]]]:
    """What ``ordered`` did, and its events."""
    log = folder / "events"
    done = run_ptmon(
        [targets("ordered"), *words],
        folder / "report.json",
        [*options, f"--log={log}", "--log-format", "jsonl"],
    )
    assert done.returncode == 0, done.stderr
    assert (done.totals["sent"], done.totals["received"]) == (done.told["sent"], done.told["received"])
    return done, events_of(log)


def events_of(log: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in log.read_text().splitlines()]
    return [event for event in events if "event" in event]


def assert_in_order(events: list[dict[str, Any]]) -> None:
    """Times never go back; a socket is told of before its first transfer, and its last close is after the last one."""
    back = [(one, other) for one, other in pairwise(events) if other["t"] < one["t"]]
    assert not back, f"{len(back)} of {len(events)}: {back[:3]}"
    seen: set[int] = set()
    closed: dict[tuple[int, int], set[int]] = {}
    for event in events:
        match event["event"]:
            case "socket":
                seen.add(event["socket"])
            case "send" | "receive":
                assert event["socket"] in seen, event
                assert event["socket"] not in closed.get((event["pid"], event["fd"]), ()), event
            case "close":
                closed.setdefault((event["pid"], event["fd"]), set()).add(event["socket"])


def assert_opened_before_used(report: dict[str, Any], events: list[dict[str, Any]]) -> None:
    """``opened_s`` is not later than the first transfer."""
    first: dict[int, float] = {}
    for event in events:
        if event["event"] in ("send", "receive"):
            first.setdefault(event["socket"], event["t"])
    rows = {row["id"]: row for row in report["sockets"]}
    assert set(first) == set(rows)
    for number, moment in first.items():
        assert rows[number]["opened_s"] <= moment


def test_times_of_events_never_go_backwards(
    targets: Targets, tmp_path: Path, mode: list[str], shape: tuple[str, ...]
) -> None:
    done, events = launched(targets, tmp_path, *shape, options=mode)
    assert_in_order(events)
    assert_opened_before_used(done.report, events)


def test_times_of_an_attached_program_never_go_backwards(
    targets: Targets, tmp_path: Path, mode: list[str], shape: tuple[str, ...]
) -> None:
    log = tmp_path / "events"
    words = [f"--log={log}", "--log-format", "jsonl"]
    with started([targets("ordered"), *shape, "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "report.json", *mode, *words, states="StR") as ptmon:
            out, errors = process.communicate("\n", timeout=DEADLINE)
            ptmon.finish()
    assert process.returncode == 0, errors
    told = json.loads(out.splitlines()[-1])
    assert ptmon.report["totals"]["sent"] == told["sent"]
    assert ptmon.report["totals"]["received"] == told["received"]
    assert_in_order(events_of(log))


@pytest.mark.parametrize("events", [False, True], ids=["totals alone", "with events"])
def test_a_socket_is_open_as_long_as_the_program_lets_time_go_by(
    targets: Targets, tmp_path: Path, mode: list[str], events: bool
) -> None:
    if events:
        done, told = launched(targets, tmp_path, "2", "2", "200", "pause", options=mode)
        assert_in_order(told)
    else:
        done = run_ptmon([str(targets("ordered")), "2", "2", "200", "pause"], tmp_path / "report.json", mode)
    closed = [row for row in done.report["sockets"] if row["sent"] + row["received"] == 200]
    assert len(closed) == 8
    for row in closed:
        assert row["closed_s"] - row["opened_s"] >= 2 * PAUSE_S


def test_transfers_bear_the_times_of_their_calls(targets: Targets, tmp_path: Path, mode: list[str]) -> None:
    """Not those at which they are read: the pause is where it was."""
    _, events = launched(targets, tmp_path, "0", "1", "200", "pause", options=mode)
    times = [event["t"] for event in events if event["event"] == "send"]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == 200
    assert gaps[100] >= PAUSE_S


def test_snapshots_stand_where_they_belong_among_events(targets: Targets, tmp_path: Path, mode: list[str]) -> None:
    _, events = launched(targets, tmp_path, "3", "2", "2000", options=[*mode, "--interval", "0.01"])
    assert_in_order(events)
    assert any(event["event"] == "snapshot" for event in events)
