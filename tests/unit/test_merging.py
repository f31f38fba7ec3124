# SPDX-License-Identifier: GPL-2.0-or-later
"""--merge and --diff, without programs that run: what reports say together, and what is no report."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ptmon.command_line import parse
from ptmon.defaults import MAX_SOCKETS
from ptmon.errors import UsageError
from ptmon.frozen import replace
from ptmon.merging.comparing import Comparison
from ptmon.merging.documents import report_of as read
from ptmon.merging.merged import Merged
from ptmon.merging.shapes import WrongError
from ptmon.outputs import csv as csv_output
from ptmon.outputs import html as html_output
from ptmon.outputs import summary as summary_output
from ptmon.outputs.report_output import Render, Style
from ptmon.records import Connected, FallbackReason, Incomplete, Reason, Record
from ptmon.report import Header, Report
from tests.support import DEADLINE, PTMON, assert_sums_agree
from tests.unit.build import (
    HEADER,
    ROOT,
    born,
    close,
    connect,
    executes,
    exits,
    falls_back,
    received,
    report_of,
    sent,
    server,
    tcp,
)
from tests.unit.build import (
    PTMON as PARENT,
)
from tests.unit.schema import validator

NODE1 = replace(HEADER, host="node1", rank=0)
NODE2 = replace(HEADER, host="node2", rank=1, started="2026-11-21T20:00:02.500000Z")
SMALL = 2_000
"""Reports."""
MOST_MIB = 60


def client(port: int = 50000, peer: str = "127.0.0.1", count: int = 7) -> list[Record]:
    """A run that sends ``count`` bytes by one connection, and by a socket that is not known."""
    return [
        born(ROOT, ROOT, PARENT),
        executes("client"),
        connect(error=111),
        connect(end=Connected.RETURNED),
        tcp(1, port=port, peer=peer),
        sent(count),
        received(3),
        received(0, error=11),
        close(1, (count, 3)),
        sent(2, 0),
        falls_back(FallbackReason.SANDBOX),
        exits(),
    ]


def merged(*reports: Report, most: int = MAX_SOCKETS) -> Report:
    made = Merged(most)
    for number, report in enumerate(reports):
        made.add(report, f"r-{number}.json")
    return made.report()


def document(report: Report) -> dict[str, Any]:
    """As a file has it; it is true to the schema, and its sums agree."""
    told: Any = json.loads(json.dumps(report.to_json()))
    validator().validate(told)
    assert_sums_agree(told)
    assert isinstance(told, dict)
    return told


def rendered(report: Report, render: Render, style: Style | None = None) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    render(report, file, style or Style())
    file.seek(0)
    return file.read()


@pytest.fixture
def both() -> Report:
    return merged(report_of(server(), NODE1), report_of(client(), NODE2, 2.0))


def test_the_sums_are_those_of_the_reports(both: Report) -> None:
    told = document(both)
    parts = [document(report_of(server(), NODE1)), document(report_of(client(), NODE2, 2.0))]
    for name, count in told["totals"].items():
        assert count == sum(part["totals"][name] for part in parts), name
    for name in ("by_family", "by_scope"):
        for key, row in told[name].items():
            assert row["sent"] == sum(part[name].get(key, {"sent": 0})["sent"] for part in parts)
    for name, row in told["by_syscall"].items():
        assert row["calls"] == sum(part["by_syscall"].get(name, {"calls": 0})["calls"] for part in parts)
    assert told["by_syscall"]["recvfrom"]["errnos"] == {"EAGAIN": 1}
    assert [(row["host"], row["rank"], row["file"], row["totals"]["sent"]) for row in told["hosts"]] == [
        ("node1", 0, "r-0.json", 175),
        ("node2", 1, "r-1.json", 9),
    ]
    assert (told["host"], told["rank"], told["mode"], told["engine"]) == ("2 hosts", None, "merge", "native")
    assert told["command"] == ["./server.out"]
    assert told["complete"]


def test_rows_say_which_run_they_are_of_and_have_ids_of_their_own(both: Report) -> None:
    told = document(both)
    ids = [row["id"] for row in told["sockets"]]
    assert len(set(ids)) == len(ids) == 7
    assert [row["source"] for row in told["processes"]] == [0, 1]
    assert [row.get("source") for row in told["sockets"] if row["id"]] == [0] * 5 + [1]
    assert [row["source"] for row in told["fallbacks"]] == [1]


def test_times_are_since_the_first_of_them_has_started(both: Report) -> None:
    told = document(both)
    assert told["started"] == "2026-11-21T20:00:00.000000Z"
    assert told["duration_s"] == 4.5
    assert [row["started_s"] for row in told["processes"]] == [0.0, 2.5]
    assert [row["opened_s"] for row in told["sockets"] if row["id"]] == [0.1] * 5 + [2.6]


def test_what_belongs_to_no_known_socket_is_one_row() -> None:
    told = document(merged(report_of(client(), NODE1), report_of(client(), NODE2)))
    unknown = [row for row in told["sockets"] if not row["id"]]
    assert [(row["sent"], row["pids"], row.get("source")) for row in unknown] == [(4, [], None)]


def test_connects_to_one_address_are_one_row() -> None:
    told = document(merged(report_of(client(), NODE1), report_of(client(), NODE2)))
    (row,) = told["connects"]
    assert (row["calls"], row["failed"], row["connected"], row["errnos"]) == (4, 2, 2, {"ECONNREFUSED": 2})
    assert (row["average_s"], row["longest_s"]) == (0.25, 0.25)


def test_one_that_is_not_complete_makes_the_whole_not_complete() -> None:
    lacking = [*client(), Incomplete(0.1, ROOT, Reason.IO_URING, "io_uring_setup", 0)]
    told = document(merged(report_of(server(), NODE1), report_of(lacking, NODE2)))
    assert not told["complete"]
    assert [(row["reason"], row["source"]) for row in told["warnings"]] == [("io_uring", 1)]
    assert [row["complete"] for row in told["hosts"]] == [True, False]


def test_one_that_is_left_out_makes_the_whole_not_complete() -> None:
    made = Merged(MAX_SOCKETS)
    made.add(report_of(server()), "r.json")
    made.leave_out("odd\x1b.json", "is damaged")
    told = document(made.report())
    assert not told["complete"]
    assert told["warnings"][0]["message"] == "odd\\x1b.json is damaged; it is left out"


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_beyond_max_sockets_they_are_folded_and_the_sums_stay_exact(most: int) -> None:
    reports = [
        report_of(client(port=1000 + number, peer=f"10.0.0.{number % 4}", count=number), replace(NODE1, rank=number))
        for number in range(20)
    ]
    told = document(merged(*reports, most=most))
    assert told["totals"]["sent"] == sum(range(20)) + 40
    known = [row for row in told["sockets"] if row["id"]]
    assert sum(row.get("folded", 1) for row in known) == 20
    assert len(known) <= 2 * most + 1
    assert [row["message"] for row in told["warnings"]] == [
        f"no more than {most} sockets are listed one by one (--max-sockets): {20 - most} closed sockets are folded"
        " into one row for each peer's host; the totals are exact"
    ]


def test_merged_reports_can_be_merged() -> None:
    parts = [report_of(client(count=number), replace(NODE1, rank=number)) for number in range(4)]
    pairs = [read(document(merged(*parts[:2]))), read(document(merged(*parts[2:])))]
    told, at_once = document(merged(*pairs)), document(merged(*parts))
    for row in (*told["hosts"], *at_once["hosts"]):
        del row["file"]
    unknown = [row for row in told["sockets"] if not row["id"]]
    assert [row["sent"] for row in unknown] == [8]
    assert told == at_once


@pytest.mark.parametrize("records", [server(), client(), []], ids=["server", "client", "empty"])
def test_a_report_that_was_read_is_the_report(records: list[Record]) -> None:
    told = document(report_of(records, NODE1, max_sockets=2))
    assert json.loads(json.dumps(read(told).to_json())) == told
    together = document(merged(read(told)))
    assert json.loads(json.dumps(read(together).to_json())) == together


def test_the_csv_says_host_and_rank(both: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(rendered(both, csv_output.write_report))))
    assert sum(int(row["sent"]) for row in rows) == both.totals.sent
    assert [(row["source"], row["host"], row["rank"]) for row in rows[1:]] == [("0", "node1", "0")] * 5 + [
        ("1", "node2", "1")
    ]
    alone = csv.DictReader(io.StringIO(rendered(report_of(server(), NODE1), csv_output.write_report)))
    assert not {"source", "host", "rank"} & set(alone.fieldnames or ())


def test_the_summary_has_tables_by_host_and_by_rank(both: Report) -> None:
    text = rendered(both, summary_output.write_report)
    assert text.startswith("ptmon: ./server.out · 2 runs on 2 hosts · 4.50 s · exit 0 · complete\n")
    assert re.search(r"^by host +runs +sent +received\nnode1 +1 +175 B +175 B\nnode2 +1 +9 B +3 B$", text, re.MULTILINE)
    assert re.search(r"^node2 +1 +9 B +3 B$", text.partition("by rank")[2], re.MULTILINE)
    assert "client  (node2 rank 1)" in text
    assert "node1 rank 0  tcp  :8080" in text


def test_the_summary_says_the_rank_of_one_run() -> None:
    assert " · rank 1 · " in rendered(report_of(server(), NODE2), summary_output.write_report).splitlines()[0]
    assert "rank" not in rendered(report_of(server()), summary_output.write_report)


def test_the_page_has_a_table_of_the_runs_and_keeps_equal_pids_apart() -> None:
    child = [*server(), born(20, 20, ROOT)]
    page = rendered(merged(report_of(child, NODE1), report_of(child, NODE2)), html_output.write_report)
    assert '<section id="hosts">' in page
    assert page.count("(node1 rank 0)") == page.count("(node2 rank 1)") == 2
    assert page.count('class="wide d1"') == 2


def test_what_programs_ran_is_counted_where_they_are_several() -> None:
    other: Header = replace(NODE2, command=("./client",))
    report = merged(report_of(server(), NODE1), report_of([*client()[:-1], exits(code=3)], other))
    text = rendered(report, summary_output.write_report)
    assert text.startswith("ptmon: 2 programs · 2 runs on 2 hosts · 3.75 s · 1 exit 0, 1 exit 3 · complete\n")
    assert document(report)["exit"] is None


def break_at(document: Any, path: Sequence[str | int], value: object) -> Any:
    copy: Any = json.loads(json.dumps(document))
    place = copy
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("schema",), "ptmon.report/2", "its schema is not ptmon.report/1"),
        (("totals",), ..., "the report has no totals"),
        (("totals", "sent"), 176, "its parts do not make its totals"),
        (("totals", "sent"), 175.0, "sent of totals is a float"),
        (("totals", "sent"), True, "sent of totals is a bool"),
        (("totals", "peeked"), -1, "peeked of totals is out of range"),
        (("duration_s",), float("nan"), "duration_s of the report is out of range"),
        (("started",), "2026-13-21T20:00:00.000000Z", "started is no time"),
        (("host",), "a\x1b[2J", "host of the report is 'a\\\\x1b[2J'"),
        (("sockets", 0, "family"), "ipx", "family of a socket is 'ipx'"),
        (("sockets", 0, "pids"), ["1"], "pids are no process ids"),
        (("sockets", 0, "sent"), 1, "its parts do not make its totals"),
        (("sockets", 1), [], "a socket is no object"),
        (("processes", 0, "threads"), [], "a process has no threads"),
        (("by_syscall", "sendto", "calls"), ..., "a system call has no calls"),
        (("by_family",), {"ipx": {"sent": 175, "received": 175}}, "by_family has a name that there is not"),
        (("exit",), {"code": None, "signal": None}, "an end is no end"),
        (("mode",), "merge", "the report has no hosts"),
        (("rank",), -1, "rank is no number"),
        (("warnings",), {}, "warnings is no list"),
    ],
)
def test_what_is_no_report_is_told_with_what_is_wrong(path: Sequence[str | int], value: object, said: str) -> None:
    told = json.loads(json.dumps(report_of(server()).to_json()))
    with pytest.raises(WrongError) as error:
        read(break_at(told, path, value))
    assert str(error.value) == said


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """All places of a document."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [place for key, one in value.items() for place in places(one, (*path, key))]
    if isinstance(value, list):
        return found + [place for at, one in enumerate(value) for place in places(one, (*path, at))]
    return found


def test_a_document_with_anything_at_any_place_is_a_report_or_none() -> None:
    """Never anything but a WrongError: who writes reports may be anybody."""
    told = document(merged(report_of(server(), NODE1), report_of(client(), NODE2)))
    chance = random.Random(7)
    values: list[object] = [..., None, "x", "", -1, 1 << 70, 0.5, float("inf"), True, [], {}, [None], {"x": None}]
    wrong = 0
    for place in places(told):
        for value in chance.sample(values, 6):
            try:
                merged(read(break_at(told, place, value)))
            except WrongError:
                wrong += 1
    assert wrong > 1000


CHILD = """
import sys
from ptmon.__main__ import start
status = start()
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")))
sys.exit(status)
"""
"""ptmon, and then the most memory that it had, in KiB. (What getrusage() says has that of its parent in it.)"""


def test_two_thousand_reports_fit_into_bounded_memory(tmp_path: Path) -> None:
    told = document(report_of(client(), NODE1))
    for number in range(SMALL):
        (tmp_path / f"r-{number}.json").write_text(json.dumps({**told, "host": f"node{number}", "rank": number}))
    peaks = []
    for count in (SMALL // 10, SMALL):
        files = [str(tmp_path / f"r-{number}.json") for number in range(count)]
        words = ["-o", str(tmp_path / "all.json"), "--max-sockets", "100", "--merge", *files]
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *words], capture_output=True, text=True, timeout=DEADLINE, check=True
        )
        peaks.append(int(done.stdout) / 1024)
        report = json.loads((tmp_path / "all.json").read_text())
        assert report["totals"]["sent"] == 9 * count
        assert len(report["hosts"]) == count
        assert len([row for row in report["sockets"] if row["id"]]) == 101
    assert max(peaks) < MOST_MIB
    assert peaks[1] - peaks[0] < SMALL * 0.9 * 8 / 1024, "what is listed of a report takes no more than 8 KiB"


def test_files_follow_the_option_up_to_the_next() -> None:
    assert parse(["--merge", "a", "b", "-o", "c"]).merge == ("a", "b")
    assert parse(["-q", "--merge", "a", "--merge", "b", "c"]).merge == ("a", "b", "c")
    assert parse(["--diff", "a", "b", "--top", "3"]).diff == ("a", "b")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--merge", "--merge needs a value: FILE..."),
        ("--merge a -- b", "--merge and a program (b) do not go together"),
        ("--merge a --diff b c", "--merge and --diff do not go together"),
        ("--replay a --merge b", "--replay and --merge do not go together"),
        ("--merge a --log", "--merge traces nothing: leave out --log"),
        ("--merge a --record b", "--merge traces nothing: leave out --record"),
        ("--merge a --fast off", "--merge traces nothing: leave out --fast"),
        ("--merge a -o r-%p.json", "--merge has no program, whose pid %p in r-%p.json would be"),
        ("--diff a", "--diff wants two files"),
        ("--diff a b c", "--diff wants two files"),
        ("--diff a b --html c", "--diff traces nothing: leave out --html"),
        ("--diff a b -o c.csv", "--diff is told as a summary or as json, not as csv"),
    ],
)
def test_what_does_not_go_together_is_said(line: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(line.split())
    assert str(error.value) == said


def compared(a: list[Record], b: list[Record]) -> dict[str, Any]:
    told: Any = json.loads(json.dumps(Comparison(("a", "b"), (report_of(a, NODE1), report_of(b, NODE2))).to_json()))
    assert isinstance(told, dict)
    return told


def test_a_comparison_has_both_their_difference_and_their_ratio() -> None:
    told = compared(client(count=7), client(count=19))
    assert told["totals"]["sent"] == {"a": 9, "b": 21, "difference": 12, "ratio": 2.333333}
    assert told["totals"]["peeked"] == {"a": 0, "b": 0, "difference": 0, "ratio": None}
    (program,) = told["by_program"]
    assert (program["name"], program["in"], program["sent"]["difference"]) == ("client", "both", 12)
    assert [(row["name"], row["bytes"]["difference"]) for row in told["by_syscall"]] == [
        ("sendto", 12),
        ("recvfrom", 0),
    ]
    assert told["by_peer"][0]["name"] == "tcp  127.0.0.1"


def test_a_comparison_tells_what_is_in_one_of_them_alone() -> None:
    told = compared(client(peer="10.0.0.1"), server())
    assert [(row["name"], row["in"]) for row in told["by_program"]] == [("server.out", "b"), ("client", "a")]
    assert {row["name"]: row["in"] for row in told["by_peer"]} == {
        "tcp  127.0.0.1": "b", "tcp  10.0.0.1": "a", "unknown  (no address)": "a"
    }  # fmt: skip


def test_a_comparison_for_people_shows_them_side_by_side(tmp_path: Path) -> None:
    files = []
    for name, records in (("a.json", client(count=7)), ("b.json", server())):
        files.append(tmp_path / name)
        files[-1].write_text(json.dumps(report_of(records, NODE1).to_json()))
    done = subprocess.run([*PTMON, "--diff", *map(str, files)], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "in all A B difference ratio" in lines
    assert "sent 9 B 175 B +166 B ×19.4" in lines
    assert "client sent 9 B 0 B -9 B only A" in lines
    assert "server.out sent 0 B 175 B +175 B only B" in lines
    assert "sendto bytes 9 B 175 B +166 B ×19.4" in lines
