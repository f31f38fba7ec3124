# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs and reports in files that others write to as well, and a stderr that nobody reads."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support import DEADLINE, PTMON, started, until

PAIR = "import json, socket; a, b = socket.socketpair(); a.send(b'x' * 7); b.recv(7)"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("option", ["--log=", "-o"])
def test_a_file_that_is_stdout_or_stderr_too_keeps_what_others_write(tmp_path: Path, option: str, number: int) -> None:
    file = tmp_path / "file"
    stream = f"/dev/fd/{number}"
    with file.open("w") as out:
        streams = {"stdout": out} if number == 1 else {"stderr": out}
        words = [*PTMON, "-q", option + stream, "--", "sh", "-c", f"echo program >&{number}"]
        out.write("before\n")
        out.flush()
        done = subprocess.run(words, timeout=DEADLINE, **streams)  # type: ignore[call-overload]
        out.write("after\n")
    assert done.returncode == 0
    lines = file.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert lines.count("program") == 1
    assert len(lines) > 6 and "\0" not in file.read_text()


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_a_log_and_a_report_in_one_file_of_two_names_are_an_error(tmp_path: Path, link: object) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("kept\n")
    assert callable(link)
    link(other, one)
    words = [*PTMON, "-o", str(one), f"--log={other}", "--", "touch", str(tmp_path / "started")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2
    assert done.stderr == f"ptmon: -o {one} and --log={other} are the same file (see ptmon --help)\n"
    assert one.read_text() == "kept\n"
    assert not (tmp_path / "started").exists()


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """A pipe without room, and its reading end."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b"\n" * fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("options", [[], ["-q", "--log"]], ids=["report", "log"])
def test_after_the_duration_nobody_waits_for_a_stuck_reader_of_the_report(tmp_path: Path, options: list[str]) -> None:
    """The program goes on making calls that stop while the report finds no room; only ptmon's own end waits."""
    script = f"import time; end = time.monotonic() + 1.5\nwhile time.monotonic() < end:\n {PAIR}\nprint('done')"
    with full_pipe() as (reader, writer):
        words = [*PTMON, *options, "--duration", "0.5", "--", "python3", "-c", script]
        with started(words, stderr=writer) as tracer:
            assert tracer.stdout is not None
            assert tracer.stdout.readline() == "done\n"
            assert tracer.poll() is None  # that is still to be written
            os.set_blocking(reader, False)
            said = bytearray()

            def ended() -> bool:
                with suppress(BlockingIOError):
                    said.extend(os.read(reader, 65536))
                return tracer.poll() is not None

            until(ended, "the end of ptmon")
            ended()
    assert tracer.returncode == 0
    assert (b" exec " if options else b"still running") in said


def test_a_log_that_fails_does_not_hold_the_program_for_a_stuck_stderr(tmp_path: Path) -> None:
    with full_pipe() as (_, writer):
        words = [*PTMON, "-q", "--log=/dev/full", "--", "python3", "-c", f"{PAIR}; print('done')"]
        with started(words, stderr=writer) as tracer:
            assert tracer.stdout is not None
            assert tracer.stdout.readline() == "done\n"
