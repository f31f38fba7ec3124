# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways out of --live: each leaves the terminal as it was, and the program to itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live import LIVE, WRITES, Tmux, assert_terminal_as_before, number
from tests.support import PTMON, Targets, process_state, started, tracing, until


def test_a_program_that_is_left_runs_on_and_ctrl_c_reaches_it(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(LIVE)
    terminal.seen(WRITES)
    terminal.press("q", "r")
    terminal.seen(lambda screen: LIVE not in screen and "line" in screen)
    terminal.press("C-c")
    terminal.prompt()
    said = terminal.all()
    assert "ended by signal 2" in said and "payload bytes" in said
    assert_terminal_as_before(terminal)


def test_ctrl_z_gives_the_terminal_back_and_fg_shows_the_view_again(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    for _ in range(2):
        terminal.press("C-z")
        terminal.seen(lambda screen: "Stopped" in screen and screen.rstrip().endswith("shell>"))
        assert_terminal_as_before(terminal)
        terminal.type(["fg"])
        terminal.seen(LIVE)
    before = number(terminal.screen(), "sent")
    terminal.seen(lambda screen: number(screen, "sent") > before)
    terminal.press("q", "k")
    terminal.prompt()
    assert "killed by SIGKILL" in terminal.all()
    assert_terminal_as_before(terminal)


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_attached_a_key_detaches_and_the_process_runs_on(terminal: Tmux, targets: Targets, key: str) -> None:
    with started([targets("onscreen")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        terminal.type([*tracing("--live"), "-p", str(process.pid)])
        terminal.seen(lambda screen: number(screen, "sent") > 2000 and f"{process.pid} " in screen)
        terminal.press("C-z")  # who is attached does not stop
        terminal.press(key)
        terminal.prompt()
        assert "detached" in terminal.all()
        assert_terminal_as_before(terminal)
        assert process.poll() is None and process_state(process.pid) in "RS"


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_a_key_ends_waiting_for_a_program(terminal: Tmux, key: str) -> None:
    terminal.type([*PTMON, "--live", "--wait", "no-such-program"])
    terminal.seen(LIVE)
    terminal.seen("waiting for no-such-program")
    terminal.press(key)
    assert_terminal_as_before(terminal)


def test_a_log_that_has_moved_is_opened_anew_while_the_view_waits(terminal: Tmux, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = [*PTMON, "--live", f"--log={log}", "--wait", "no-such-program"]
    terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *words])
    terminal.seen("waiting for no-such-program")
    log.rename(tmp_path / "log.1")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGHUP)
    until(log.exists, "the new log")
    terminal.press("q")
    assert_terminal_as_before(terminal)


@pytest.mark.parametrize("how", [["-p", "{}"], ["--wait", "no-such-program"], ["--", "{target}"]])
def test_sigterm_to_ptmon_leaves_the_terminal_as_it_was(
    terminal: Tmux, targets: Targets, tmp_path: Path, how: list[str]
) -> None:
    with started([targets("onscreen")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        words = [word.format(process.pid, target=targets("onscreen")) for word in how]
        terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *tracing("--live"), *words])
        terminal.seen(LIVE)
        if how[0] == "--":
            terminal.seen(WRITES)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        assert_terminal_as_before(terminal)


def test_a_program_that_cannot_be_started_leaves_the_terminal_as_it_was(terminal: Tmux) -> None:
    terminal.type([*PTMON, "--live", "/no/such/program"])
    terminal.seen("ptmon: /no/such/program")
    assert_terminal_as_before(terminal)


def broken(patch: str, *words: str | Path) -> list[str | Path]:
    """ptmon with a fault in it, that Python code makes."""
    code = f"{patch}; import sys, ptmon.__main__ as main; sys.exit(main.start())"
    return [PTMON[0], "-c", code, *words]


def test_a_view_that_fails_ends_and_counting_goes_on(terminal: Tmux, targets: Targets, tmp_path: Path) -> None:
    patch = "from ptmon.live import picture; picture.table = lambda *words: 1 / 0"
    file = tmp_path / "report.json"
    terminal.type(broken(patch, "--live", "--format", "json", "-o", file, "--", targets("onscreen")))
    until(lambda: "the live view failed, counting goes on: ZeroDivisionError" in terminal.all(), "that it says so")
    terminal.press("C-c")
    assert_terminal_as_before(terminal)
    (told,) = re.findall(r'^\{"sent": .*\}$', terminal.all(), re.M)
    assert json.loads(file.read_text())["totals"]["sent"] == json.loads(told)["sent"] > 0


def test_a_ptmon_that_fails_half_way_leaves_the_terminal_as_it_was(terminal: Tmux, targets: Targets) -> None:
    patch = "from ptmon.session import Session; Session._result = lambda *words: 1 / 0"
    terminal.type(broken(patch, "--live", targets("onscreen"), "100"))
    terminal.seen(WRITES)
    terminal.seen("ZeroDivisionError")
    assert_terminal_as_before(terminal)
    assert terminal.all().count(WRITES) == 100


def test_the_end_of_the_terminal_is_the_end_of_all(terminal: Tmux, targets: Targets, tmp_path: Path) -> None:
    terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    pid = int((tmp_path / "pid").read_text())
    terminal.run("kill-pane")
    until(lambda: process_state(pid) in ("", "Z"), "ptmon's end")


def test_ptmon_that_is_killed_by_the_kernel_takes_its_program_along(
    terminal: Tmux, targets: Targets, tmp_path: Path
) -> None:
    """Nobody can give the terminal back then, but nothing runs on unseen."""
    terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    until(lambda: process_state(pid) in ("", "Z"), "ptmon's end")
