# SPDX-License-Identifier: GPL-2.0-or-later
"""--hooks: the program must not feel a hook that fails, is slow, or runs when a signal ends the program or ptmon."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.attaching import assert_free, attached
from tests.hazards import running
from tests.hooking import Hooked, hooks_file, run_hooked, told
from tests.support import DEADLINE, PTMON, Targets, run_plain, started, until


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    """``hooked(text, program, arg...)`` runs a program with the hooks in ``text``."""
    return partial(run_hooked, tmp_path)


def test_a_hook_that_raises_is_told_of_once_and_the_program_runs_as_without_it(
    hooked: Hooked, targets: Targets, tmp_path: Path
) -> None:
    text = """
@ptmon.hook("getppid", when="return")
def broken(call):
    tell(result=call.result)
    return 1 / 0
"""
    outcome = hooked(text, targets("callers"), "4", "50")
    assert (outcome.returncode, outcome.stdout) == (0, "200 0\n")
    assert len(told(tmp_path)) == 1, "it is not called again"
    assert outcome.stderr.startswith("ptmon: hook broken failed at the return of getppid in process ")
    assert outcome.stderr.count("Traceback") == 1
    assert "return 1 / 0" in outcome.stderr and outcome.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_what_a_hook_raises_does_not_speak_to_the_terminal(hooked: Hooked, targets: Targets) -> None:
    text = "@ptmon.hook('getppid')\ndef broken(call):\n    raise ValueError('\\x1b[2J\\nand \\r\\x9b')\n"
    outcome = hooked(text, targets("callers"), "4", "50")
    assert outcome.stderr.endswith("ValueError: \\x1b[2J\nand \\x0d\\x9b\n")
    assert all(letter.isprintable() or letter == "\n" for letter in outcome.stderr)


@pytest.mark.parametrize(
    "what",
    ["raise SystemExit(9)", "return ptmon.Return", "return 7", "return ptmon.Deny('EFOO')", "return ptmon.Deny(1.0)"],
)
def test_a_hook_that_answers_nonsense_or_wants_to_end_ptmon_harms_no_program(
    hooked: Hooked, targets: Targets, what: str
) -> None:
    outcome = hooked(f"@ptmon.hook('getppid')\ndef broken(call):\n    {what}\n", targets("callers"), "4", "50")
    assert (outcome.returncode, outcome.stdout) == (0, "200 0\n")
    assert outcome.stderr.count("ptmon: hook broken failed at the entry of getppid") == 1


def test_the_users_interrupt_in_a_hook_ends_ptmon_and_leaves_the_program_to_its_end(
    hooked: Hooked, targets: Targets
) -> None:
    text = "@ptmon.hook('getppid')\ndef interrupted(call):\n    raise KeyboardInterrupt\n"
    outcome = hooked(text, targets("callers"), "4", "50")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (-signal.SIGINT, "200 0\n", "")


def test_a_slow_hook_of_one_thread_breaks_no_other(hooked: Hooked, targets: Targets, tmp_path: Path) -> None:
    text = """
import time
@ptmon.hook("getpgid", when="entry")
def slow(call):
    time.sleep(0.02)
    tell(tid=call.tid)
"""
    outcome = hooked(text, targets("callers"), "8", "20", "other")
    assert (outcome.returncode, outcome.stdout) == (0, "140 20\n")
    assert len(told(tmp_path)) == 20


WAITING = """
first = []
@ptmon.hook("getppid")
def waiting(call):
    if not first:
        first.append(call)
        tell(pid=call.pid, tid=call.tid)
        with open(HERE + "/fifo") as file:
            file.read()
        tell(text=call.text)
"""


def test_a_program_that_is_killed_while_its_hook_runs_ends(targets: Targets, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    words: list[str | Path] = [*PTMON, "--hooks", hooks_file(tmp_path, WAITING), "--", targets("callers"), "2", "10"]
    with started(words) as ptmon:
        until(lambda: told(tmp_path), "the hook to run")
        (row,) = told(tmp_path)
        os.kill(row["pid"], signal.SIGKILL)
        until(lambda: is_dying(row["pid"], row["tid"]), "the held thread to leave its stop")
        with open(tmp_path / "fifo", "w"):
            pass
        errors = ptmon.communicate(timeout=DEADLINE)[1]
        assert ptmon.returncode == -signal.SIGKILL, errors
    assert "Traceback" not in errors
    assert [row for row in told(tmp_path) if "text" in row] != []


def is_dying(pid: int, tid: int) -> bool:
    """Whether a signal ends this thread: PF_SIGNALED in its flags (proc(5), include/linux/sched.h)."""
    fields = Path(f"/proc/{pid}/task/{tid}/stat").read_text().rpartition(")")[2].split()
    return bool(int(fields[6]) & 0x400)


def test_ptmon_killed_while_a_hook_runs_takes_a_launched_program_along(targets: Targets, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    words: list[str | Path] = [*PTMON, "--hooks", hooks_file(tmp_path, WAITING), "--", targets("callers"), "2", "10"]
    with started(words) as ptmon:
        until(lambda: told(tmp_path), "the hook to run")
        ptmon.kill()
        ptmon.communicate(timeout=DEADLINE)
    until(lambda: not running(targets("callers")), "the program's end")


def test_a_detach_asked_for_while_a_hook_runs_frees_the_process(targets: Targets, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    hooks = str(hooks_file(tmp_path, WAITING))
    with started([targets("callers"), "2", "100000000"]) as process:
        with attached(process.pid, tmp_path / "r.json", "--hooks", hooks, states="StR") as ptmon:
            until(lambda: told(tmp_path), "the hook to run")
            ptmon.tracer.send_signal(signal.SIGINT)
            with open(tmp_path / "fifo", "w"):
                pass
            ptmon.finish()
        assert_free(process.pid)
        assert process.poll() is None
    assert ptmon.report["exit"] is None and ptmon.report["complete"]


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (None, 2, "cannot read the hooks in {path}: ENOENT: No such file or directory (see ptmon --help)"),
        ("", 2, 'there is no hook in {path}: mark a function with @ptmon.hook("execve") (see ptmon --help)'),
        ("x = (\n", 125, "cannot run the hooks in {path}:1: '(' was never closed"),
        ("import ptmon\n1 / 0\n", 125, "cannot run the hooks in {path}:2: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_is_no_use_is_an_error_before_the_program_starts(
    tmp_path: Path, text: str | None, status: int, said: str
) -> None:
    path, witness = tmp_path / "mine.py", tmp_path / "started"
    if text is not None:
        path.write_text(text)
    done = run_plain(*PTMON, "--hooks", path, "--", "touch", witness)
    assert (done.returncode, done.stderr) == (status, f"ptmon: {said.format(path=path)}\n")
    assert not witness.exists()


def test_programs_that_a_hook_starts_are_its_own(hooked: Hooked, targets: Targets, tmp_path: Path) -> None:
    """One ends while ptmon waits for tracees: it must be the hook that learns its status."""
    text = """
import subprocess
begun = []
@ptmon.hook("getppid", when="entry")
def starting(call):
    begun.append(call.tid)
    if len(begun) == 1:
        begun[0] = subprocess.Popen(["sh", "-c", "exit 3"])
        tell(run=subprocess.run(["sh", "-c", "exit 5"]).returncode)
    elif len(begun) == 200:
        tell(status=begun[0].wait())
"""
    outcome = hooked(text, targets("callers"), "4", "50")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "200 0\n", "")
    assert told(tmp_path) == [{"run": 5}, {"status": 3}]


def test_a_thread_is_served_beside_others_that_are_held_all_the_time(hooked: Hooked) -> None:
    """The kernel reports the newest thread's stop first: the oldest must not wait for ever."""
    text = "import time\n@ptmon.hook('getppid')\ndef slow(call):\n    time.sleep(0.002)\n"
    code = (
        "import ctypes, os, threading\n"
        "call = ctypes.CDLL(None).getppid\n"  # other than os.getppid it lets the other threads run
        "def spin():\n    while True: call()\n"
        "for _ in range(6): threading.Thread(target=spin, daemon=True).start()\n"
        "for _ in range(20): call()\n"
        "os._exit(7)\n"
    )
    # As a grandchild: the kernel reports ptmon's own child before all others.
    outcome = hooked(text, "/bin/sh", "-c", f"{sys.executable} -c '{code}'; exit $?")
    assert outcome.returncode == 7
