# SPDX-License-Identifier: GPL-2.0-or-later
"""What fails is said in one line, and the exit status tells whose failure it was."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from ptmon.options import TABLE
from tests.hazards import Unprivileged
from tests.support import DEADLINE, PTMON, Targets, started

REPORTED = 131
"""Bytes that the target sends."""
NAME = "ptmon-test-script"


def run(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PTMON, *words], capture_output=True, text=True, timeout=DEADLINE, **keywords)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    (line,) = done.stderr.splitlines()
    assert line.startswith("ptmon: ")
    assert done.stdout == ""
    return line


@pytest.mark.parametrize("name", ["/nonexistent/program", "no-such-program-in-path", "/etc/passwd/x"])
def test_a_program_that_is_not_found(name: str) -> None:
    done = run("--", name, env={**os.environ, "PATH": "/usr/bin:/bin"})
    assert done.returncode == (127 if name != "/etc/passwd/x" else 126)
    assert name in one_line(done)


def script(folder: Path, text: str, mode: int = 0o755) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / NAME
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("what", ["file", "directory", "fifo"])
def test_what_is_not_executable(tmp_path: Path, what: str) -> None:
    path = tmp_path / "thing"
    if what == "file":
        path.write_text("#!/bin/sh\n")
    elif what == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    done = run("--", path)
    assert done.returncode == 126
    assert str(path) in one_line(done)


def test_a_missing_interpreter(tmp_path: Path) -> None:
    done = run("--", script(tmp_path, "#!/nonexistent/interpreter\n"))
    assert done.returncode == 127
    assert str(tmp_path / NAME) in one_line(done)


def test_a_script_without_an_interpreter_line_runs_in_the_shell(tmp_path: Path) -> None:
    path = script(tmp_path, 'echo "$# $1 $2"; exit 5\n')
    plain = subprocess.run(["env", path, "a b", "c"], capture_output=True, text=True)
    done = run("-q", "--", path, "a b", "c")
    assert (done.returncode, done.stdout, done.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert (plain.returncode, plain.stdout) == (5, "2 a b c\n")


def test_path_is_searched_as_execvp_does(tmp_path: Path) -> None:
    script(tmp_path / "forbidden", "#!/bin/sh\necho forbidden\n", 0o644)
    (tmp_path / "directory" / NAME).mkdir(parents=True)
    found = script(tmp_path / "found", "#!/bin/sh\necho found\n")
    folders = [tmp_path / name for name in ("missing", "forbidden", "directory", "found")]
    environment = {**os.environ, "PATH": ":".join(map(str, [*folders, "/usr/bin", "/bin"]))}
    done = run("-q", "--", NAME, env=environment)
    assert (done.returncode, done.stdout) == (0, "found\n")
    found.unlink()
    assert run("--", NAME, env=environment).returncode == 126


def test_an_empty_path_entry_is_the_current_directory(tmp_path: Path) -> None:
    script(tmp_path, "#!/bin/sh\necho here\n")
    done = run("-q", "--", NAME, cwd=tmp_path, env={**os.environ, "PATH": "/usr/bin:/bin:"})
    assert (done.returncode, done.stdout) == (0, "here\n")


@pytest.mark.parametrize(
    "words",
    [
        ["--no-such-option"],
        ["--interval", "0", "true"],
        ["--interval", "x", "true"],
        ["--format", "xml", "true"],
        ["--max-sockets", "-1", "true"],
        ["-o"],
        ["--attach", "1", "--", "true"],
        [],
    ],
)
def test_a_wrong_command_line_is_status_2(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ptmon: ")
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_said_and_nothing_is_lost(targets: Targets) -> None:
    done = run("--format", "json", "-o", "/dev/full", "--", "sh", "-c", f"{targets('processes')} lineage; exit 7")
    assert done.returncode == 7
    line, text = done.stderr.split("\n", 1)
    assert line.startswith("ptmon: ")
    assert "/dev/full" in line
    assert "No space left on device" in line
    assert json.loads(text)["totals"]["sent"] == REPORTED


def test_a_full_disk_is_said_though_quiet(targets: Targets) -> None:
    done = run("-q", "--format", "json", "-o", "/dev/full", "--", targets("processes"), "lineage")
    assert done.returncode == 0
    line, text = done.stderr.split("\n", 1)
    assert "No space left on device" in line
    assert json.loads(text)["totals"]["sent"] == REPORTED


@pytest.mark.parametrize("name", ["missing/report.json", "missing/%p.json", "file/report.json", "."])
def test_a_report_that_cannot_be_written_is_said_before_the_program_starts(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    done = run("-o", tmp_path / name, "--", "touch", tmp_path / "started")
    assert done.returncode == 125
    assert str(tmp_path) in one_line(done)
    assert not (tmp_path / "started").exists()


def test_no_report_is_left_where_the_program_was_not_found(tmp_path: Path) -> None:
    assert run("-o", tmp_path / "r.json", "--", "/nonexistent").returncode == 127
    assert not (tmp_path / "r.json").exists()


def test_help_and_version_go_to_stdout() -> None:
    helped = run("--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    for option in ("--attach", "--only", "--no-follow", "--duration", "--max-sockets", "--interval", "-o", "--seccomp"):
        assert option in helped.stdout
    assert all(len(line) <= 80 for line in helped.stdout.splitlines())
    version = run("--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert re.fullmatch(r"ptmon \d+\.\d+\S*\n", version.stdout)


def test_help_to_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PTMON, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    (line,) = done.stderr.splitlines()
    assert line.startswith("ptmon: ")


def test_a_program_in_a_folder_that_may_not_be_searched_is_not_executable(nobody: Unprivileged) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        closed = Path(folder) / "closed"
        closed.mkdir()
        shutil.copy("/bin/true", closed / "true")
        os.chmod(folder, 0o755)
        closed.chmod(0o000)
        done = run("--", closed / "true", **nobody.keywords)
        closed.chmod(0o700)
    assert done.returncode == 126
    assert "EACCES" in one_line(done)


def test_a_report_to_a_fifo_that_nobody_reads_is_refused_before_the_program_starts(tmp_path: Path) -> None:
    fifo, begun = tmp_path / "fifo", tmp_path / "begun"
    os.mkfifo(fifo)
    done = run("-o", fifo, "--", "/bin/sh", "-c", f": >{begun}")
    assert done.returncode == 125
    assert "nobody reads this FIFO" in one_line(done)
    assert not begun.exists()


def test_a_report_to_a_fifo_reaches_its_reader(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
        done = run("--format", "json", "-o", fifo, "--", "/bin/true")
        assert done.returncode == 0, done.stderr
        assert json.loads(reader.communicate(timeout=DEADLINE)[0])["exit"] == {"code": 0, "signal": None}


@pytest.mark.parametrize("words", [("--deny", "\x1b[31mred"), ("--hooks", "/nonexistent/\x1b[31mred")])
def test_a_wrong_word_does_not_speak_to_the_terminal(words: tuple[str, str]) -> None:
    done = run(*words, "--", "/bin/true")
    assert done.returncode == 2
    assert "\x1b" not in one_line(done) and "\\x1b[31mred" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--atach", "1"], "there is no option --atach; did you mean --attach?"),
        (["--zzz"], "there is no option --zzz"),
        (["-o", "r.xml", "true"], "'r.xml' names a format that ptmon does not write"),
    ],
)
def test_what_is_mistyped_is_told_with_what_may_be_meant(tmp_path: Path, words: list[str], told: str) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert told in one_line(done)
    assert os.listdir(tmp_path) == []


def test_a_value_that_wants_an_equals_sign_is_no_program(tmp_path: Path) -> None:
    surroundings = {**os.environ, "PATH": "/usr/bin:/bin"}
    done = run("--log", "x.log", "true", cwd=tmp_path, env=surroundings)
    assert done.returncode == 127
    assert one_line(done).endswith("; did you mean --log=x.log?")
    assert "did you mean" not in run("--log=y", "x.log", "--log", "z", cwd=tmp_path, env=surroundings).stderr


HOSTILE = "\x1b]0;owned\x07\r\x9b2J\u202e"
"""Would set a terminal's title, and clear it."""


def harmless(words: list[str], folder: Path) -> str:
    """What ptmon says, in which nothing moves a cursor. (Text mode would take a CR for a newline.)"""
    with started([*PTMON, *words], cwd=folder, text=False) as ptmon:
        assert ptmon.stderr is not None
        said: Any = b""
        if words[0].startswith("--wait"):
            said = ptmon.stderr.readline()
            if b"waiting for" in said:
                ptmon.send_signal(signal.SIGINT)
        rest: Any = ptmon.communicate(timeout=DEADLINE)[1]
    text = (said + rest).decode()
    assert all(letter.isprintable() or letter == "\n" for letter in text), text
    return str(text)


@pytest.mark.parametrize("flag", [option.flags[0] for option in TABLE if option.metavar])
def test_no_options_value_speaks_to_the_terminal(tmp_path: Path, flag: str) -> None:
    value = f"{flag}={HOSTILE}" if flag.startswith("--") else f"{flag}{HOSTILE}"
    for word in (value, f"{value}/x/y", f"{value}:1"):
        said = harmless([word] if flag in ("--wait", "--attach") else [word, "--", "true"], tmp_path)
        assert said.startswith("ptmon: ") or flag == "-o"  # that file can be written


def test_no_programs_name_speaks_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / HOSTILE).write_text("#!/missing/interpreter\n")
    for mode in (0o644, 0o755):
        (tmp_path / HOSTILE).chmod(mode)
        for name in (HOSTILE, f"./{HOSTILE}", f"./{HOSTILE}x"):
            assert "owned" in harmless(["--", name], tmp_path)


def test_a_log_and_a_report_that_fail_name_their_files_without_control_characters(tmp_path: Path) -> None:
    (tmp_path / HOSTILE).symlink_to("/dev/full")
    for option in (f"--log={HOSTILE}", f"-o{HOSTILE}"):
        assert "owned\\x07\\x0d\\x9b2J\\u202e: ENOSPC" in harmless([option, "--", "true"], tmp_path)
