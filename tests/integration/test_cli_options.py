# SPDX-License-Identifier: GPL-2.0-or-later
"""The options, each by what it does."""

from __future__ import annotations

import csv
import json
import os
import platform
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import attached, busy
from tests.hazards import children_of
from tests.support import DEADLINE, PTMON, Outcome, Targets, assert_sums_agree, process_state, started, until

Run = Callable[..., Outcome]
ESCAPE = "\x1b"


def run(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PTMON, *words], capture_output=True, text=True, timeout=DEADLINE, **keywords)


def test_no_follow_counts_the_first_process_alone(ptmon: Run, targets: Targets) -> None:
    traced = ptmon(targets("processes"), "lineage", options=["--no-follow"])
    assert traced.returncode == 0
    assert traced.told["sent"] == 131  # the children did their work
    (process,) = traced.report["processes"]
    assert traced.totals["sent"] == process["sent"] == 101


def test_no_follow_counts_threads(ptmon: Run, targets: Targets) -> None:
    traced = ptmon(targets("threads"), "pairs", "8", options=["--no-follow"])
    assert traced.totals["sent"] == traced.told["sent"]


def test_no_follow_does_not_wait_for_a_daemon(targets: Targets, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = f"cat {fifo} >/dev/null 2>&1 & echo $!; exit 3"
    done = run("-o", tmp_path / "r.json", "--no-follow", "sh", "-c", script)
    child = int(done.stdout)
    assert done.returncode == 3
    assert process_state(child) in ("S", "D", "R")
    with open(fifo, "w") as file:
        file.write("x")
    until(lambda: process_state(child) in ("", "Z"), "the child's own end")


def test_only_counts_programs_of_that_name(ptmon: Run, targets: Targets, tmp_path: Path) -> None:
    for name in ("alpha", "beta"):
        shutil.copy(targets("processes"), tmp_path / name)
    script = f"cd {tmp_path}; ./alpha leaf; ./beta leaf; ./beta lineage; ./alpha leaf"
    traced = ptmon("sh", "-c", script, options=["--only", "beta"])
    assert traced.returncode == 0
    # beta's own child that executes /proc/self/exe is a beta too.
    assert traced.totals["sent"] == 17 + 131
    assert [process["sent"] for process in traced.report["processes"] if process["sent"]] == [17, 101, 13, 17]


def test_only_starts_to_count_at_execve(ptmon: Run, targets: Targets, tmp_path: Path) -> None:
    shutil.copy(targets("processes"), tmp_path / "beta")
    script = (
        f"import os, socket; a, b = socket.socketpair(); a.send(b'xyz'); os.execv('{tmp_path}/beta', ['b', 'leaf'])"
    )
    traced = ptmon("python3", "-c", script, options=["--only", "beta"])
    assert traced.totals["sent"] == traced.totals["received"] == 17


def test_only_a_name_that_never_runs_counts_nothing(ptmon: Run, targets: Targets) -> None:
    traced = ptmon(targets("processes"), "lineage", options=["--only", "nothing"])
    assert traced.returncode == 0
    assert traced.totals["sent"] == 0
    assert_never_ran(traced.report)


def assert_never_ran(report: dict[str, Any]) -> None:
    (warning,) = report["warnings"]
    assert (warning["reason"], warning["pid"]) == ("only", None)
    assert "'nothing' (--only)" in warning["message"]
    assert report["complete"] is False


def test_only_a_name_that_an_attached_program_has_not_is_said(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        with attached(target.pid, tmp_path / "r.json", "--only", "nothing") as ptmon:
            target.transfer(100)
            ptmon.detach()
        assert_never_ran(ptmon.report)
        with attached(target.pid, tmp_path / "r.json", "--only", "busy") as ptmon:
            target.transfer(100)
            ptmon.detach()
        assert ptmon.report["complete"] is True
        assert ptmon.report["totals"]["sent"] > 0
        target.quit()


def test_only_a_name_that_never_ran_is_one_line_for_people(targets: Targets) -> None:
    done = run("--only", "nothing", "--", str(targets("processes")), "leaf")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert line.startswith("note: no process ran a program of the file name 'nothing'")
    assert "NOT COMPLETE" in done.stderr


def test_duration_reports_and_lets_the_program_run_to_its_end(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    script = f"{targets('processes')} leaf; read line; {targets('processes')} lineage; exit 9"
    words = [*PTMON, "--duration", "1.5", "-o", str(file), "--", "sh", "-c", script]
    with started(words, stdin=subprocess.PIPE) as tracer:
        until(lambda: file.exists() and file.read_text().endswith("}\n"), "the report")
        assert tracer.poll() is None
        output, errors = tracer.communicate("\n", timeout=DEADLINE)
        assert tracer.returncode == 9, errors
    assert json.loads(output.splitlines()[-1])["sent"] == 131
    report = json.loads(file.read_text())
    assert report["totals"]["sent"] == 17
    assert 1.5 <= report["duration_s"] < 5
    assert report["exit"] is None  # it was still running


def test_interval_says_the_totals_again_and_again(targets: Targets, tmp_path: Path) -> None:
    words = [*PTMON, "--interval", "0.1", "-o", str(tmp_path / "r.json"), "--", str(targets("busy")), "2"]
    with started(words, stdin=subprocess.PIPE) as tracer:
        assert tracer.stdin is not None and tracer.stderr is not None
        tracer.stdin.write("thread\n")
        tracer.stdin.flush()
        assert tracer.stdout is not None and tracer.stdout.readline() and tracer.stdout.readline()  # all is moved
        lines = [tracer.stderr.readline()]
        while lines[-1] and (len(lines) < 12 or lines[-1].count("1.28 KiB") < 2):
            lines.append(tracer.stderr.readline())
        tracer.communicate("quit\n", timeout=DEADLINE)
    assert tracer.returncode == 0
    assert all(line.startswith("ptmon: ") for line in lines)
    assert "sent 1.28 KiB" in lines[-1]  # 13 x 101 bytes
    assert "received 1.28 KiB" in lines[-1]


def test_quiet_says_nothing(targets: Targets, tmp_path: Path) -> None:
    done = run("-q", "--", targets("processes"), "leaf")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = run("-q", "-o", tmp_path / "r.json", "--", targets("processes"), "leaf")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "r.json").read_text())["totals"]["sent"] == 17


def test_a_report_in_a_file_leaves_stderr_to_the_program(targets: Targets, tmp_path: Path) -> None:
    done = run("-o", tmp_path / "r.json", "--", "sh", "-c", f"echo mine >&2; {targets('processes')} leaf")
    assert done.stderr == "mine\n"


def test_the_format_follows_the_file_name(targets: Targets, tmp_path: Path) -> None:
    for name in ("r.json", "r.csv", "r.txt"):
        assert run("-o", tmp_path / name, "--", targets("processes"), "leaf").returncode == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["schema"] == "ptmon.report/1"
    assert_sums_agree(report)
    rows = list(csv.DictReader((tmp_path / "r.csv").open(newline="")))
    assert [(row["family"], row["sent"], row["received"]) for row in rows] == [("unix", "17", "0"), ("unix", "0", "17")]
    assert "17 B" in (tmp_path / "r.txt").read_text()


def test_the_format_may_be_given(targets: Targets, tmp_path: Path) -> None:
    done = run("--format", "json", "--", targets("processes"), "leaf")
    assert json.loads(done.stderr)["totals"]["sent"] == 17
    done = run("--format", "csv", "--", targets("processes"), "leaf")
    assert [row["sent"] for row in csv.DictReader(done.stderr.splitlines())] == ["17", "0"]
    run("--format", "summary", "-o", tmp_path / "r.json", "--", targets("processes"), "leaf")
    with pytest.raises(json.JSONDecodeError):
        json.loads((tmp_path / "r.json").read_text())


def test_a_file_name_may_hold_pid_and_host(targets: Targets, tmp_path: Path) -> None:
    done = run("-o", tmp_path / "r-%p-%h-%%.json", "--", "sh", "-c", "echo $$")
    pid = done.stdout.strip()
    (file,) = tmp_path.iterdir()
    assert file.name == f"r-{pid}-{platform.node()}-%.json"
    report = json.loads(file.read_text())
    assert (report["processes"][0]["pid"], report["host"]) == (int(pid), platform.node())


def test_an_old_report_is_replaced(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text("x" * 100_000)
    assert run("-o", file, "--", targets("processes"), "leaf").returncode == 0
    assert json.loads(file.read_text())["totals"]["sent"] == 17


@pytest.mark.parametrize(("units", "text"), [("iec", "1.28 KiB"), ("si", "1.31 kB"), ("raw", "1313 B")])
def test_units(targets: Targets, units: str, text: str) -> None:
    done = run(
        "--units", units, "--", "python3", "-c", "import socket; a, b = socket.socketpair(); a.send(bytes(1313))"
    )
    assert text in done.stderr


def test_past_max_sockets_the_totals_stay_exact(ptmon: Run, targets: Targets) -> None:
    traced = ptmon(targets("processes"), "children", "60", options=["--max-sockets", "10"])
    assert traced.totals["sent"] == traced.told["sent"] == 180
    assert len(traced.report["sockets"]) <= 12
    assert sum(row.get("folded", 1) for row in traced.report["sockets"]) == 120
    assert "folded" in {warning["reason"] for warning in traced.report["warnings"]}
    assert traced.report["complete"] is True


def in_terminal(words: list[str], **environment: str) -> str:
    """All that a command writes to a terminal of its own."""
    master, slave = pty.openpty()
    usual = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    process = subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env={**usual, "TERM": "xterm", **environment}
    )
    os.close(slave)
    seen, end = b"", time.monotonic() + DEADLINE
    try:
        while time.monotonic() < end:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    seen += os.read(master, 4096)
                except OSError:  # EIO: nobody has the terminal open any more
                    break
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)
    return seen.decode()


def test_color_is_for_terminals(targets: Targets) -> None:
    program = [str(targets("processes")), "leaf"]
    assert ESCAPE in in_terminal([*PTMON, "--", *program])
    assert ESCAPE not in in_terminal([*PTMON, "--", *program], NO_COLOR="1")
    assert ESCAPE not in in_terminal([*PTMON, "--color", "never", "--", *program])
    assert ESCAPE in in_terminal([*PTMON, "--color", "always", "--", *program], NO_COLOR="1")
    assert ESCAPE not in run("--", *program).stderr
    assert ESCAPE in run("--color", "always", "--", *program).stderr


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_summary_keeps_to_its_terminal(targets: Targets, columns: int) -> None:
    text = in_terminal(
        ["sh", "-c", f'stty cols {columns}; exec "$@"', "sh", *PTMON, str(targets("processes")), "lineage"]
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    told = [line for line in plain.splitlines() if '"calls"' not in line]
    assert max(map(len, told)) <= max(columns, 80)


def test_options_end_at_the_programs_name() -> None:
    done = run("-q", "echo", "-q", "--format", "--", "x")
    assert (done.returncode, done.stdout) == (0, "-q --format -- x\n")


def test_seccomp_on_and_off_count_alike(ptmon: Run, targets: Targets) -> None:
    for value in ("on", "off", "auto"):
        traced = ptmon(targets("processes"), "children", "50", options=["--seccomp", value])
        assert traced.totals["sent"] == traced.told["sent"] == 150


def test_max_sockets_and_interval_in_attach(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target:
        with attached(target.pid, tmp_path / "r.json", "--max-sockets", "2", "--interval", "0.1") as ptmon:
            target.transfer()
            told = target.ask("count")
            ptmon.detach()
        assert ptmon.report["totals"]["sent"] == told["sent"]
        target.quit()


def test_ptmon_leaves_no_process_of_its_own(targets: Targets, tmp_path: Path) -> None:
    with busy(targets("busy")) as target, attached(target.pid, tmp_path / "r.json") as ptmon:
        assert children_of(ptmon.tracer.pid) == []
        ptmon.detach()
        target.quit()


def test_a_report_goes_to_stdout_where_it_is_asked_to(targets: Targets, tmp_path: Path) -> None:
    done = run("-q", "-o", "-", "--format", "json", "--", targets("processes"), "leaf", cwd=tmp_path)
    assert json.loads(done.stdout[done.stdout.index('{"schema') :])["totals"]["sent"] == 17
    assert (done.stderr, os.listdir(tmp_path)) == ("", [])


def test_a_log_goes_to_stdout_where_it_is_asked_to(targets: Targets, tmp_path: Path) -> None:
    options = ("--log=-", "--log-format", "jsonl", "-o", "report.json")
    done = run(*options, "--", "sh", "-c", f"echo program; exec {targets('processes')} leaf", cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line != "program"]
    assert lines[0]["schema"] == "ptmon.event/1"
    assert sum(line["bytes"] for line in lines if line.get("event") == "send") == 17
    assert done.stdout.count("program\n") == 1
    assert (done.stderr, os.listdir(tmp_path)) == ("", ["report.json"])


def test_a_log_and_a_report_do_not_both_go_to_stdout(tmp_path: Path) -> None:
    done = run("--log=-", "-o", "-", "--", "touch", "started", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "ptmon: -o - and --log=- are the same file (see ptmon --help)\n"
    assert os.listdir(tmp_path) == []


def test_a_file_of_the_name_dash_is_written_by_its_path(tmp_path: Path) -> None:
    assert run("--log=./-", "-o", "-", "--", "true", cwd=tmp_path).stdout.startswith("ptmon: true")
    assert os.listdir(tmp_path) == ["-"]


@pytest.mark.parametrize(("option", "what"), [("--log=-", "log"), ("-o-", "report")])
def test_a_stdout_that_is_closed_is_an_error_before_the_program_starts(tmp_path: Path, option: str, what: str) -> None:
    words = ["sh", "-c", 'exec "$@" >&-', "sh", *PTMON, "--log=events", option, "--", "touch", "started"]
    if what == "log":
        words.remove("--log=events")
    done = subprocess.run(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (
        125,
        f"ptmon: cannot write the {what} to -: EBADF: Bad file descriptor\n",
    )
    assert os.listdir(tmp_path) == []


def test_lines_of_csv_end_as_awk_expects(targets: Targets, tmp_path: Path) -> None:
    run("-o", tmp_path / "r.csv", "--", targets("processes"), "leaf")
    lines = (tmp_path / "r.csv").read_bytes().split(b"\n")
    assert lines[0].endswith(b",peer_name")
    assert not any(line.endswith(b"\r") for line in lines)


def test_the_version_is_told_by_a_letter_too() -> None:
    assert run("-V").stdout == run("--version").stdout != ""
