# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as a table (parquet) and as a timeline (perfetto), of a run and of its recording."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, ODD_SHOWN, PTMON, Targets, oddly_named

PAGE = Path(__file__).parents[2] / "docs/RECORDING.md"


def ptmon(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PTMON, *map(str, words)], capture_output=True, text=True, timeout=DEADLINE, **keywords)


def events_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


@pytest.fixture
def run(targets: Targets, tmp_path: Path) -> Path:
    """The folder of a run with connections of several threads: run.parquet, run.jsonl and run.ptmon."""
    log = (f"--log={tmp_path}/run.jsonl", "--log-format", "jsonl")
    assert ptmon("--record", tmp_path / "run.ptmon", *log, "-q", targets("crowd"), "3", "5").returncode == 0
    assert ptmon("--replay", tmp_path / "run.ptmon", "-o", tmp_path / "run.parquet").returncode == 0
    return tmp_path


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as base:
        found: list[tuple[Any, ...]] = base.execute(query.replace("run.parquet", str(path))).fetchall()
    return found


def test_the_table_has_a_row_for_each_event(run: Path) -> None:
    events = events_of(run / "run.jsonl")
    assert dict(rows(run / "run.parquet", "SELECT event, count(*) FROM 'run.parquet' GROUP BY event")) == dict(
        Counter(event["event"] for event in events)
    )
    moved = rows(
        run / "run.parquet", "SELECT t, pid, tid, syscall, fd, socket, bytes FROM 'run.parquet' WHERE bytes > 0"
    )
    members = ("t", "pid", "tid", "syscall", "fd", "socket", "bytes")
    assert sorted(moved) == sorted(tuple(event[name] for name in members) for event in events if event.get("bytes"))


def test_a_table_can_be_had_of_a_run_as_it_ends(targets: Targets, tmp_path: Path) -> None:
    done = ptmon(f"--log={tmp_path}/%p.parquet", "-q", targets("chatter"), "7")
    assert (done.returncode, done.stderr) == (0, "")
    (table,) = tmp_path.glob("*.parquet")
    assert rows(table, "SELECT sum(bytes) FROM 'run.parquet' WHERE event = 'send'") == [(7,)]


def test_names_that_are_no_unicode_are_shown(targets: Targets, tmp_path: Path) -> None:
    program = oddly_named(targets("chatter"), tmp_path)
    done = ptmon(f"--log={tmp_path}/run.parquet", "--record", tmp_path / "run", "-q", program, "7", "\U0001f480")
    assert (done.returncode, done.stderr) == (0, "")
    names = rows(tmp_path / "run.parquet", "SELECT name, argv[3] FROM 'run.parquet' WHERE event = 'exec'")
    assert names == [(ODD_SHOWN, "\U0001f480")]
    timeline = tmp_path / "run.perfetto-trace"
    assert ptmon("--replay", tmp_path / "run", "-o", timeline).returncode == 0
    said = json.dumps(
        json.loads(timeline.read_text()), ensure_ascii=False
    ).encode()  # raises where a surrogate is alone
    assert json.dumps(f"exec {ODD_SHOWN}").encode() in said


def queries() -> list[str]:
    return re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_pages_queries_say_what_the_events_say(run: Path) -> None:
    peers, seconds, connects = (rows(run / "run.parquet", query) for query in queries())
    events = events_of(run / "run.jsonl")
    sent = sum(event["bytes"] for event in events if event["event"] == "send")
    assert sum(row[1] or 0 for row in rows(run / "run.parquet", queries()[0].replace("LIMIT 10", ""))) == sent
    assert len(peers) == 10
    assert sum(row[1] for row in seconds) == sum(row[2] for row in seconds) == sent
    took = sorted((event["seconds"] for event in events if event["event"] == "connect"), reverse=True)
    assert [row[3] for row in connects] == took[:10]


def test_without_duckdb_it_is_said_before_the_start(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['duckdb'] = None\nfrom ptmon.cli import main\n"
        f"sys.exit(main(['-o', '{tmp_path}/t.parquet', 'touch', '{tmp_path}/made']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    assert re.fullmatch(r"ptmon: a parquet table needs DuckDB \(.*\): pip install 'ptmon\[parquet\]'\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_cannot_be_written_ends_no_run(targets: Targets, tmp_path: Path) -> None:
    (tmp_path / "t.parquet").mkdir()
    done = ptmon("-o", tmp_path / "t.parquet", targets("chatter"), "1")
    assert done.returncode == 0
    assert done.stderr.startswith(f"ptmon: cannot write the table {tmp_path}/t.parquet: ")


def test_the_timeline_has_a_slice_for_each_transfer_and_connection(run: Path) -> None:
    done = ptmon("--replay", run / "run.ptmon", "-o", run / "t.perfetto-trace")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    slices = json.loads((run / "t.perfetto-trace").read_text())
    events = events_of(run / "run.jsonl")
    kinds = Counter((one.get("cat"), one["ph"]) for one in slices)
    assert kinds["transfer", "X"] == sum("bytes" in event for event in events)
    assert kinds["connection", "b"] == len({event["socket"] for event in events if event["event"] == "socket"})
    assert kinds["connection", "e"] == kinds["connection", "b"]
    assert kinds["connect", "X"] == 15
    moved = sum(one["args"]["bytes"] for one in slices if one.get("cat") == "transfer")
    assert moved == sum(event.get("bytes", 0) for event in events)
    assert slices[-1]["name"] == "end, complete"
    assert all(one["ts"] >= 0 for one in slices if one["ph"] != "M")


def test_a_traced_call_is_a_slice_from_its_entry_to_its_return(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "t.perfetto-trace"
    assert ptmon("--trace", "sendto", "-o", file, targets("chatter"), "3").returncode == 0
    calls = [one for one in json.loads(file.read_text()) if one["name"] == "sendto"]
    assert [one["ph"] for one in calls] == ["B", "E"] * 3
    assert [one["args"] for one in calls if one["ph"] == "E"] == [{"=": 1}] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "a.parquet", "--log=b.jsonl", "true"], "-o a.parquet and --log=b.jsonl are two logs"),
        (["--log", "--log-format", "parquet", "true"], "a parquet table wants a file: --log=FILE.parquet"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path: Path, words: list[str], said: str) -> None:
    done = ptmon(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
