# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark's command line: what it lists, a tool given by hand, files that are not what they should be."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.given import given_tools
from benchmarks.jobs import build
from benchmarks.measure import Plan, run_all
from benchmarks.options import chosen, chosen_workloads
from benchmarks.results import NATIVE, Cell, Column, Results, Row, Verdict
from benchmarks.tools import all_tools
from benchmarks.trials import why_missing
from benchmarks.workloads import SCALE, WORKLOADS

RESULTS = Results(
    machine={"cpu": "A Processor [1]", "cpus": "2"},
    rounds=1,
    rows=(Row(NATIVE, "native", ""), Row("shim", "LD_PRELOAD shim", "LD_PRELOAD=shim.so")),
    columns=(Column("ping_pong", "1-byte\nping-pong", "send or recv"),),
    cells={
        (NATIVE, "ping_pong"): Cell(100, (1000.0,)),
        ("shim", "ping_pong"): Cell(100, (1100.0,), Verdict.EQUAL),
    },
)
STARTS = "sh -c 'exec \"$@\"' $folder {}"
"""Starts what it is given, if $0 is there, as it was written."""


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the benchmark says when it refuses: one line, and an exit status of 2."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    start = "python -m benchmarks: error: "
    assert err.startswith(start)
    assert err.count("\n") == 1
    return err.removeprefix(start).rstrip("\n")


def saved(path: Path, data: object) -> str:
    path.write_text(json.dumps(data))
    return str(path)


def test_list_tells_of_each_tool_and_workload_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--tool", "mine=env {}"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if line.startswith("  "))
    assert all(tool.about for tool in all_tools(True))
    assert {tool.name: tool.about for tool in all_tools(True)}.items() <= lines.items()
    assert {workload.name: workload.operation for workload in WORKLOADS}.items() <= lines.items()
    assert lines["mine"] == "given by --tool"


def test_scale_is_added_to_what_is_run_or_named() -> None:
    at_scale = {workload.name for workload in WORKLOADS if workload.group == SCALE}
    usual = {workload.name for workload in chosen_workloads(None, False)}
    assert usual == {workload.name for workload in WORKLOADS} - at_scale
    assert {workload.name for workload in chosen_workloads(None, True)} == usual | at_scale
    assert {workload.name for workload in chosen_workloads("redis", True)} == {"redis"} | at_scale
    assert [workload.name for workload in chosen_workloads("threads_1000", False)] == ["threads_1000"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mine", "it must be 'NAME=COMMAND {}'"),
        ("=env {}", "a name is up to 24 letters"),
        ("a,b=env {}", "a name is up to 24 letters"),
        (f"{'a' * 25}=env {{}}", "a name is up to 24 letters"),
        ("strace=env {}", "there is a tool strace already"),
        ("native=env {}", "there is a tool native already"),
        ("mine=env", "{} must be there once, where the workload's command goes"),
        ("mine=sh -c '{}'x", "{} must be there once, a word of its own, outside of quotes"),
        ("mine=env {} {}", "{} must be there once, not 2 times"),
        ("mine={}", "there is no program before {}"),
        ("mine=env 'a {}", "the command can't be cut into words: No closing quotation"),
        ("mine=/no/such/program {}", "there is no program /no/such/program"),
    ],
)
def test_a_tool_that_is_given_wrong_is_refused_in_a_line(
    capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    line = refusal(capsys, "--tool", text, "--list")
    assert line.startswith(f"--tool {shlex.quote(text)}: ")
    assert said in line


def test_two_given_tools_have_two_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is a tool mine already" in refusal(capsys, "--tool", "mine=env {}", "--tool", "mine=nice {}")
    assert [tool.name for tool in given_tools(["a=env {}", "b=nice {}"], {NATIVE})] == ["a", "b"]


def test_a_given_tool_runs_the_workload_with_its_words_as_they_were_written(tmp_path: Path) -> None:
    log = tmp_path / "log"
    logs = f'sh -c \'printf "%s\\n" "$0" "$@" >{log}; exec "$1" "$2" "$3" "$4"\' \'$pid\' {{}} last'
    given = given_tools([f"one={STARTS}", f"two={logs}", "ends=true {}"], {NATIVE})
    tools = (*chosen(all_tools(False), NATIVE), *given)
    results = run_all(
        build(tmp_path), Plan(tools, chosen(WORKLOADS, "ping_pong"), 1, quick=True), {}, lambda line: None
    )
    for name in ("one", "two"):
        cell = results.cell(name, "ping_pong")
        assert (cell.failed, cell.verdict, len(cell.nanoseconds)) == ("", Verdict.SILENT, 1)
    written = log.read_text().splitlines()
    assert (written[0], written[1], written[-1]) == ("$pid", str(tmp_path / "workload"), "last")
    assert "ended early with 0" in results.cell("ends", "ping_pong").failed
    assert [row.command for row in results.rows][1:] == [
        "sh -c 'exec \"$@\"' '$folder' {}",
        shlex.join(shlex.split(logs)).replace("'{}'", "{}"),
        "true {}",
    ]


def test_a_given_tool_that_fails_at_its_trial_says_so() -> None:
    (fails, runs) = given_tools(["a=sh -c 'echo not today >&2; exit 3' {}", "b=env {}"], ())
    assert why_missing(fails) == "trial failed: with the command true: not today"
    assert why_missing(runs) == ""


def test_a_given_tool_is_run_whatever_only_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    words = ["--quick", "--workloads", "ping_pong", "--only", NATIVE, "--tool", "mine=env {}", "--json", str(file)]
    assert main(words) == 0
    data = json.loads(file.read_text())
    assert [row["name"] for row in data["tools"]] == [NATIVE, "mine"]
    assert "mine" in data["pairs"]["ping_pong"]
    assert data["measurement"] is False
    assert "NO MEASUREMENT" in capsys.readouterr().out


def test_quick_is_marked_in_the_table_and_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = replace(RESULTS, measurement=False)
    assert quick.to_json()["measurement"] is False
    assert RESULTS.to_json()["measurement"] is True
    assert Results.from_json(quick.to_json()) == quick
    assert main(["--from", saved(tmp_path / "a", quick.to_json())]) == 0
    assert "NO MEASUREMENT: --quick" in capsys.readouterr().out
    of_before = {key: value for key, value in RESULTS.to_json().items() if key != "measurement"}
    assert main(["--from", saved(tmp_path / "a", of_before)]) == 0
    assert "NO MEASUREMENT" not in capsys.readouterr().out


def test_bars_are_not_held_against_what_is_no_measurement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "--check", "--quick") == "--check needs a measurement, and --quick is none"
    file = saved(tmp_path / "a", replace(RESULTS, measurement=False).to_json())
    assert refusal(capsys, "--check", "--from", file) == f"--check needs a measurement, and {file} is of --quick"


def test_a_file_that_is_not_there_or_not_json_or_not_of_the_benchmark_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    assert refusal(capsys, "--from", str(file)) == f"{file}: No such file or directory"
    assert refusal(capsys, "--from", str(tmp_path)) == f"{tmp_path}: Is a directory"
    for raw in (b"", b"time over native time\n", b"\xff\xfe\x00", b"[" * 100_000):
        file.write_bytes(raw)
        assert refusal(capsys, "--from", str(file)).startswith(f"{file} is not JSON: ")
    another = f"{file} is no file of this benchmark's --json (schema ptmon.benchmark/1)"
    others: list[object] = [[], 1, None, {}, {"schema": "ptmon.report/1"}]
    for data in others:
        assert refusal(capsys, "--from", saved(file, data)) == another


@pytest.mark.parametrize(
    "broken",
    [
        {"machine": None},
        {"machine": {"cpu": 5}},
        {"rounds": "x"},
        {"rounds": None},
        {"measurement": "yes"},
        {"tools": [1]},
        {"tools": [{"name": 1, "title": "x", "command": ""}]},
        {"workloads": [{"name": "ping_pong"}]},
        {"workloads": None},
        {"figures": {}, "tools": 5},
        {"figures": [{"tool": "shim"}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "nanoseconds": [0]}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "nanoseconds": ["x"]}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "verdict": "perhaps"}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "failed": None}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "tool": []}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "peak_bytes": ["x"]}]},
        {"figures": [{**RESULTS.to_json()["figures"][0], "cpu_seconds": [-1]}]},
        {"workloads": [{"name": "a", "title": "a", "operation": "a", "group": 1}]},
    ],
)
def test_a_damaged_file_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: dict[str, Any]
) -> None:
    file = tmp_path / "file"
    line = refusal(capsys, "--from", saved(file, {**RESULTS.to_json(), **broken}))
    assert line.startswith(f"{file} is damaged: ")
    missing = {key: value for key, value in RESULTS.to_json().items() if key != next(iter(broken))}
    if "measurement" not in broken:
        assert "is missing" in refusal(capsys, "--from", saved(file, missing))


def test_titles_of_a_file_are_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (RESULTS.rows[0], replace(RESULTS.rows[1], title="[/b] [red]x"))
    assert main(["--from", saved(tmp_path / "a", replace(RESULTS, rows=rows).to_json())]) == 0
    out = capsys.readouterr().out
    assert "[/b] [red]x" in out
    assert "A Processor [1]" in out


def test_what_can_not_be_meant_is_refused_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = saved(tmp_path / "a", RESULTS.to_json())
    assert refusal(capsys, "--from", file, "--quick", "--only", "shim", "--tool", "a=env {}", "--scale") == (
        "--from runs nothing: --only, --scale, --tool, --quick can't be given with it"
    )
    assert refusal(capsys, "--only", "shin") == "--only: unknown: shin; --list says the names"
    assert refusal(capsys, "--workloads", "") == "--workloads: unknown: ''; --list says the names"
    assert refusal(capsys, "--rounds", "0") == "argument --rounds: '0' is no whole number of 1 or more"
    assert refusal(capsys, "--nothing") == "unrecognized arguments: --nothing"


def test_where_figures_can_not_be_saved_nothing_is_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.__main__.measured", lambda plan: pytest.fail("it runs"))
    assert refusal(capsys, "--json", str(tmp_path)) == f"--json {tmp_path}: it is a folder"
    nowhere = tmp_path / "none" / "file"
    assert refusal(capsys, "--json", str(nowhere)) == f"--json {nowhere}: there is no folder {nowhere.parent}"
    assert "must end with one of" in refusal(capsys, "--plot", str(tmp_path / "a.txt"))
    if os.geteuid() != 0:
        assert refusal(capsys, "--json", "/proc/version") == "--json /proc/version: it can't be written"


def test_a_compiler_that_is_not_there_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent / "none"))
    assert refusal(capsys, "--quick", "--only", NATIVE) == "the workloads can't be compiled: there is no cc"


def test_an_interrupt_is_said_in_a_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(plan: Plan) -> Results:
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.__main__.measured", interrupted)
    assert main(["--quick"]) == 130
    assert capsys.readouterr().err == "python -m benchmarks: interrupted; no figures are kept\n"


def test_what_it_takes_to_merge_reports_is_measured_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--merge", "--quick"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ptmon --merge of 20 reports of 50 sockets (")
    assert "MiB at most" in out
    said = "--merge is a measurement of its own: --scale can't be given with it"
    assert refusal(capsys, "--merge", "--scale") == said
