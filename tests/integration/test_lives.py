# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows that the C core tells in one piece, where nobody wants single events, are those that it tells event by event."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, Targets

SCRIPT = """
import json, sys
from ptmon import engines
from ptmon.ledger.ledger import Ledger
from ptmon.records import Lives
from ptmon.report import Header

lives, most, fast, path = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
settings = engines.EngineSettings(command=tuple(sys.argv[5:]), lives=bool(lives), fast=fast, names="off")
told = {"rows": 0, "kinds": {}}
with engines.create("native", settings) as engine:
    ledger = Ledger(Header("host", (), "launch", "native", "", engine.root, None), most)
    for batch in engine:
        ledger.add_all(batch)
        for record in batch:
            kind = type(record).__name__
            told["kinds"][kind] = told["kinds"].get(kind, 0) + 1
            told["rows"] += len(record.rows) if isinstance(record, Lives) else 0
    report = ledger.report(engine.elapsed())
with open(path, "w") as file:
    json.dump([told, report.to_json(), [row.to_json() for row in report.sockets]], file)
"""
WORKS = [
    ("visits", "plain", "200"),
    ("visits", "forks", "60"),
    ("visits", "passes", "100"),
    ("counting", "write"),
    ("families", "inet6_stream"),
    *(("peers", mode) for mode in ("udp_by_messages", "unix_dgram", "reconnected", "connected_but_named")),
    *(("owners", mode) for mode in ("fork", "both_ends", "dup", "pass", "threads")),
    ("unusual", "connected_anew"),
    ("reuse", "socket_then_socket"),
    ("crowd", "8", "25"),
    ("audit", "many"),
]


def told_of(folder: Path, lives: bool, most: int, fast: int, *command: str) -> Any:
    """What the records were, the report, and its rows."""
    path = folder / f"told-{lives}"
    words = [sys.executable, "-c", SCRIPT, str(int(lives)), str(most), str(fast), str(path), *command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return json.loads(path.read_text())


def rows_of(rows: list[dict[str, Any]]) -> Counter[Any]:
    """The rows without what is another one in each run: numbers that the kernel gives out, and times."""
    names = ("family", "type", "protocol", "scope", "sent", "received", "peeked", "calls_sent", "calls_received")
    also = ("audit", "direction", "folded")
    return Counter(
        (*(row[name] for name in names), *(row.get(name) for name in also), row["closed_s"] is None, len(row["pids"]))
        for row in rows
    )


def assert_alike(folder: Path, most: int, fast: int, *command: str) -> Any:
    """Both ways come to the same; returns what the records were, packed and not, and the packed run's rows."""
    packed, report, rows = told_of(folder, True, most, fast, *command)
    plain, other, others = told_of(folder, False, most, fast, *command)
    assert rows_of(rows) == rows_of(others)
    for name in ("totals", "by_family", "by_scope", "by_syscall", "complete", "fallbacks"):
        assert report[name] == other[name], name
    assert [row["id"] for row in rows if not row.get("folded")] == [
        row["id"] for row in others if not row.get("folded")
    ]
    assert "Lives" not in plain["kinds"]
    return packed, plain, rows


@pytest.mark.parametrize("fast", [0, 1])
@pytest.mark.parametrize("work", WORKS, ids="-".join)
def test_a_program_has_one_report_in_both_forms(
    targets: Targets, tmp_path: Path, work: tuple[str, ...], fast: int
) -> None:
    name, *arguments = work
    packed, _, _ = assert_alike(tmp_path, 100_000, fast, str(targets(name)), *arguments)
    assert packed["rows"]


def test_short_connections_are_told_in_few_records(targets: Targets, tmp_path: Path) -> None:
    packed, plain, rows = assert_alike(tmp_path, 100_000, 50, str(targets("visits")), "plain", "500")
    assert packed["rows"] > 0.9 * len(rows)
    assert plain["kinds"]["SocketSeen"] >= len(rows)
    assert sum(packed["kinds"].get(kind, 0) for kind in ("Lives", "SocketSeen", "SocketClosed")) < len(rows) / 3


@pytest.mark.parametrize("most", [300, 1000])
def test_a_full_table_has_the_same_sums(targets: Targets, tmp_path: Path, most: int) -> None:
    """Which are folded last is another one in each run: threads close sockets side by side."""
    reports = [told_of(tmp_path, lives, most, 50, str(targets("visits")), "plain", "200") for lives in (True, False)]
    sums: list[Counter[Any]] = [Counter(), Counter()]
    for (_, report, rows), own in zip(reports, sums, strict=True):
        assert sum(not row.get("folded") for row in rows) <= most
        assert any(warning["reason"] == "folded" for warning in report["warnings"])
        for row in rows:
            for name in ("sent", "received", "calls_sent"):
                own[row["family"], row["direction"], name] += row[name]
            own[row["family"], row["direction"], "rows"] += row.get("folded") or 1
    assert sums[0] == sums[1]
    assert reports[0][0]["rows"] > 1000
