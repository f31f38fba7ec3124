# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals to ptmon itself, and the terminal's job control: both as without ptmon."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.hazards import child_running, children_of, lasting_state, running
from tests.support import DEADLINE, PTMON, Targets, process_state, started, until

CTRL_C, CTRL_Z, CTRL_BACKSLASH = "\x03", "\x1a", "\x1c"
SETTLE = 0.5
"""Seconds in which a second signal would arrive if there were one."""


class Terminal:
    """An interactive bash in a pseudo-terminal."""

    def __init__(self, master: int, shell: int) -> None:
        self.master = master
        self.shell = shell
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def expect(self, text: str) -> str:
        """Reads until ``text`` appears, and returns what came before; what follows it is read next."""
        end = time.monotonic() + DEADLINE
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before


@contextmanager
def terminal() -> Iterator[Terminal]:
    shell, master = pty.fork()
    if shell == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**os.environ, "PS1": "shell> ", "TERM": "dumb"})
    try:
        session = Terminal(master, shell)
        session.expect("shell> ")
        session.type("stty -echo; set +o emacs; bind 'set enable-bracketed-paste off' 2>/dev/null; echo rea''dy\n")
        session.expect("ready")
        session.expect("shell> ")
        yield session
    finally:
        os.close(master)  # hangs up: the shell ends its jobs
        until(lambda: os.waitpid(shell, os.WNOHANG)[0], "the shell's end")


@pytest.fixture(params=["plain", "traced"])
def prefix(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Nothing, or ptmon: whatever is asserted below holds for both."""
    return [] if request.param == "plain" else [*PTMON, "-o", str(tmp_path / "report.json"), "--"]


def check_report(file: Path, told: str) -> None:
    if file.exists():
        totals = json.loads(file.read_text())["totals"]
        expected = json.loads(told)
        assert (totals["sent"], totals["received"]) == (expected["sent"], expected["received"])


def last_told(session: Terminal) -> str:
    session.expect('{"sent"')
    return '{"sent"' + session.expect("}") + "}"


def test_ctrl_z_stops_and_fg_continues(targets: Targets, tmp_path: Path, prefix: list[str]) -> None:
    program = targets("terminal")
    with terminal() as session:
        session.type(" ".join([*prefix, str(program)]) + "\n")
        session.expect("started")
        (pid,) = until(lambda: running(program), "the program")
        for _ in range(3):
            session.type(CTRL_Z)
            session.expect("Stopped")
            session.expect("shell> ")
            until(lambda: lasting_state(pid, "tT"), "the program's stop")
            session.type("fg\n")
            session.expect(str(program))
            session.type("count\n")
            session.expect("interrupts=0 terminations=0")
        session.type("end\n")
        told = last_told(session)
        session.expect("shell> ")
        session.type("echo status=$?\n")
        session.expect("status=0")
    assert (tmp_path / "report.json").exists() is bool(prefix)
    check_report(tmp_path / "report.json", told)


def test_bg_continues_in_the_background(targets: Targets, tmp_path: Path, prefix: list[str]) -> None:
    program = targets("terminal")
    with terminal() as session:
        session.type(f"mkfifo {tmp_path}/lines; {' '.join([*prefix, str(program)])} <> {tmp_path}/lines\n")
        session.expect("started")
        session.type(CTRL_Z)
        session.expect("Stopped")
        session.expect("shell> ")
        session.type("bg\n")
        session.expect("shell> ")
        session.type(f"echo count >{tmp_path}/lines\n")
        session.expect("interrupts=0 terminations=0")
        session.type(f"echo end >{tmp_path}/lines\n")
        told = last_told(session)
        session.type("wait\n")
        session.expect("shell> ")
    check_report(tmp_path / "report.json", told)


def interrupts(session: Terminal) -> int:
    """How many the program has had."""
    session.type("count\n")
    assert "Traceback" not in session.expect("interrupts=")
    return int(session.expect(" terminations=0"))


def test_ctrl_c_reaches_the_program_once(targets: Targets, tmp_path: Path, prefix: list[str]) -> None:
    with terminal() as session:
        session.type(" ".join([*prefix, str(targets("terminal"))]) + "\n")
        session.expect("started")
        for presses in (1, 2, 3):
            session.type(CTRL_C)
            until(lambda presses=presses: interrupts(session) == presses, f"signal {presses}")  # type: ignore[misc]
            time.sleep(SETTLE)
            assert interrupts(session) == presses
        session.type("end\n")
        told = last_told(session)
        session.expect("shell> ")
    check_report(tmp_path / "report.json", told)


@pytest.mark.parametrize(("key", "status"), [(CTRL_C, 130), (CTRL_BACKSLASH, 131)])
def test_a_key_that_ends_the_program_ends_ptmon_alike(
    targets: Targets, tmp_path: Path, prefix: list[str], key: str, status: int
) -> None:
    with terminal() as session:
        session.type("ulimit -c 0; " + " ".join([*prefix, str(targets("terminal")), "default"]) + "\n")
        session.expect("started")
        session.type(key)
        assert "Traceback" not in session.expect("shell> ")
        session.type("echo status=$?\n")
        session.expect(f"status={status}")
    if prefix:
        report = json.loads((tmp_path / "report.json").read_text())
        assert report["exit"] == {"code": None, "signal": status - 128}


@pytest.fixture
def traced_terminal(targets: Targets, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The program under ptmon, in a process group of its own, started."""
    words = [*PTMON, "-o", str(tmp_path / "report.json"), "--", str(targets("terminal"))]
    with started(words, stdin=subprocess.PIPE, process_group=0) as tracer:
        assert tracer.stdout is not None
        assert tracer.stdout.readline() == "started\n"
        yield tracer


def counts(tracer: subprocess.Popen[str]) -> str:
    assert tracer.stdin is not None and tracer.stdout is not None
    tracer.stdin.write("count\n")
    tracer.stdin.flush()
    return tracer.stdout.readline().strip()


def finish(tracer: subprocess.Popen[str], file: Path) -> None:
    output, errors = tracer.communicate("end\n", timeout=DEADLINE)
    assert tracer.returncode == 0, errors
    assert file.exists()
    check_report(file, output.splitlines()[-1])


@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGTERM, "interrupts=0 terminations={}"), (signal.SIGINT, "interrupts={} terminations=0")],
)
@pytest.mark.parametrize("to_group", [False, True], ids=["to ptmon", "to the process group"])
def test_a_signal_reaches_the_program_once(
    traced_terminal: subprocess.Popen[str], tmp_path: Path, number: int, expected: str, to_group: bool
) -> None:
    tracer = traced_terminal
    for sent in (1, 2, 3):
        (os.killpg if to_group else os.kill)(tracer.pid, number)
        until(lambda sent=sent: counts(tracer) == expected.format(sent), f"signal {sent}")  # type: ignore[misc]
        time.sleep(SETTLE)
        assert counts(tracer) == expected.format(sent)
    finish(tracer, tmp_path / "report.json")


def test_a_signal_to_the_program_alone_is_its_own(
    traced_terminal: subprocess.Popen[str], targets: Targets, tmp_path: Path
) -> None:
    program = child_running(traced_terminal.pid, targets("terminal"))
    os.kill(program, signal.SIGTERM)
    until(lambda: counts(traced_terminal) == "interrupts=0 terminations=1", "the signal")
    finish(traced_terminal, tmp_path / "report.json")


def test_the_program_dies_with_ptmon(targets: Targets) -> None:
    script = f"sleep 1000 & exec {targets('terminal')}"
    with started([*PTMON, "-q", "sh", "-c", script], stdin=subprocess.PIPE) as tracer:
        program = child_running(tracer.pid, targets("terminal"))
        (child,) = until(lambda: children_of(program), "the program's child")
        tracer.kill()
        until(lambda: all(process_state(pid) in ("", "Z") for pid in (program, child)), "the end of both")
