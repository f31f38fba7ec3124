# SPDX-License-Identifier: GPL-2.0-or-later
"""The command ``ptmon`` itself, an executable that becomes Python: what it hands on to a program that it starts."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import DEADLINE, Targets, process_state, started, until

COMMAND = os.path.join(sysconfig.get_path("scripts"), "ptmon")
SIGNALS = range(1, 65)
SYSCALLS = {"x86_64": (13, 14), "aarch64": (134, 135)}
"""rt_sigaction, rt_sigprocmask: the C library's functions leave two signals out, which are its own."""
# By the bits of its number each signal differs from each other one in one of these sets.
SETS = {
    "none": frozenset[int](),
    "all": frozenset(SIGNALS),
    **{f"bit {bit}": frozenset(number for number in SIGNALS if number >> bit & 1) for bit in range(7)},
}


def leave(ignored: frozenset[int], blocked: frozenset[int]) -> Callable[[], None]:
    """What a parent does to its child's signals before it executes it."""
    action, mask = SYSCALLS[os.uname().machine]
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        for number in SIGNALS:
            words = (ctypes.c_ulong * 4)(int(number in ignored))  # SIG_IGN is 1, SIG_DFL 0
            libc.syscall(action, number, words, None, 8)
        bits = ctypes.c_uint64(sum(1 << (number - 1) for number in blocked))
        libc.syscall(mask, signal.SIG_SETMASK, ctypes.byref(bits), None, 8)

    return prepare


@pytest.mark.parametrize("options", [[], ["--log=log"], ["--engine", "reference"]])
@pytest.mark.parametrize("name", SETS)
def test_every_signal_that_the_parent_ignores_or_blocks_reaches_the_program_as_without_ptmon(
    tmp_path: Path, name: str, options: list[str]
) -> None:
    if "reference" in options and name != "bit 0":
        pytest.skip("one set is enough for it")
    ignored, blocked = SETS[name], frozenset(SIGNALS) - SETS[name]
    if "reference" in options:
        ignored, blocked = ignored - {32, 33}, blocked - {32, 33}  # the C library's own: Python can't touch them
    prepare = leave(ignored, blocked)
    told = []
    for prefix in ([], [COMMAND, "-o", "r.json", *options, "--"]):
        words = [*prefix, "cat", "/proc/self/status"]
        done = subprocess.run(words, preexec_fn=prepare, cwd=tmp_path, capture_output=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stderr
        told.append([line for line in done.stdout.decode().splitlines() if line.startswith(("SigB", "SigI", "SigC"))])
    assert told[1] == told[0]
    possible = ignored - {signal.SIGKILL, signal.SIGSTOP}
    assert f"SigIgn:\t{sum(1 << (number - 1) for number in possible):016x}" in told[0]


def test_a_writer_that_ignores_sigpipe_lives_under_ptmon(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gone")
    # Its reader is gone once the fd 4 is closed.
    write = 'exec 4<>gone 5>gone 4<&-; printf x >&5; echo "lives $?"'
    words = ["sh", "-c", 'trap "" PIPE; exec "$@"', "sh", COMMAND, "-q", "sh", "-c", write]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, cwd=tmp_path)
    assert done.stdout == "lives 1\n"
    done = subprocess.run(words[4:], capture_output=True, text=True, timeout=DEADLINE, cwd=tmp_path)
    assert done.returncode == -signal.SIGPIPE


def test_the_environment_is_the_same_to_the_byte(targets: Targets, tmp_path: Path) -> None:
    surroundings = targets("surroundings")
    told = []
    for prefix in ([], [COMMAND, "-q", "--"]):
        words = [str(surroundings), "odd_env", *prefix, "/bin/cat", "/proc/self/environ"]
        done = subprocess.run(words, capture_output=True, timeout=DEADLINE, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout)
    assert told[1] == told[0]
    assert b"BYTES=\xff\xfe" in told[0]


def test_arguments_and_the_exit_status_are_passed_on() -> None:
    script = 'printf "%s\\n" "$@"; exit 7'
    words = [COMMAND, "-q", "sh", "-c", script, "sh", "--ignored-signals=7", "", "a b", os.fsdecode(b"\xff")]
    done = subprocess.run(words, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 7
    assert done.stdout == b"--ignored-signals=7\n\na b\n\xff\n"
    done = subprocess.run([COMMAND, "-q", "sh", "-c", "kill -9 $$"], capture_output=True, timeout=DEADLINE)
    assert done.returncode == -signal.SIGKILL


def test_it_is_found_through_links_and_stays_one_process_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(COMMAND)
    (tmp_path / "name").symlink_to(tmp_path / "other")
    with started(["sleep", "1000"]) as victim, started([tmp_path / "name", "-q", "-p", str(victim.pid)]) as ptmon:
        tracer = Path(f"/proc/{victim.pid}/status")
        until(lambda: f"TracerPid:\t{ptmon.pid}\n" in tracer.read_text(), "the attach")
        assert Path(f"/proc/{ptmon.pid}/comm").read_text() == "ptmon\n"
        ptmon.send_signal(signal.SIGINT)
        assert ptmon.wait(DEADLINE) == 0
        until(lambda: process_state(victim.pid) == "S", "the sleep")  # let go, it runs for a moment


def test_files_in_the_current_folder_are_no_modules_of_ptmon(tmp_path: Path) -> None:
    for name in ("json.py", "ptmon.py", "socket.py"):
        (tmp_path / name).write_text("raise SystemExit('taken from here')\n")
    done = subprocess.run([COMMAND, "-q", "echo", "fine"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")


def test_without_its_script_it_says_so_in_one_line(tmp_path: Path) -> None:
    shutil.copy(COMMAND, tmp_path / "ptmon")
    done = subprocess.run([tmp_path / "ptmon", "true"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ptmon: cannot start {tmp_path}/ptmon-start: No such file or directory")
    assert "python3 -m ptmon" in line


def test_a_folder_of_a_hostile_name_does_not_speak_to_the_terminal(tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[2J\r"
    folder.mkdir()
    shutil.copy(COMMAND, folder)
    done = subprocess.run([folder / "ptmon", "true"], capture_output=True, timeout=DEADLINE)
    assert done.returncode == 125
    assert done.stderr.startswith(f"ptmon: cannot start {tmp_path}/?[2J?/ptmon-start: No such file".encode())


def test_a_folder_with_a_space_and_its_script_is_enough(tmp_path: Path) -> None:
    """As ``pip install --target`` makes it: no python beside. In its first line pip names the one it ran with."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    shutil.copy(COMMAND, folder / "ptmon")
    code = f"#!{sys.executable}\nimport sys\nfrom ptmon.__main__ import started\nsys.exit(started())\n"
    (folder / "ptmon-start").write_text(code)
    (folder / "ptmon-start").chmod(0o755)
    done = subprocess.run([folder / "ptmon", "--version"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.stdout.startswith("ptmon ")
    assert done.returncode == 0
