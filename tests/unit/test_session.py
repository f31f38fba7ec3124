# SPDX-License-Identifier: GPL-2.0-or-later
"""The main path, with an engine that tells what the test made up."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ptmon import cli, engines
from ptmon.engines import EngineSettings
from ptmon.errors import EXIT_NOT_FOUND, EXIT_OWN, AttachError, LaunchError, Step
from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs import Output, SilentOutput
from ptmon.records import Record
from ptmon.report import Header, Report
from ptmon.session import Session, utc
from tests.support import started
from tests.unit.build import ROOT, FakeEngine, close, executes, exits, received, sent, server, tcp
from tests.unit.schema import validator

LAUNCH = EngineSettings(command=("./server.out",))


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    monkeypatch.setitem(engines.ENGINES, "native", ("tests.unit.build", "FakeEngine"))
    monkeypatch.setattr(FakeEngine, "script", [(0.1, server())])
    monkeypatch.setattr(FakeEngine, "failure", None)
    return FakeEngine


class Recorder(SilentOutput):
    """Remembers what it was told."""

    def __init__(self, wants_events: bool = True) -> None:
        self.wants_events = wants_events
        self.events: list[Event] = []
        self.snapshots: list[Snapshot] = []
        self.reports: list[Report] = []
        self.pids: list[int] = []
        self.entered = 0

    def __enter__(self) -> Output:
        self.entered += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self.entered -= 1

    def start(self, header: Header) -> None:
        self.pids.append(header.root)

    def write(self, events: Sequence[Event]) -> None:
        assert self.wants_events
        self.events += events

    def snapshot(self, snapshot: Snapshot) -> None:
        self.snapshots.append(snapshot)

    def finish(self, report: Report) -> None:
        assert self.entered == 1
        self.reports.append(report)


def test_records_go_to_the_ledger_and_as_events_to_outputs_that_want_them(fake: type[FakeEngine]) -> None:
    keen, idle = Recorder(), Recorder(wants_events=False)
    report = Session(LAUNCH, [idle, keen]).run()
    assert [event.record for event in keen.events] == server()
    assert {event.name for event in keen.events[1:]} == {"server.out"}
    assert idle.events == []
    assert fake.settings.every_call
    assert keen.reports == idle.reports == [report]
    assert keen.pids == [ROOT]
    assert (report.totals.sent, report.header.mode, report.header.root) == (175, "launch", ROOT)
    assert report.header.ppid == os.getpid()
    assert (keen.entered, idle.entered) == (0, 0)


def test_a_report_needs_no_output_and_no_record_a_call(fake: type[FakeEngine]) -> None:
    assert Session(LAUNCH).run().totals.received == 175
    assert not fake.settings.every_call


def test_snapshots_come_at_the_interval_and_missed_ones_are_not_made_good(fake: type[FakeEngine]) -> None:
    fake.script = [(moment / 10, [sent(1)]) for moment in (1, 2, 3, 4, 5, 6, 14, 15, 16, 20, 21)]
    recorder = Recorder()
    Session(LAUNCH, [recorder], interval=0.5).run()
    assert [event.record for event in recorder.events if event.kind == "snapshot"] == recorder.snapshots
    assert [(shot.time, shot.totals.sent) for shot in recorder.snapshots] == [(0.5, 5), (1.4, 7), (1.5, 8), (2.0, 10)]


def test_after_the_duration_a_started_program_is_passed_on_uncounted(fake: type[FakeEngine]) -> None:
    start: list[Record] = [executes("server.out"), tcp(1), sent(5)]
    fake.script = [(0.1, start), (1.1, [sent(7)]), (1.2, [sent(100)]), (9.0, [exits(ROOT, 3)])]
    recorder = Recorder()
    session = Session(EngineSettings(command=("./server.out",), duration=1.0), [recorder], interval=0.5)
    report = session.run()
    assert recorder.reports == [report]
    assert (report.totals.sent, report.duration_s, report.exit) == (12, 1.1, None)
    assert session.exit is not None
    assert session.exit.code == 3
    assert recorder.snapshots == []


def test_what_goes_wrong_at_the_report_of_a_duration_is_raised_at_the_end(fake: type[FakeEngine]) -> None:
    class Failing(SilentOutput):
        def finish(self, report: Report) -> None:
            raise RuntimeError("full")

    fake.script = [(1.1, server()), (9.0, [exits(ROOT, 3)])]
    session = Session(EngineSettings(command=("./server.out",), duration=1.0), [Failing()])
    with pytest.raises(RuntimeError, match="full"):
        session.run()
    assert session.report is not None


def test_an_attach_takes_the_thread_group_and_has_no_exit(
    fake: type[FakeEngine], capfd: pytest.CaptureFixture[str]
) -> None:
    fake.script = [(0.1, [executes("sleep", attached=True, parent=1), tcp(1), received(3)])]
    with started(["sleep", "1000"]) as process:
        session = Session(EngineSettings(attach=(process.pid, process.pid)))
        report = session.run()
        assert fake.settings.attach == (process.pid,)
    assert (report.header.mode, report.command, report.exit, session.exit) == ("attach", ("sleep",), None, None)
    assert capfd.readouterr().err == ""


def test_a_failed_launch_is_explained(fake: type[FakeEngine], capfd: pytest.CaptureFixture[str]) -> None:
    fake.failure = LaunchError("nosuch", errno.ENOENT, Step.EXEC)
    assert cli.main(["nosuch"]) == EXIT_NOT_FOUND
    assert capfd.readouterr().err == "ptmon: nosuch: not found in PATH (ENOENT: No such file or directory)\n"


def test_a_failed_attach_is_explained(fake: type[FakeEngine], capfd: pytest.CaptureFixture[str]) -> None:
    with started(["sleep", "1000"]) as process:
        fake.failure = AttachError(process.pid, errno.ESRCH, Step.SEIZE)
        assert cli.main(["-p", str(process.pid)]) == EXIT_OWN
    assert f"process {process.pid}: it has just ended" in capfd.readouterr().err


def test_an_engine_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(engines.ENGINES, "native", ("ptmon.engines.nosuch", "Engine"))
    assert cli.main(["ls"]) == EXIT_OWN
    assert "the native engine cannot be loaded" in capfd.readouterr().err


def test_the_programs_exit_status_is_ptmons(fake: type[FakeEngine]) -> None:
    fake.script = [(0.1, [exits(ROOT, 42)])]
    assert cli.main(["-q", "ls"]) == 42


def test_an_attach_ends_with_0_whatever_becomes_of_the_target(fake: type[FakeEngine]) -> None:
    fake.script = [(0.1, [exits(ROOT, 42)])]
    with started(["sleep", "1000"]) as process:
        assert cli.main(["-q", "-p", str(process.pid)]) == 0


def test_a_program_whose_end_was_not_seen(fake: type[FakeEngine], capfd: pytest.CaptureFixture[str]) -> None:
    fake.script = [(0.1, [])]
    assert cli.main(["-q", "ls"]) == EXIT_OWN
    assert "exit status was not seen" in capfd.readouterr().err


def test_the_options_reach_the_engine(fake: type[FakeEngine]) -> None:
    options = "-q --only nginx --no-follow --no-io-uring --duration 3 --seccomp off --fast-after 7 ls -l"
    assert cli.main(options.split()) == 0
    assert fake.settings == EngineSettings(
        command=("ls", "-l"),
        lives=True,
        only="nginx",
        follow=False,
        io_uring=False,
        seccomp="off",
        fast=7,
        duration=3.0,
    )


def test_who_wants_no_fast_path_gets_none(fake: type[FakeEngine]) -> None:
    assert cli.main(["-q", "--fast", "off", "--fast-after", "7", "ls"]) == 0
    assert fake.settings.fast == 0


def test_the_report_is_json_in_a_file_whose_name_ends_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "%p.JSON"
    assert cli.main(["-o", str(file), "./server.out"]) == 0
    document = json.loads((tmp_path / f"{ROOT}.JSON").read_text())
    validator().validate(document)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "start"),
    [
        ([], "ptmon: ./server.out"),
        (["--format", "json"], '{"schema"'),
        (["--format", "csv"], "id,inode,"),
        (["-q"], ""),
    ],
)
def test_the_report_is_on_stderr(options: list[str], start: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*options, "./server.out"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(start)
    assert bool(err) == bool(start)


def test_a_quiet_run_writes_its_file_still(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-q", "-o", f"{tmp_path}/r.csv", "./server.out"]) == 0
    assert (tmp_path / "r.csv").read_text().startswith("id,inode,")
    assert capfd.readouterr().err == ""


def test_an_interval_says_the_totals(fake: type[FakeEngine], capfd: pytest.CaptureFixture[str]) -> None:
    fake.script = [(0.2, server()[:-1]), (1.5, [sent(5), close()]), (1.6, [exits()])]
    assert cli.main(["-q", "--interval", "1", "--units", "raw", "./server.out"]) == 0
    assert capfd.readouterr().err == (
        "ptmon: 1.50 s: sent 180 B (+180 B, 120 B/s), received 175 B (+175 B, 117 B/s), 1 process, 5 sockets\n"
    )


def test_a_file_that_cannot_be_written_keeps_the_program_from_starting(
    fake: type[FakeEngine], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "__enter__", lambda _self: pytest.fail("the engine was started"))
    assert cli.main(["-o", f"{tmp_path}/missing/r.json", "ls"]) == EXIT_OWN
    assert capfd.readouterr().err.startswith(f"ptmon: cannot write the report to {tmp_path}/missing/r.json: ENOENT")


def test_a_full_disk_keeps_the_programs_exit_status(fake: type[FakeEngine], capfd: pytest.CaptureFixture[str]) -> None:
    fake.script = [(0.1, [*server()[:-1], exits(ROOT, 7)])]
    assert cli.main(["--format", "json", "-o", "/dev/full", "./server.out"]) == 7
    said, report = capfd.readouterr().err.split("\n", 1)
    assert "ENOSPC" in said
    assert json.loads(report)["totals"]["sent"] == 175


def test_without_a_stderr_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert cli.main(["--interval", "0.01", "./server.out"]) == 0


def test_outputs_are_left_if_one_of_them_fails_to_start() -> None:
    first = Recorder()

    class Broken(SilentOutput):
        def __enter__(self) -> Output:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        Session(LAUNCH, [first, Broken()]).run()
    assert first.entered == 0


def test_a_usage_error_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--bogus"]) == 2
    assert capfd.readouterr().err == "ptmon: there is no option --bogus (see ptmon --help)\n"


def test_help_and_version_go_to_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert cli.main(["--version"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("usage: ptmon [OPTIONS]")
    assert out.splitlines()[-1].startswith("ptmon ")
    assert err == ""


def python(code: str) -> subprocess.CompletedProcess[str]:
    words = ["python", "-c", f"import sys, ptmon.cli as cli\n{code}"]
    return subprocess.run(words, executable=sys.executable, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("number", [2, 6, 9, 11, 13, 15])
def test_ptmon_dies_by_the_signal_that_killed_the_program(number: int) -> None:
    block = f"import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {{{number}}} - {{9}})"
    done = python(f"{block}\nsys.exit(cli.die_by({number}))")
    assert (done.returncode, done.stderr) == (-number, "")


def test_an_interrupt_has_no_traceback() -> None:
    done = python("def run(*_): raise KeyboardInterrupt\ncli.run = run\nsys.exit(cli.main(['ls']))")
    assert (done.returncode, done.stderr) == (-2, "")


def test_help_into_a_closed_pipe_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "ptmon", "--help"]
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_onto_a_full_disk_is_an_error_of_one_line() -> None:
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "ptmon", "--help"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == EXIT_OWN
    assert done.stderr == "ptmon: cannot write to stdout: ENOSPC: No space left on device\n"


@pytest.mark.parametrize("moment", [0.0, 1.9999996, 951782399.5, 1709210096.000001, 1790000000.123456, 4102444799.25])
def test_the_start_is_told_in_utc_with_microseconds(moment: float) -> None:
    assert utc(moment) == datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
