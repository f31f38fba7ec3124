# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference engine: a program behaves under it as without it, and what it cannot do it says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attaching import held_by
from tests.counting import reasons
from tests.hazards import child_running
from tests.reference import REFERENCE, assert_exchanged, port_of, quietly, reference, server, talk
from tests.support import DEADLINE, PTMON, Targets, run_plain, started, until


@pytest.mark.parametrize("who", ["program", "ptmon"])
def test_a_launched_server_gets_its_signal_and_serves_five_clients(targets: Targets, tmp_path: Path, who: str) -> None:
    file, program = tmp_path / "report.json", targets("send_recv_server")
    with started([*PTMON, *REFERENCE, "-o", file, "--", program, "0"]) as tracer:
        talk(targets, port_of(tracer), 5)
        os.kill({"program": child_running(tracer.pid, program), "ptmon": tracer.pid}[who], signal.SIGINT)
        output, errors = tracer.communicate(timeout=DEADLINE)
    assert (tracer.returncode, output, errors) == (0, "Server exited.\n", "")
    assert_exchanged(json.loads(file.read_text()), 5)


def test_a_signal_to_the_whole_group_is_not_sent_twice() -> None:
    script = "trap 'echo one' USR1; trap 'echo two' USR2; echo ready; until [ \"$word\" = done ]; do read word; done"
    words = [*PTMON, *REFERENCE, "-q", "--", "sh", "-c", script]
    with started(words, stdin=subprocess.PIPE, start_new_session=True) as tracer:
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "ready\n"
        os.killpg(tracer.pid, signal.SIGUSR1)
        assert tracer.stdout.readline() == "one\n"
        tracer.send_signal(signal.SIGUSR2)  # passed on by ptmon, after whatever came before
        assert tracer.stdout.readline() == "two\n"
        assert tracer.communicate("done\n", timeout=DEADLINE)[0] == ""
    assert tracer.returncode == 0


def test_the_exit_status_is_the_programs_own(tmp_path: Path) -> None:
    assert quietly("sh", "-c", "exit 7").returncode == 7


@pytest.mark.parametrize("name", ["TRAP", "KILL", "SEGV", "TERM", "SYS"])
def test_ptmon_dies_by_the_signal_that_killed_the_program(name: str) -> None:
    assert quietly("sh", "-c", f"kill -{name} $$").returncode == -signal.Signals[f"SIG{name}"]


@pytest.mark.parametrize(("program", "status"), [("no-such-program", 127), ("/no/such/program", 127), ("/tmp", 126)])
def test_what_cannot_be_started_is_said_as_by_the_native_engine(program: str, status: int) -> None:
    environment = {**os.environ, "PATH": "/usr/bin:/bin"}  # without folders that some users may not search
    native = subprocess.run([*PTMON, program], capture_output=True, text=True, timeout=DEADLINE, env=environment)
    done = quietly(program, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", native.stderr)


def test_a_file_that_is_not_executable_is_said_as_by_the_native_engine(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("nothing")
    native = subprocess.run([*PTMON, tmp_path / "plain"], capture_output=True, text=True, timeout=DEADLINE)
    done = quietly(tmp_path / "plain")
    assert (done.returncode, done.stderr) == (126, native.stderr)


def test_the_program_finds_what_it_finds_without_ptmon(targets: Targets) -> None:
    traced, plain = quietly(targets("surroundings"), "state"), run_plain(targets("surroundings"), "state")
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)


@pytest.mark.parametrize("closed", ["", "<&-", "<&- >&- 2>&-"])
def test_the_program_has_the_fds_that_it_has_without_ptmon(targets: Targets, tmp_path: Path, closed: str) -> None:
    lists = []
    for prefix in [], [*PTMON, *REFERENCE, "-o", "report.json", "--"]:
        words = [*prefix, str(targets("surroundings")), "fds", str(tmp_path / "list")]
        script = f'exec "$@" 9</dev/null {closed}'
        subprocess.run(["sh", "-c", script, "sh", *words], cwd=tmp_path, timeout=DEADLINE, check=True)
        lists.append((tmp_path / "list").read_text())
    assert lists[1] == lists[0]
    assert "9 /dev/null" in lists[0]


def test_the_environment_is_passed_on_to_the_byte(targets: Targets) -> None:
    program = str(targets("surroundings"))
    listings = []
    for prefix in [], [*PTMON, *REFERENCE, "-q", "--"]:
        words = [program, "odd_env", *prefix, "/usr/bin/env", "-0"]
        listings.append(subprocess.run(words, capture_output=True, timeout=DEADLINE, check=True).stdout.split(b"\0"))
    assert listings[1] == listings[0]
    assert b"TWICE=2" in listings[0]


def test_arguments_are_passed_on_to_the_byte(targets: Targets) -> None:
    words = [os.fsencode(targets("surroundings")), b"argv", b"", b"\xff\xfe", b"a b", "ü".encode()]
    plain = subprocess.run(words, capture_output=True, timeout=DEADLINE)
    traced = subprocess.run([*map(os.fsencode, [*PTMON, *REFERENCE, "-q", "--"]), *words], capture_output=True)
    assert traced.stdout == plain.stdout


def test_an_execve_within_the_program_is_followed(targets: Targets, tmp_path: Path) -> None:
    traced = reference(["sh", "-c", f"exec {targets('counting')} sendto"], tmp_path)
    assert traced.totals["sent"] == traced.told["sent"] > 0
    (process,) = traced.report["processes"]
    assert (process["name"], process["argv"][1:]) == ("counting", ["sendto"])


def test_a_stop_signal_does_not_stop_the_program(targets: Targets, tmp_path: Path) -> None:
    traced = reference([targets("signals"), "stop_alone"], tmp_path)
    assert traced.returncode == 0
    assert traced.totals["sent"] == traced.told["sent"] > 0


def test_after_its_duration_the_program_runs_on(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    words = [*PTMON, *REFERENCE, "--duration", "0.1", "-o", str(file)]
    with started([*words, "--", sys.executable, "-c", "input(); print('done')"], stdin=subprocess.PIPE) as tracer:
        until(lambda: file.exists() and file.read_text().endswith("}\n"), "the report, while the program runs on")
        assert tracer.poll() is None
        output, errors = tracer.communicate("\n", timeout=DEADLINE)
    assert (tracer.returncode, output) == (0, "done\n"), errors
    report = json.loads(file.read_text())
    assert report["exit"] is None
    assert report["duration_s"] >= 0.1


def test_warnings_of_python_ptrace_are_not_shown() -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "always"}
    done = quietly("true", env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def test_children_run_on_untraced_and_this_is_said(targets: Targets, tmp_path: Path) -> None:
    traced = reference([targets("processes"), "lineage"], tmp_path)
    assert traced.returncode == 0
    assert not traced.report["complete"]
    assert reasons(traced.report) == ["untraced"]
    assert len(traced.report["processes"]) == 1
    assert traced.totals["sent"] == 101  # the parent's own part


@pytest.mark.parametrize("mode", ["vfork", "spawn", "exec", "daemon"])
def test_children_and_threads_do_as_without_ptmon(targets: Targets, mode: str) -> None:
    plain, traced = run_plain(targets("processes"), mode), quietly(targets("processes"), mode)
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)


def test_without_follow_children_are_nothing_to_warn_of(targets: Targets, tmp_path: Path) -> None:
    traced = reference([targets("processes"), "lineage"], tmp_path, "--no-follow")
    assert traced.report["complete"]
    assert traced.totals["sent"] == 101


def test_sockets_that_a_child_may_use_are_not_audited(targets: Targets, tmp_path: Path) -> None:
    traced = reference([targets("audit"), "shared"], tmp_path)
    assert traced.returncode == 0
    assert [row["audit"] for row in traced.report["sockets"]] == ["unavailable"]


@pytest.mark.parametrize("mode", ["leader", "exit_group", "exits"])
def test_threads_run_on_untraced_and_this_is_said(targets: Targets, tmp_path: Path, mode: str) -> None:
    plain = run_plain(targets("threads"), mode)
    traced = reference([targets("threads"), mode], tmp_path, "--no-follow")
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)
    assert reasons(traced.report) == ["untraced"]


def test_traced_calls_are_the_lines_of_the_native_engines_log(targets: Targets) -> None:
    words = ["-q", "--no-follow", "--log", "--log-format", "dmesg", "--trace", "clone,clone3,execve,wait4,write,sendto"]
    logs = []
    for engine in ("reference", "native"):
        command = [*PTMON, "--engine", engine, *words, "--", targets("processes"), "lineage"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        lines = [line.partition("] ")[2] for line in done.stderr.splitlines()]
        # Addresses and pids are each run's own.
        logs.append([re.sub(r"0x[0-9a-f]+|\b\d{3,}\b", "N", line) for line in lines if line.startswith("sys_")])
    assert logs[0] == logs[1]
    assert any(line.startswith("sys_clone") for line in logs[0])
    assert any(line.startswith("sys_wait4() returns") for line in logs[0])


def test_rules_and_hooks_are_usage_errors(tmp_path: Path) -> None:
    for options in (["--deny", "socket"], ["--hooks", str(tmp_path / "hooks.py")]):
        (tmp_path / "hooks.py").write_text("import ptmon\n\n\n@ptmon.hook('read')\ndef hook(call): pass\n")
        done = quietly(*options, "true")
        assert (done.returncode, done.stdout) == (2, "")
        assert "--hooks, --deny, --allow and --learn want --engine native" in done.stderr


@pytest.mark.parametrize("options", [["--only", "sh"], ["--no-io-uring"], ["--seccomp", "on"]])
def test_options_that_it_cannot_serve_are_usage_errors(options: list[str]) -> None:
    done = quietly(*options, "true")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "--engine reference" in line and options[0] in line


def test_two_targets_are_a_usage_error(targets: Targets) -> None:
    with server(targets) as (one, _), server(targets) as (other, _):
        done = quietly("-p", str(one.pid), "-p", str(other.pid))
        assert done.returncode == 2
        assert "more than one --attach" in done.stderr
        assert held_by(one.pid, 0, "S") and held_by(other.pid, 0, "S")
