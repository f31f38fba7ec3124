# SPDX-License-Identifier: GPL-2.0-or-later
"""--log=FILE where the file is moved away, or emptied, meanwhile: what logrotate does. And what SIGHUP does else."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any

import pytest

from tests.attaching import Busy, assert_free, attached, busy, held_by, words_to_attach
from tests.counting import only_child
from tests.integration.test_log import assert_agree, documents
from tests.support import DEADLINE, Targets, started, tracing, until

ENGINES = pytest.mark.parametrize("engine", ["native", "reference"])
SHELL = "set -m; trap 'kill -HUP $!; exit' HUP; \"$@\" & echo started; wait"
"""A shell with jobs that passes SIGHUP on to them, as an interactive one does."""


@pytest.fixture
def target(targets: Targets) -> Iterator[Busy]:
    with busy(targets("busy")) as process:
        yield process


def options(folder: Path) -> list[str]:
    return [f"--log={folder / 'events'}", "--log-format", "jsonl"]


def has_lines(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def test_a_log_that_was_moved_away_is_followed_by_a_new_one_of_its_name(target: Busy, tmp_path: Path) -> None:
    log = tmp_path / "events"
    with attached(target.pid, tmp_path / "report", *options(tmp_path)) as ptmon:
        target.ask("go")
        for number in range(5):
            log.rename(tmp_path / f"events.{number}")
            ptmon.tracer.send_signal(signal.SIGHUP)
            until(lambda: has_lines(log), "the new file")
        target.ask("pause")
        ptmon.detach()
    parts = [*(tmp_path / f"events.{number}" for number in range(5)), log]
    events: list[dict[str, Any]] = documents("".join(part.read_text() for part in parts))
    assert_agree(events, ptmon.report)
    assert all(part.read_text().endswith("\n") for part in parts)
    assert ptmon.report["totals"]["sent"] > 0
    moments = [event["t"] for event in events[1:]]
    assert moments == sorted(moments)


def test_the_reference_engine_opens_its_log_anew_too(targets: Targets, tmp_path: Path) -> None:
    log = tmp_path / "events"
    with started([targets("chatter"), "1000", "wait"], stdin=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with attached(process.pid, tmp_path / "report", "--engine", "reference", *options(tmp_path)) as ptmon:
            log.rename(tmp_path / "old")
            ptmon.tracer.send_signal(signal.SIGHUP)
            until(log.exists, "the new file")
            ptmon.detach()
    assert json.loads((tmp_path / "old").read_text().splitlines()[0])["schema"] == "ptmon.event/1"


def test_a_log_that_cannot_be_opened_anew_goes_on_in_the_old_file(target: Busy, tmp_path: Path) -> None:
    folder, moved = tmp_path / "logs", tmp_path / "moved"
    folder.mkdir()
    with attached(target.pid, tmp_path / "report", *options(folder)) as ptmon:
        target.transfer()
        folder.rename(moved)
        ptmon.tracer.send_signal(signal.SIGHUP)
        assert ptmon.tracer.stderr is not None
        said = ptmon.tracer.stderr.readline()
        target.transfer()
        ptmon.detach()
    assert said == (
        f"ptmon: cannot open the log {folder / 'events'} anew: ENOENT: No such file or directory;"
        " it goes on in the old file\n"
    )
    assert_agree(documents((moved / "events").read_text()), ptmon.report)


def test_without_a_log_in_a_file_a_hangup_ends_an_attach(target: Busy, tmp_path: Path) -> None:
    with attached(target.pid, tmp_path / "report", "--log") as ptmon:
        ptmon.detach(signal.SIGHUP)
    assert_free(target.pid)


@ENGINES
@pytest.mark.parametrize("logged", [False, True])
def test_under_nohup_no_hangup_ends_an_attach(targets: Targets, tmp_path: Path, engine: str, logged: bool) -> None:
    with started([targets("chatter"), "1000", "wait"], stdin=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        more = ["--engine", engine, "--interval", "0.1", *(options(tmp_path) if logged else [])]
        words = words_to_attach(process.pid, tmp_path / "report", *more)
        said = tmp_path / ("events" if logged else "stderr")
        with (
            open(tmp_path / "stderr", "w") as errors,
            started(["nohup", *words], stdin=DEVNULL, stderr=errors) as ptmon,
        ):
            until(lambda: held_by(process.pid, ptmon.pid, "S"), "ptmon to hold it")
            ptmon.send_signal(signal.SIGHUP)
            until(lambda: not hangs(ptmon.pid), "the signal to be taken")
            lines = said.read_text().count("\n")
            until(lambda: said.read_text().count("\n") > lines + 3, "later lines of --interval")
            ptmon.send_signal(signal.SIGINT)
            assert ptmon.wait(DEADLINE) == 0


def hangs(pid: int) -> bool:
    """Whether a SIGHUP to the process is pending."""
    status = Path(f"/proc/{pid}/status").read_text()
    (pending,) = [line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:")]
    return bool(int(pending, 16) >> (signal.SIGHUP - 1) & 1)


@contextmanager
def on_terminal(words: list[str]) -> Iterator[tuple[int, int]]:
    """A session with a terminal of its own: its leader's pid, and the terminal's other end. That is closed inside."""
    pid, master = os.forkpty()
    if not pid:
        try:
            os.execvp(words[0], words)
        finally:
            os._exit(127)
    try:
        yield pid, master
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_while_ptmon_waits_a_log_that_was_moved_away_is_opened_anew(targets: Targets, tmp_path: Path) -> None:
    log = tmp_path / "events"
    program = tmp_path / f"waited-{os.getpid()}"
    shutil.copy(targets("chatter"), program)
    with started(tracing("--wait", program.name, *options(tmp_path))) as ptmon:
        assert ptmon.stderr is not None
        assert "waiting for" in ptmon.stderr.readline()
        log.rename(tmp_path / "old")
        ptmon.send_signal(signal.SIGHUP)
        until(log.exists, "the new file")
        with started([program, "1000", "wait"], stdin=PIPE) as process:
            until(lambda: has_lines(log), "the attach")
            process.communicate(timeout=DEADLINE)
        assert ptmon.wait(DEADLINE) == 0
    assert (tmp_path / "old").read_text() == ""
    assert documents(log.read_text())[-1]["event"] == "exit"


def test_the_end_of_its_terminal_ends_an_attach_that_has_a_log(target: Busy, tmp_path: Path) -> None:
    words = words_to_attach(target.pid, tmp_path / "report", *options(tmp_path))
    with on_terminal(words) as (pid, master):
        until(lambda: held_by(target.pid, pid, "S"), "ptmon to hold it")
        os.close(master)
        until(lambda: has_lines(tmp_path / "report"), "the report")
        assert_free(target.pid)


def test_a_shell_that_passes_the_end_of_its_terminal_on_ends_an_attach(target: Busy, tmp_path: Path) -> None:
    words = words_to_attach(target.pid, tmp_path / "report", *options(tmp_path))
    with on_terminal(["bash", "-c", SHELL, "sh", *words]) as (shell, master):
        assert b"started" in os.read(master, 100)
        until(lambda: held_by(target.pid, only_child(shell), "S"), "ptmon to hold it")
        os.close(master)
        until(lambda: has_lines(tmp_path / "report"), "the report")
        until(lambda: held_by(target.pid, 0, "S"), "the end of the attach")


def test_a_launched_programs_log_can_be_copied_and_emptied(targets: Targets, tmp_path: Path) -> None:
    log, copies = tmp_path / "events", []
    words = tracing(
        *options(tmp_path), "--format", "json", "-o", tmp_path / "report", targets("chatter"), "1000", "wait"
    )
    with started(words, stdin=PIPE) as ptmon:
        assert ptmon.stdout is not None
        ptmon.stdout.readline()
        until(lambda: log.read_text().count('"receive"') == 1000, "the last event")
        copies.append(log.read_text())  # logrotate's copytruncate, while nothing comes
        os.truncate(log, 0)
        ptmon.communicate(timeout=DEADLINE)
        assert ptmon.returncode == 0
    copies.append(log.read_text())
    assert copies[1].startswith("{")  # and not with a hole as long as the old file
    assert_agree(documents("".join(copies)), json.loads((tmp_path / "report").read_text()))


def test_a_launched_program_gets_the_hangup_that_is_sent_to_ptmon(targets: Targets, tmp_path: Path) -> None:
    words = tracing(*options(tmp_path), "-q", targets("chatter"), "1000", "wait")
    with started(words, stdin=PIPE) as ptmon:
        assert ptmon.stdout is not None
        ptmon.stdout.readline()
        ptmon.send_signal(signal.SIGHUP)
        assert ptmon.wait(DEADLINE) == -signal.SIGHUP
