# SPDX-License-Identifier: GPL-2.0-only
"""The reference engine starts, attaches and lets go as a tracer should; what it cannot do it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import Attached, attached, busy, held_by, thread_status, threads_of
from tests.hazards import child_running
from tests.support import DEADLINE, PTMON, Outcome, Targets, process_state, run_plain, run_ptmon, started, until

REFERENCE = ("--engine", "reference")
TEXT = 35
"""Bytes that a client and its server exchange each way."""


def reference(command: list[str | Path], folder: Path, *options: str, **keywords: Any) -> Outcome:
    return run_ptmon(command, folder / "report.json", [*REFERENCE, *options], **keywords)


def quietly(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    command = [*PTMON, *REFERENCE, "-q", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, **keywords)


def reasons(report: dict[str, Any]) -> list[str]:
    return [warning["reason"] for warning in report["warnings"]]


@contextmanager
def server(targets: Targets) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of one thread, and its port."""
    with started([targets("send_recv_server"), "0"]) as process:
        yield process, port_of(process)


def port_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    word, port = process.stdout.readline().split()
    assert word == "listening"
    return port


def talk(targets: Targets, port: str, clients: int) -> None:
    for _ in range(clients):
        assert run_plain(targets("send_recv_client"), port).stdout == '{"sent": 35, "received": 35}\n'


def assert_exchanged(report: dict[str, Any], clients: int) -> None:
    assert report["engine"] == "reference"
    assert report["complete"], report["warnings"]
    assert (report["totals"]["sent"], report["totals"]["received"]) == (clients * TEXT, clients * TEXT)
    assert (report["totals"]["calls_sent"], report["totals"]["calls_received"]) == (clients, clients)
    rows = [(row["sent"], row["received"], row["audit"]) for row in report["sockets"]]
    assert rows == [(TEXT, TEXT, "match")] * clients


# Launch


@pytest.mark.parametrize("who", ["program", "ptmon"])
def test_a_launched_server_gets_its_signal_and_serves_five_clients(targets: Targets, tmp_path: Path, who: str) -> None:
    file, program = tmp_path / "report.json", targets("send_recv_server")
    with started([*PTMON, *REFERENCE, "-o", file, "--", program, "0"]) as tracer:
        talk(targets, port_of(tracer), 5)
        os.kill({"program": child_running(tracer.pid, program), "ptmon": tracer.pid}[who], signal.SIGINT)
        output, errors = tracer.communicate(timeout=DEADLINE)
    assert (tracer.returncode, output, errors) == (0, "Server exited.\n", "")
    assert_exchanged(report_of(file), 5)


def report_of(file: Path) -> dict[str, Any]:
    import json

    report = json.loads(file.read_text())
    assert isinstance(report, dict)
    return report


def test_a_signal_to_the_whole_group_is_not_sent_twice(tmp_path: Path) -> None:
    script = "trap 'echo got it' USR1; echo ready; read word; read word; echo $word"
    words = [*PTMON, *REFERENCE, "-q", "--", "sh", "-c", script]
    with started(words, stdin=subprocess.PIPE, start_new_session=True) as tracer:
        assert tracer.stdout is not None and tracer.stdin is not None
        assert tracer.stdout.readline() == "ready\n"
        os.killpg(tracer.pid, signal.SIGUSR1)
        tracer.stdin.write("one\ntwo\n")
        tracer.stdin.flush()
        assert tracer.communicate(timeout=DEADLINE)[0].splitlines() == ["got it", "two"]


def test_the_exit_status_is_the_programs_own(tmp_path: Path) -> None:
    assert quietly("sh", "-c", "exit 7").returncode == 7


@pytest.mark.parametrize("name", ["TRAP", "KILL", "SEGV", "TERM", "SYS"])
def test_ptmon_dies_by_the_signal_that_killed_the_program(name: str) -> None:
    assert quietly("sh", "-c", f"kill -{name} $$").returncode == -signal.Signals[f"SIG{name}"]


@pytest.mark.parametrize(("program", "status"), [("no-such-program", 127), ("/no/such/program", 127), ("/tmp", 126)])
def test_what_cannot_be_started_is_said_as_by_the_native_engine(program: str, status: int) -> None:
    native = subprocess.run([*PTMON, program], capture_output=True, text=True, timeout=DEADLINE)
    done = quietly(program)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", native.stderr)


def test_a_file_that_is_not_executable_is_said_as_by_the_native_engine(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("nothing")
    native = subprocess.run([*PTMON, tmp_path / "plain"], capture_output=True, text=True, timeout=DEADLINE)
    done = quietly(tmp_path / "plain")
    assert (done.returncode, done.stderr) == (126, native.stderr)


def test_a_tracer_within_the_tracer_is_refused() -> None:
    """The inner ptmon is a tracee; its child cannot be one that follows children, but this one lets its child go."""
    done = quietly("--", *PTMON, "-q", "sh", "-c", "exit 3")
    assert done.returncode == 3


@pytest.mark.parametrize("mode", ["state", "odd_env"])
def test_the_program_finds_what_it_finds_without_ptmon(targets: Targets, mode: str) -> None:
    program = targets("surroundings")
    words = [program, "state"] if mode == "state" else [program, "odd_env", sys.executable, "-c", ENVIRONMENT]
    if mode == "odd_env":
        traced = run_plain(program, "odd_env", *PTMON, *REFERENCE, "-q", "--", "cat", "/proc/self/environ")
        plain = run_plain(program, "odd_env", "cat", "/proc/self/environ")
    else:
        traced, plain = quietly(*words), run_plain(*words)
    assert traced.stdout == plain.stdout
    assert traced.returncode == plain.returncode == 0


ENVIRONMENT = ""


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
    script = "import time; time.sleep(0.5); print('done')"
    traced = reference([sys.executable, "-c", script], tmp_path, "--duration", "0.1")
    assert (traced.returncode, traced.stdout) == (0, "done\n")
    assert traced.report["exit"] is None
    assert traced.report["duration_s"] < 0.5


def test_warnings_of_python_ptrace_are_not_shown() -> None:
    environment = {**os.environ, "PYTHONWARNINGS": "always"}
    done = quietly("true", env=environment)
    assert (done.returncode, done.stderr) == (0, "")


# What runs on untraced


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


# Attach


def attach(pid: int, folder: Path, *options: str) -> Any:
    return attached(pid, folder / "report.json", *REFERENCE, *options)


def test_an_attached_server_serves_on_after_ptmon_has_gone(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        talk(targets, port, 1)
        ptmon: Attached
        with attach(process.pid, tmp_path) as ptmon:
            talk(targets, port, 3)
            ptmon.detach()
        assert_exchanged(ptmon.report, 3)
        assert held_by(process.pid, 0, "S")
        talk(targets, port, 1)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=DEADLINE)[0] == "Server exited.\n"


def test_the_end_of_an_attached_server_is_told(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        ptmon: Attached
        with attach(process.pid, tmp_path) as ptmon:
            talk(targets, port, 5)
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=DEADLINE)[0] == "Server exited.\n"
            ptmon.finish()
        assert_exchanged(ptmon.report, 5)
        assert ptmon.report["exit"] == {"code": 0, "signal": None}


def test_after_its_duration_an_attach_ends(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        done = subprocess.run(
            [*PTMON, *REFERENCE, "--duration", "0.3", "-o", str(tmp_path / "r.json"), "-p", str(process.pid)],
            timeout=DEADLINE,
        )
        assert done.returncode == 0
        assert held_by(process.pid, 0, "S")
        talk(targets, port, 1)


def test_an_attached_process_survives_ptmons_death(targets: Targets, tmp_path: Path) -> None:
    with server(targets) as (process, port):
        ptmon: Attached
        with attach(process.pid, tmp_path) as ptmon:
            talk(targets, port, 1)
            ptmon.tracer.kill()
            ptmon.tracer.wait(DEADLINE)
        until(lambda: held_by(process.pid, 0, "S"), "the process to be free")
        talk(targets, port, 1)


def test_a_process_with_threads_cannot_be_attached_to(targets: Targets) -> None:
    with busy(targets("busy"), 1) as victim:
        before = [sorted(thread_status(task).items()) for task in sorted(threads_of(victim.pid))]
        done = quietly("--attach", str(victim.pid))
        assert done.returncode == 125
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"ptmon: cannot attach to process {victim.pid}: it has 3 threads")
        assert "--engine native" in line
        after = [sorted(thread_status(task).items()) for task in sorted(threads_of(victim.pid))]
        assert changes(before, after) <= {"voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"}
        victim.quit()


def changes(before: list[list[tuple[str, str]]], after: list[list[tuple[str, str]]]) -> set[str]:
    """The fields of /proc/PID/status that are not as they were."""
    pairs = zip(before, after, strict=True)
    return {old[0] for one, other in pairs for old, new in zip(one, other, strict=True) if old != new}


def test_a_stopped_process_is_left_alone(targets: Targets) -> None:
    with server(targets) as (process, _):
        process.send_signal(signal.SIGSTOP)
        until(lambda: process_state(process.pid) == "T", "the stop")
        done = quietly("--attach", str(process.pid))
        assert done.returncode == 125
        assert f"{process.pid}: it is stopped" in done.stderr
        time.sleep(0.05)
        assert process_state(process.pid) == "T"
        process.send_signal(signal.SIGCONT)


# What it cannot do


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
