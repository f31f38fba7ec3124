# SPDX-License-Identifier: GPL-2.0-or-later
"""The program finds everything as without ptmon: streams, arguments, environment, signals, fds, and the like."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, PTMON, Targets

Words = Sequence[str | bytes | Path]


def both(file: Path, words: Words, **keywords: Any) -> tuple[bytes, bytes]:
    """stdout of a plain run and of a traced one, which must end alike."""
    outputs = []
    for prefix in ([], [*PTMON, "-o", str(file), "--"]):
        done = subprocess.run([*prefix, *words], stdout=subprocess.PIPE, timeout=DEADLINE, **keywords)
        outputs.append((done.returncode, done.stdout))
    assert outputs[0][0] == outputs[1][0]
    assert file.exists()
    return outputs[0][1], outputs[1][1]


def peculiar() -> None:
    """What a parent may leave to a program: blocked and ignored signals, a umask, niceness, one CPU.

    SIGPIPE and SIGXFSZ are not among them: `python -m ptmon` cannot know of these two (see test_command.py).
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM, signal.SIGINT, signal.SIGTSTP, 40})
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGCHLD, 41):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o017)
    os.nice(3)
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def default() -> None:
    """The other way about: nothing blocked, nothing ignored (this runner may have been started in the background)."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("prepare", [None, default, peculiar])
def test_signals_limits_and_the_rest_are_as_without_ptmon(
    targets: Targets, tmp_path: Path, prepare: Callable[[], None] | None
) -> None:
    words: Words = [targets("surroundings"), "state"]
    keywords: dict[str, Any] = {"cwd": tmp_path, "preexec_fn": prepare}
    plain, traced = both(tmp_path / "r.json", words, **keywords)
    assert traced.decode() == plain.decode()
    if prepare is peculiar:
        assert b"umask 17" in traced


@pytest.mark.parametrize("options", [[], ["-o", "report.json"], ["--interval", "1"], ["--seccomp", "off"]])
@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_the_program_has_the_same_fds(targets: Targets, tmp_path: Path, options: list[str], closed: str) -> None:
    lists = []
    for prefix in ([], [*PTMON, *options, "--"]):
        words: Words = [*prefix, targets("surroundings"), "fds", tmp_path / "list"]
        script = f'exec "$@" 9</dev/null {closed}'
        done = subprocess.run(["sh", "-c", script, "sh", *words], cwd=tmp_path, timeout=DEADLINE, capture_output=True)
        assert done.returncode == 0, done.stderr
        lists.append((tmp_path / "list").read_text().splitlines())
    assert lists[1] == lists[0]
    assert any(line.startswith("9 /dev/null") for line in lists[0])


def environments() -> list[dict[bytes, bytes]]:
    usual = {name: value for name, value in os.environb.items() if not name.startswith((b"LC_", b"LANG"))}
    return [
        usual,
        {**usual, b"LC_ALL": b"C"},
        {**usual, b"LC_CTYPE": b"C"},
        {**usual, b"LANG": b"C.UTF-8", b"PYTHONCOERCECLOCALE": b"1", b"BYTES": b"\xff\xfe"},
        {**usual, b"PYTHONUTF8": b"1", b"PYTHONUNBUFFERED": b"1", b"COLUMNS": b"40", b"": b"empty name"},
        {b"PATH": usual[b"PATH"]},
    ]


@pytest.mark.parametrize("environment", environments())
def test_the_environment_is_the_same(tmp_path: Path, environment: dict[bytes, bytes]) -> None:
    plain, traced = both(tmp_path / "r.json", ["env", "-0"], env=environment)
    assert traced.split(b"\0") == plain.split(b"\0")


def test_an_environment_that_only_execve_can_make_is_the_same(targets: Targets, tmp_path: Path) -> None:
    odd: Words = [targets("surroundings"), "odd_env"]
    plain = subprocess.run([*odd, "/usr/bin/env", "-0"], capture_output=True, timeout=DEADLINE)
    words: Words = [*odd, *PTMON, "-o", tmp_path / "r.json", "--", "/usr/bin/env", "-0"]
    traced = subprocess.run(words, capture_output=True, timeout=DEADLINE)
    assert b"TWICE=2" in plain.stdout
    assert traced.stdout.split(b"\0") == plain.stdout.split(b"\0")


@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "POSIX"])
def test_arguments_that_are_not_utf8_arrive_as_they_are(targets: Targets, tmp_path: Path, locale: str) -> None:
    file = tmp_path / "r.json"
    words: Words = [targets("surroundings"), "argv", b"\xff\xfe", b"caf\xe9", "naïve ☕".encode(), b"", b"-x", b"\x1b"]
    environment = {**os.environ, "LC_ALL": locale}
    plain, traced = both(file, words, env=environment)
    assert traced == plain
    report = json.loads(file.read_bytes().decode("utf-8"))
    for argv in (report["command"], report["processes"][0]["argv"]):
        assert [os.fsencode(argument) for argument in argv] == [os.fsencode(word) for word in words]


def test_arguments_that_are_not_utf8_in_a_summary(targets: Targets) -> None:
    words: Words = [*PTMON, "--", targets("surroundings"), "argv", b"\xff\xfe", b"\x1b[31m"]
    done = subprocess.run(words, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr


def test_a_program_whose_name_is_not_utf8(targets: Targets, tmp_path: Path) -> None:
    program = os.fsencode(tmp_path) + b"/\xff\xfe"
    os.link(targets("surroundings"), program)
    plain, traced = both(tmp_path / "r.json", [program, "argv"])
    assert traced == plain
    report = json.loads((tmp_path / "r.json").read_text())
    assert os.fsencode(report["processes"][0]["name"]) == b"\xff\xfe"


def test_stdin_is_the_programs(tmp_path: Path) -> None:
    text = os.urandom(200_000)
    plain, traced = both(tmp_path / "r.json", ["cat"], input=text)
    assert plain == traced == text
    assert json.loads((tmp_path / "r.json").read_text())["totals"]["received"] == 0


def test_an_empty_stdin_ends_at_once(tmp_path: Path) -> None:
    assert both(tmp_path / "r.json", ["cat"], stdin=subprocess.DEVNULL) == (b"", b"")


def test_stdin_and_stdout_may_be_sockets(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        words = [*PTMON, "-o", str(file), "--", "cat"]
        tracer = subprocess.Popen(words, stdin=theirs.fileno(), stdout=theirs.fileno())
        ours.sendall(b"x" * 1009)
        ours.shutdown(socket.SHUT_WR)
        assert tracer.wait(DEADLINE) == 0
        assert ours.recv(4096) == b"x" * 1009
    totals = json.loads(file.read_text())["totals"]
    assert (totals["sent"], totals["received"]) == (1009, 1009)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_no_harm(targets: Targets, tmp_path: Path, closed: str) -> None:
    script = f'"$@" {closed}'
    words: Words = [*PTMON, "-o", tmp_path / "r.json", targets("processes"), "lineage"]
    plain = subprocess.run(["sh", "-c", script, "sh", targets("processes"), "lineage"], capture_output=True, text=True)
    traced = subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, text=True, timeout=DEADLINE)
    assert traced.returncode == plain.returncode
    assert traced.stdout == plain.stdout
    assert "Traceback" not in traced.stderr
    assert json.loads((tmp_path / "r.json").read_text())["totals"]["sent"] == 131


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_report_that_has_nowhere_to_go_does_no_harm(targets: Targets, closed: str) -> None:
    words: Words = ["sh", "-c", f'"$@" {closed}', "sh", *PTMON, targets("threads"), "exit_group"]
    plain = subprocess.run(["sh", "-c", f'"$@" {closed}', "sh", targets("threads"), "exit_group"], capture_output=True)
    assert subprocess.run(words, capture_output=True, timeout=DEADLINE).returncode == plain.returncode


INTERRUPTED = """
import os, runpy, signal, sys

class Interrupting:
    def find_spec(self, name, *others):
        if name == "ptmon.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
runpy.run_module("ptmon", run_name="__main__")
"""


def test_an_interrupt_while_ptmon_is_loaded_ends_it_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
