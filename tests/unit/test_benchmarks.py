# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark: what it makes of figures and of the tools' words, and one short run."""

from __future__ import annotations

import importlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import main
from benchmarks.bars import BARS, Bar, Held, Kind, judge
from benchmarks.jobs import Start, build, program
from benchmarks.measure import Plan, Taken, run_all, shuffled
from benchmarks.options import chosen
from benchmarks.processes import RunError
from benchmarks.report import ACROSS, WIDTH, duration, notes, short, tables
from benchmarks.results import NATIVE, Cell, Column, Ratio, Results, Row, Verdict
from benchmarks.saved import loaded
from benchmarks.servers import CLIENTS, wrk_done
from benchmarks.servers import why_missing as workload_missing
from benchmarks.starting import Starts
from benchmarks.tells import Traffic, Truth, bpftrace_maps, call_lines, ptmon_events, ptmon_report, shim_file
from benchmarks.tools import NO_FAST, Tool, all_tools
from benchmarks.trials import why_missing
from benchmarks.workloads import SCALE, TREE, WORKLOADS, Speed

RESULTS = Results(
    machine={"cpu": "A Processor", "cpus": "2", "kernel": "6.1", "machine": "x86_64", "libc": "glibc 2.36"},
    rounds=3,
    rows=(
        Row(NATIVE, "native", ""),
        Row("shim", "LD_PRELOAD shim", "LD_PRELOAD=shim.so"),
        Row("ptmon-fast", "ptmon PROGRAM", "ptmon --"),
        Row("strace", "strace -c", "strace -c --"),
        Row("perf", "perf trace -s", "perf trace -s --", "needs root: no permission"),
    ),
    columns=(
        Column("ping_pong", "1-byte\nping-pong", "send or recv"),
        Column("nginx", "nginx,\nrequest", "wrk's request", "wrk not installed"),
        Column("file_read", "read of\na file", "read"),
    ),
    cells={
        (NATIVE, "ping_pong"): Cell(100, (1000.0, 2000.0, 4000.0)),
        ("shim", "ping_pong"): Cell(100, (1100.0, 2000.0, 4800.0), Verdict.EQUAL),
        ("ptmon-fast", "ping_pong"): Cell(100, (1200.0, 3000.0, 4400.0), Verdict.EQUAL),
        ("strace", "ping_pong"): Cell(10, (99_000.0, 250_000.0, 600_000.0)),
        (NATIVE, "file_read"): Cell(100, (500.0, 500.0, 500.0)),
        ("shim", "file_read"): Cell(100, (500.0, 500.0, 500.0), Verdict.DIFFERENT),
        ("strace", "file_read"): Cell(10, failed="exit status 1: no"),
    },
)


SCALED = replace(
    RESULTS,
    rows=(*RESULTS.rows[:3], Row("other", "another", "other")),
    columns=(
        *RESULTS.columns,
        Column("connections_100000", "100 000\nconnections", "one of 100 000", "", SCALE),
        Column("threads_1000", "1 000\nthreads", "one of 1 000", "", SCALE),
    ),
    cells={
        **RESULTS.cells,
        (NATIVE, "connections_100000"): Cell(100, (60e3, 70e3), cpu_seconds=(6.0, 6.2), peak_bytes=(2_000_000,) * 2),
        ("ptmon-fast", "connections_100000"): Cell(
            100, (90e3, 140e3), Verdict.EQUAL, "", (3.0, 3.5), (98_000_000, 99_000_000, 120_000_000)
        ),
        (NATIVE, "threads_1000"): Cell(100, (60e3, 60e3), cpu_seconds=(0.06, 0.06), peak_bytes=(9_100_000,) * 2),
        ("ptmon-fast", "threads_1000"): Cell(100, failed="no room"),
    },
)


def shown(results: Results) -> str:
    console = Console(width=WIDTH, file=io.StringIO())
    for table in tables(results):
        console.print(table)
    for note in notes(results):
        console.print(note)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_ratio_is_of_the_same_round() -> None:
    ratio = RESULTS.ratio("ptmon-fast", "ping_pong")
    assert ratio == Ratio(median=1.2, least=1.1, most=1.5)
    assert RESULTS.ratio("ptmon-fast", "ping_pong", over="shim") == Ratio(1200 / 1100, 4400 / 4800, 1.5)
    assert RESULTS.ratio("ptmon-fast", "file_read") is None
    assert RESULTS.ratio("strace", "file_read") is None


def test_pairs_are_any_two_that_did_it() -> None:
    pairs = {(workload, tool, over) for workload, tool, over, _ in RESULTS.pairs()}
    assert ("ping_pong", "strace", "ptmon-fast") in pairs
    assert ("ping_pong", "ptmon-fast", "strace") in pairs
    assert {(tool, over) for workload, tool, over in pairs if workload == "file_read"} == {
        ("shim", NATIVE),
        (NATIVE, "shim"),
    }


def test_json_brings_back_what_was_measured() -> None:
    data = json.loads(json.dumps(RESULTS.to_json()))
    assert Results.from_json(data) == RESULTS
    assert data["pairs"]["ping_pong"]["ptmon-fast"][NATIVE] == {"median": 1.2, "least": 1.1, "most": 1.5}
    with pytest.raises(ValueError, match="not a"):
        Results.from_json({"schema": "another"})


def test_the_table_says_all_of_it() -> None:
    text = shown(RESULTS)
    assert max(map(len, text.splitlines())) <= 150
    lines = [line.strip() for line in text.splitlines()]
    (native,) = [line for line in lines if line.startswith("native")]
    assert native.split() == ["native", "2", "µs", "–", "500", "ns"]
    place = next(number for number, line in enumerate(lines) if line.startswith("ptmon PROGRAM"))
    assert lines[place].split() == ["ptmon", "PROGRAM", "×1.20", "✓", "–", "–", "all", "true"]
    assert lines[place + 1].split() == ["1.10–1.50"]
    (shim,) = [line for line in lines if line.startswith("LD_PRELOAD")]
    assert shim.split() == ["LD_PRELOAD", "shim", "×1.10", "✓", "–", "×1.00", "✗", "true", "in", "1", "of", "2"]
    (strace,) = [line for line in lines if line.startswith("strace -c")]
    assert strace.split() == ["strace", "-c", "×125", "–", "failed", "none"]
    (perf,) = [line for line in lines if line.startswith("perf trace") and "–" in line]
    assert perf.split() == ["perf", "trace", "-s", "–", "–", "–", "needs", "root"]
    for note in (
        "perf trace -s: needs root: no permission",
        "nginx: wrk not installed",
        "strace failed at file_read: exit status 1: no",
    ):
        assert note in lines


def test_each_dash_of_the_table_is_explained_below() -> None:
    rows = (*RESULTS.rows, Row("slow", "slow one", "slow", "", "it traces one thread"), Row("old", "old one", "old"))
    cells = {
        **RESULTS.cells,
        (NATIVE, "fork_exec"): Cell(40, failed="no"),
        ("shim", "fork_exec"): Cell(40, (5.0, 5.0, 5.0)),
        ("slow", "ping_pong"): Cell(40, (5.0, 5.0, 5.0)),
    }
    columns = (*RESULTS.columns, Column("fork_exec", "fork,\nexec", "fork"))
    text = shown(replace(RESULTS, rows=rows, columns=columns, cells=cells))
    notes = text.partition("tells none\n")[2].splitlines()
    assert notes == [
        "–: there is no figure:",
        "  LD_PRELOAD shim: no native time to compare with at fork_exec",
        "  ptmon PROGRAM: not supported at file_read, fork_exec",
        "  strace -c: not supported at fork_exec",
        "  perf trace -s: needs root: no permission",
        "  slow one: not supported at file_read, fork_exec: it traces one thread",
        "  old one: not supported at ping_pong, file_read, fork_exec",
        "  nginx: wrk not installed",
        "strace failed at file_read: exit status 1: no",
        "native failed at fork_exec: no",
    ]


def test_a_table_without_dashes_explains_none() -> None:
    whole = replace(RESULTS, rows=RESULTS.rows[:2], columns=RESULTS.columns[::2])
    assert "–: " not in shown(whole)
    failed = {**RESULTS.cells, ("shim", "ping_pong"): Cell(1, failed="no"), ("shim", "file_read"): Cell(1, failed="no")}
    assert "–" not in shown(replace(whole, cells=failed)).replace("least–most", "")


def test_more_workloads_than_there_is_room_for_stand_below() -> None:
    columns = tuple(Column(f"w{number}", f"w{number}\nw", "work") for number in range(2 * ACROSS))
    cells = {(row.name, one.name): Cell(100, (1e3,) * 3, Verdict.EQUAL) for row in RESULTS.rows[:4] for one in columns}
    parts = list(tables(replace(RESULTS, columns=columns, cells=cells)))
    assert [len(part.columns) for part in parts] == [1 + ACROSS, 1 + ACROSS + 1]
    text = shown(replace(RESULTS, columns=columns, cells=cells))
    assert max(map(len, text.splitlines())) <= 150
    assert (text.count("time over native time"), text.count("bytes told\n")) == (1, 0)
    lines = [line.split() for line in text.splitlines() if line.strip().startswith("ptmon PROGRAM")]
    assert lines == [
        ["ptmon", "PROGRAM", *["×1.00", "✓"] * ACROSS],
        ["ptmon", "PROGRAM", *["×1.00", "✓"] * ACROSS, "all", "true"],
    ]


def test_scale_has_a_table_of_its_own_with_cpu_time_and_memory() -> None:
    text = shown(SCALED)
    below = text.partition("at scale: time over native time, median of 2")[2].partition("✓ ✗:")[0]
    lines = [line.split() for line in below.splitlines()]
    place = next(number for number, line in enumerate(lines) if line[:1] == ["native"])
    assert lines[place] == ["native", "65", "µs", "60", "µs"]
    assert lines[place + 1] == ["6.10", "s", "2.0", "MB", "0.06", "s", "9.1", "MB"]
    assert lines[place + 2] == ["ptmon", "PROGRAM", "×1.75", "✓", "failed"]
    assert lines[place + 3] == ["1.50–2.00"]
    assert lines[place + 4] == ["3.25", "s", "99.0", "MB"]
    assert "another" not in below
    assert "LD_PRELOAD" not in below
    assert "ptmon-fast failed at threads_1000: no room" in text
    assert "connections" not in text.partition("at scale")[0]
    alone = replace(SCALED, columns=SCALED.columns[-2:])
    assert "A Processor" in shown(alone)
    assert "bytes told" not in shown(alone).splitlines()


def test_what_is_measured_at_scale_comes_back_from_a_file_and_a_file_of_before_has_none(tmp_path: Path) -> None:
    data = json.loads(json.dumps(SCALED.to_json()))
    assert Results.from_json(data) == SCALED
    for figure in data["figures"]:
        del figure["cpu_seconds"], figure["peak_bytes"]
    for workload in data["workloads"]:
        del workload["group"]
    (tmp_path / "before").write_text(json.dumps(data))
    before = loaded(tmp_path / "before")
    assert before.cell("ptmon-fast", "connections_100000").cpu_seconds == ()
    assert before.group(SCALE) == ()
    assert before.ratio("ptmon-fast", "ping_pong") == SCALED.ratio("ptmon-fast", "ping_pong")


def test_tools_that_leave_workloads_out_say_why() -> None:
    partly = {tool.name for tool in all_tools(True) if tool.only or tool.cannot}
    assert {tool.name for tool in all_tools(True) if tool.why_not} == partly


def test_figures_have_three_digits_or_so() -> None:
    assert [short(number) for number in (1.0, 1.254, 12.34, 234.5)] == ["1.00", "1.25", "12.3", "234"]
    assert [duration(number) for number in (219.4, 1430, 45_100, 1_040_000)] == [
        "219 ns",
        "1.43 µs",
        "45.1 µs",
        "1.04 ms",
    ]


def test_a_bar_is_held_by_the_median_and_by_true_bytes() -> None:
    bar = Bar("ping_pong", "ptmon-fast", 1.25)
    assert judge(RESULTS, bar).held is Held.PASS
    assert "×1.20 (1.10–1.50)" in judge(RESULTS, bar).text
    assert judge(RESULTS, replace(bar, limit=1.19)).held is Held.FAIL
    assert judge(RESULTS, Bar("file_read", "shim", 2)).held is Held.FAIL
    assert "the bytes differ" in judge(RESULTS, Bar("file_read", "shim", 2)).text
    assert judge(RESULTS, Bar("file_read", "strace", 2)).held is Held.FAIL
    missing = judge(RESULTS, Bar("nginx", "ptmon-fast", 1.1))
    assert (missing.held, "wrk not installed" in missing.text) == (Held.OPEN, True)


def test_a_bar_of_requests_kept_is_held_by_the_rate() -> None:
    bar = Bar("ping_pong", "ptmon-fast", 0.8, Kind.KEPT)
    assert judge(RESULTS, bar).held is Held.PASS
    assert "at least 0.80 of native's rate, is 0.83 (0.67–0.91)" in judge(RESULTS, bar).text
    assert judge(RESULTS, replace(bar, limit=0.85)).held is Held.FAIL


def test_a_bar_of_memory_is_held_by_the_tracers_peak() -> None:
    bar = Bar("connections_100000", "ptmon-fast", 100, Kind.PEAK)
    assert judge(SCALED, bar).held is Held.PASS
    assert "at most 100 MB, is 99 MB (98–120)" in judge(SCALED, bar).text
    assert judge(SCALED, replace(bar, limit=98)).held is Held.FAIL
    assert judge(SCALED, replace(bar, limit=2, kind=Kind.TIME)).held is Held.PASS
    untaken = judge(RESULTS, bar)
    assert (untaken.held, "with --scale" in untaken.text) == (Held.OPEN, True)


def test_the_project_holds_itself_to_these() -> None:
    bars = {(bar.workload, bar.tool, bar.kind): bar.limit for bar in BARS}
    assert len(bars) == len(BARS)
    assert bars["nginx_connect", "ptmon-fast", Kind.KEPT] == 0.85
    assert bars["connect_close", "ptmon-attach", Kind.TIME] == 1.6
    assert {bars[name, "ptmon-fast", Kind.TIME] for name in TREE} == {1.05}
    assert bars["connections_100000", "ptmon-fast", Kind.PEAK] == 100


def test_bars_name_tools_and_workloads_that_there_are() -> None:
    assert {bar.tool for bar in BARS} <= {tool.name for tool in all_tools(True)}
    assert {bar.workload for bar in BARS} <= {workload.name for workload in WORKLOADS}


def test_check_fails_if_a_bar_fails(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    fast = {**RESULTS.cells, ("ptmon-fast", "ping_pong"): Cell(100, (1100.0, 2200.0, 4400.0), Verdict.EQUAL)}
    file.write_text(json.dumps(replace(RESULTS, cells=fast).to_json()))
    assert main(["--from", str(file), "--check"]) == 0
    slow = {**RESULTS.cells, ("ptmon-fast", "ping_pong"): Cell(100, (9e3, 9e3, 9e3), Verdict.EQUAL)}
    file.write_text(json.dumps(replace(RESULTS, cells=slow).to_json()))
    assert main(["--from", str(file), "--check"]) == 1
    assert main(["--from", str(file)]) == 0


def test_what_tools_write_is_read(tmp_path: Path) -> None:
    report = {"complete": True, "totals": {"sent": 5, "received": 7}, "sockets": [{"audit": "match"}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert ptmon_report(tmp_path) == Traffic(5, 7, sound=True)
    (tmp_path / "report.json").write_text(json.dumps({**report, "sockets": [{"audit": "differ"}]}))
    assert ptmon_report(tmp_path) == Traffic(5, 7, sound=False)
    events = [{"schema": "ptmon.event/1"}, {"event": "send", "bytes": 2}, {"event": "receive", "bytes": 3}]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in [*events, *events]))
    assert ptmon_events(tmp_path) == Traffic(4, 6)
    assert shim_file(tmp_path) == Traffic(0, 0)
    (tmp_path / "shim").write_text("1 2\n30 40\n")
    assert shim_file(tmp_path) == Traffic(31, 42)
    (tmp_path / "tracer.out").write_text("Attaching 3 probes...\nattached\n\n\n@received: 12\n@told: 1\n")
    assert bpftrace_maps(tmp_path) == Traffic(0, 12)


def test_lines_of_strace_and_of_python_ptrace_are_read() -> None:
    lines = [
        '12 sendto(3, "x", 1, 0, NULL, 0) = 1',
        '12 sendto(3, "x", 1, 0, NULL, 0 <unfinished ...>',
        '13 recvfrom(4, "x", 1, 0, NULL, NULL) = 1',
        "12 <... sendto resumed>) = 20",
        "13 recvfrom(4, 0x7ffd, 1, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)",
        "[14] recvfrom(4, 0x00007ffd925b1d87, 1, 0x0000000000000000, NULL, NULL) = 300",
        '12 write(1, "sendto(1) = 5", 13) = 13',
    ]
    assert call_lines(lines) == Traffic(21, 301)


def test_wrk_leaves_some_requests_on_their_way() -> None:
    done = wrk_done('  2 threads\n{"requests": 10, "microseconds": 1000, "bytes": 2000, "request": 50}\n')
    assert done.nanoseconds == 100_000
    assert done.truth.holds_for(Traffic(2000, 500))
    assert done.truth.holds_for(Traffic(2000 + 200 * CLIENTS, 500 + 50 * CLIENTS))
    assert not done.truth.holds_for(Traffic(1999, 500))
    assert not done.truth.holds_for(Traffic(2000, 500 + 50 * CLIENTS + 1))
    assert not done.truth.holds_for(Traffic(2000, 500, sound=False))
    with pytest.raises(RunError):
        wrk_done('{"requests": 0, "microseconds": 1000, "bytes": 0, "request": 50}')


def test_ptmon_is_started_and_compared_with_python(tmp_path: Path) -> None:
    plan = Plan(chosen(all_tools(True), "ptmon-fast", NATIVE), chosen(WORKLOADS, "start_up"), rounds=1, quick=True)
    results = run_all(build(tmp_path), plan, {}, lambda _line: None)
    cells = {name: results.cell(name, "start_up") for name in (NATIVE, "ptmon-fast")}
    assert {name: (cell.operations, cell.failed, cell.verdict) for name, cell in cells.items()} == {
        NATIVE: (40, "", Verdict.SILENT),
        "ptmon-fast": (40, "", Verdict.EQUAL),
    }
    assert results.ratio("ptmon-fast", "start_up") is not None


def test_programs_that_need_no_socket_are_measured_without_the_start_of_ptmon(tmp_path: Path) -> None:
    names = {"find": 1000, "tar": 1000, "git_grep": 1000, "compile": 4}
    plan = Plan(chosen(all_tools(False), "ptmon-stops", NATIVE), chosen(WORKLOADS, ",".join(names)), 1, quick=True)
    results = run_all(build(tmp_path), plan, {}, lambda _line: None)
    for name in names:
        cells = [results.cell(tool, name) for tool in (NATIVE, "ptmon-stops")]
        assert [(cell.failed, cell.verdict) for cell in cells] == [("", Verdict.SILENT), ("", Verdict.EQUAL)]
        assert cells[0].operations == (10 if name == "find" else 1) * names[name]
    assert len(list((tmp_path / "tree-1000").rglob("*.txt"))) == 1000
    assert {file.stat().st_size for file in (tmp_path / "tree-1000").rglob("*.txt")} == {1024}


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    with program(build(tmp_path), "command", 1, Start(tmp_path), ["false"]) as one, pytest.raises(RunError, match="99"):
        one.work()


def test_a_shell_loop_has_the_start_of_ptmon_in_its_time(tmp_path: Path) -> None:
    plan = Plan(chosen(all_tools(False), "ptmon-stops", NATIVE), chosen(WORKLOADS, "shell_loop"), 1, quick=True)
    results = run_all(build(tmp_path), plan, {}, lambda _line: None)
    assert [(cell.operations, cell.failed) for cell in results.cells.values()] == [(40, "")] * 2
    assert results.cell("ptmon-stops", "shell_loop").verdict is Verdict.EQUAL


def test_at_scale_the_tracer_itself_is_measured(tmp_path: Path) -> None:
    tools = chosen(all_tools(False), "ptmon-stops,shim,ptmon-attach", NATIVE)
    names = "connections_1000,threads_1000,processes_5000"
    plan = Plan(tools, chosen(WORKLOADS, names), rounds=1, quick=True, scale_rounds=2)
    results = run_all(build(tmp_path), plan, {}, lambda _line: None)
    for name in names.split(","):
        for tool in (NATIVE, "ptmon-stops", "ptmon-attach"):
            cell = results.cell(tool, name)
            assert cell.failed == ""
            assert [len(figures) for figures in (cell.nanoseconds, cell.cpu_seconds, cell.peak_bytes)] == [2, 2, 2]
            assert min(cell.peak_bytes) > 0
            assert cell.verdict is (Verdict.SILENT if tool == NATIVE else Verdict.EQUAL)
    assert ("shim", "threads_1000") not in results.cells


@pytest.mark.parametrize("name", ["nginx", "nginx_connect"])
def test_nginx_serves_with_a_connection_for_all_or_for_each(tmp_path: Path, name: str) -> None:
    (workload,) = chosen(WORKLOADS, name)
    if missing := workload_missing(workload):
        pytest.skip(missing)
    plan = Plan(chosen(all_tools(False), "ptmon-stops", NATIVE), (workload,), 1, quick=True)
    results = run_all(build(tmp_path), plan, {}, lambda _line: None)
    assert [(cell.failed, cell.verdict) for cell in results.cells.values()] == [
        ("", Verdict.SILENT),
        ("", Verdict.EQUAL),
    ]


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    starts = Starts(Start(tmp_path, ("sh", "-c", "echo not today >&2; exit 3")), 2)
    with pytest.raises(RunError, match="exit status 3: not today"):
        starts.work()


def test_exact_truth_is_exact() -> None:
    truth = Truth.exactly(0, 3)
    assert truth.holds_for(Traffic(0, 3))
    assert not truth.holds_for(Traffic(1, 3))


def test_a_tool_that_can_not_be_used_says_why() -> None:
    assert why_missing(Tool("a", "a", (), trial=("/no/such/program",))) == "not installed"
    assert why_missing(Tool("a", "a", (), trial=("sh", "-c", "echo not for you >&2; exit 1"))) == (
        "not permitted: not for you"
    )
    errors = "echo warning: much; echo Error: no permission; echo Hint: be somebody else; exit 1"
    assert why_missing(Tool("a", "a", (), trial=("sh", "-c", errors))) == "not permitted: Error: no permission"
    assert why_missing(Tool("a", "a", (), trial=("true",))) == ""
    assert why_missing(Tool("a", "a", ())) == ""
    assert why_missing(Tool("a", "a", (), trial=("env", "none"), program="/no/such/program")) == "not installed"


def test_a_ptmon_without_fast_is_run_as_it_is_and_called_missing() -> None:
    without = {tool.name: tool for tool in all_tools(False)}
    assert not [tool.name for tool in without.values() if "--fast" in tool.words]
    assert {tool.name for tool in without.values() if tool.missing == NO_FAST} == {
        "ptmon-fast",
        "ptmon-attach",
        "ptmon-log",
    }
    assert without["ptmon-fast"].speed_at("ping_pong") is Speed.STOPS
    fast = {tool.name: tool for tool in all_tools(True)}
    assert not [tool for tool in fast.values() if tool.missing]
    assert fast["ptmon-fast"].words[-3:] == ("--fast", "auto", "--")
    assert fast["ptmon-fast"].speed_at("ping_pong") is Speed.FULL


def test_names_choose() -> None:
    names = [workload.name for workload in chosen(WORKLOADS, "redis,ping_pong")]
    assert names == ["ping_pong", "redis"]
    assert [tool.name for tool in chosen(all_tools(True), "shim", NATIVE)] == [NATIVE, "shim"]
    with pytest.raises(ValueError, match="unknown: nothing"):
        chosen(WORKLOADS, "nothing,redis")


def test_in_a_round_every_tool_does_every_workload_once() -> None:
    tools = all_tools(True)
    assert list(shuffled(tools, ())) == []
    pairs = list(shuffled(tools, WORKLOADS))
    assert len(pairs) == len(tools) * len(WORKLOADS)
    assert {(tool.name, workload.name) for tool, workload in pairs} == {
        (tool.name, workload.name) for tool in tools for workload in WORKLOADS
    }


def test_what_failed_once_has_no_figures() -> None:
    assert Taken(5, failed="no").cell() == Cell(5, (), Verdict.SILENT, "no")


def test_native_ptmon_and_the_shim_play_ping_pong(tmp_path: Path) -> None:
    tools = chosen(all_tools(False), "shim,ptmon-stops", NATIVE)
    plan = Plan(tools, chosen(WORKLOADS, "ping_pong"), rounds=1, quick=True)
    said: list[str] = []
    results = run_all(build(tmp_path), plan, {}, said.append)
    assert len(said) == 3
    for name, verdict in ((NATIVE, Verdict.SILENT), ("shim", Verdict.EQUAL), ("ptmon-stops", Verdict.EQUAL)):
        cell = results.cell(name, "ping_pong")
        assert (cell.failed, cell.verdict) == ("", verdict)
        assert cell.nanoseconds[0] > 0
    ratio = results.ratio("ptmon-stops", "ping_pong")
    assert ratio is not None
    assert ratio.median > 1


def test_the_picture_has_a_panel_for_each_workload_and_a_line_for_each_tool_that_did_any(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot = importlib.import_module("benchmarks.plot")
    columns = tuple(Column(one.name, one.title, one.operation, "", one.group) for one in WORKLOADS)
    cells = {(row.name, one.name): Cell(100, (1e3, 2e3, 3e3)) for row in RESULTS.rows[:4] for one in columns}
    figure = plot.figure_of(replace(RESULTS, columns=columns, cells=cells))
    panels = [panel for panel in figure.axes if panel.get_visible()]
    titles = [panel.get_title(loc="left") for panel in panels]
    assert titles == [one.title.replace("\n", " ") for one in WORKLOADS if not one.group]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == [row.title for row in RESULTS.rows[1:4]]
    assert figure.get_size_inches()[1] < 1.5 * figure.get_size_inches()[0]
    plot.plot(SCALED, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size > 1000
    with pytest.raises(ValueError, match="nothing to draw"):
        plot.plot(replace(SCALED, columns=SCALED.columns[-2:]), tmp_path / "b.svg")
