# SPDX-License-Identifier: GPL-2.0-or-later
"""--record and --replay: what is told later of a run is what was told of it then."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ptmon.recording import FRAME, MAGIC
from tests.support import DEADLINE, PTMON, Targets, started, status_field, until

FORMS = ("report.json", "report.csv", "page.html", "events.jsonl", "events.text", "summary")
RUNS = 200
"""Recordings of each kind that are damaged."""


def ptmon(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PTMON, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
        **keywords,
    )


def outputs(folder: Path, form: str) -> list[str]:
    """Options that write the form to a file of that name in the folder."""
    folder.mkdir(exist_ok=True)
    path = str(folder / form)
    if form.startswith("events"):
        return ["-q", f"--log={path}", "--log-format", form.partition(".")[2]]
    if form.startswith("page"):
        return ["-q", "--html", path]
    return ["-o", path]


class Recorded:
    """A run that was recorded, and what was told of it at the same time."""

    def __init__(self, folder: Path, *command: str | Path, options: Sequence[str] = ()) -> None:
        self.folder = folder
        self.file = folder / "recording"
        also = [*outputs(folder / "then", "report.json"), *outputs(folder / "then", "events.jsonl")[1:]]
        also += outputs(folder / "then", "page.html")[1:]
        self.done = ptmon("--record", self.file, *also, *options, "--", *command)

    def assert_told_again(self) -> None:
        for form in ("report.json", "events.jsonl", "page.html"):
            replayed = ptmon("--replay", self.file, *outputs(self.folder / "now", form))
            assert (replayed.returncode, replayed.stdout, replayed.stderr) == (0, "", "")
            assert (self.folder / "now" / form).read_text() == (self.folder / "then" / form).read_text()

    @property
    def report(self) -> dict[str, Any]:
        report = json.loads((self.folder / "then" / "report.json").read_text())
        assert isinstance(report, dict)
        return report


@pytest.fixture
def recorded(targets: Targets, tmp_path: Path) -> Callable[..., Recorded]:
    def run(name: str, *arguments: str, options: Sequence[str] = ()) -> Recorded:
        return Recorded(tmp_path, targets(name), *arguments, options=options)

    return run


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (("crowd", "4", "10"), ()),
        (("chatter", "40000"), ()),
        (("processes", "lineage"), ()),
        (("peers", "udp_by_messages"), ()),
        (("chatter", "300"), ("--fast", "off", "--trace", "sendto,recvfrom")),
        (("chatter", "20"), ("--deny", "sendto")),
        (("chatter", "3000"), ("--max-sockets", "1")),
        (("chatter", "3000"), ("--limit", "1GB")),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_run_is_told_again_to_the_letter(
    recorded: Callable[..., Recorded], target: Sequence[str], options: Sequence[str]
) -> None:
    run = recorded(*target, options=options)
    assert run.report["processes"]
    if "--max-sockets" in options:
        again = ptmon("--replay", run.file, "--max-sockets", "1", *outputs(run.folder / "now", "report.json"))
        assert again.returncode == 0
        assert (run.folder / "now" / "report.json").read_text() == json_text(run)
    else:
        run.assert_told_again()


HOOKS = """
import ptmon

@ptmon.hook("sendto")
def every_other(call):
    every_other.function.calls += 1
    return ptmon.Deny("EPERM") if every_other.function.calls % 2 else None

every_other.function.calls = 0
"""


def test_what_a_hook_refused_is_told_again(recorded: Callable[..., Recorded], tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text(HOOKS)
    run = recorded("chatter", "20", options=["--hooks", str(tmp_path / "hooks.py")])
    (refused,) = run.report["denied"]
    assert refused["rule"] == "hook every_other" and refused["calls"] > 0
    run.assert_told_again()


def json_text(run: Recorded) -> str:
    return (run.folder / "then" / "report.json").read_text()


@pytest.mark.skipif(shutil.which("redis-benchmark") is None, reason="redis is not installed")
def test_a_run_of_redis_benchmark_is_told_again_to_the_letter(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    server = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    with started(server) as redis:
        until(path.exists, "redis to listen")
        run = Recorded(tmp_path, "redis-benchmark", "-s", path, "-t", "set,get", "-n", "5000", "-q")
        redis.terminate()
        redis.wait(timeout=DEADLINE)
    assert run.done.returncode == 0
    assert run.report["totals"]["calls_sent"] >= 10_000
    run.assert_told_again()


@pytest.mark.parametrize("form", FORMS)
def test_each_form_can_be_had_later(recorded: Callable[..., Recorded], form: str) -> None:
    run = recorded("chatter", "7")
    assert ptmon("--replay", run.file, *outputs(run.folder / "now", form)).returncode == 0
    text = (run.folder / "now" / form).read_text()
    assert "7" in text
    assert "chatter" in text or form == "report.csv"


def test_an_attach_is_told_again_with_those_that_were_refused(targets: Targets, tmp_path: Path) -> None:
    then, now = tmp_path / "then.json", tmp_path / "now.json"
    with started([targets("chatter"), "1000", "wait"], stdin=subprocess.PIPE) as target:
        assert target.stdout is not None and target.stdout.readline()
        gone = subprocess.Popen(["true"])
        gone.wait()
        words = ["--record", tmp_path / "r", "-o", then, "--attach", f"{target.pid},{gone.pid}"]
        with started([*PTMON, *map(str, words)]) as tracer:
            until(lambda: status_field(target.pid, "TracerPid") == str(tracer.pid), "the attach")
            tracer.send_signal(signal.SIGINT)
            assert tracer.wait(timeout=DEADLINE) == 0
        target.communicate(timeout=DEADLINE)
    assert ptmon("--replay", tmp_path / "r", "-o", now).returncode == 0
    assert "unattached" in then.read_text()
    assert now.read_text() == then.read_text()


def test_after_the_duration_nothing_more_is_recorded(targets: Targets, tmp_path: Path) -> None:
    run = Recorded(tmp_path, targets("chatter"), "400000", options=["--duration", "0.2", "--fast", "off"])
    assert run.done.returncode == 0
    assert 0 < run.report["totals"]["calls_sent"] < 400_000
    run.assert_told_again()


def test_of_a_run_that_was_killed_all_but_the_end_is_there(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "recording"
    words = [*PTMON, "-q", "--record", str(file), str(targets("chatter")), "1000", "wait"]
    with started(words, stdin=subprocess.PIPE) as tracer:
        assert tracer.stdout is not None and tracer.stdout.readline()
        until(lambda: told(file)["totals"]["calls_sent"] == 1000, "the last calls")
        tracer.kill()
        tracer.wait(timeout=DEADLINE)
    done = ptmon("--replay", file, "--format", "json", "-o", "-")
    assert done.returncode == 1
    assert done.stderr == (
        f"ptmon: {file}: it has no end: the ptmon that wrote it was killed, or writes on; what stands before is told\n"
    )
    report = json.loads(done.stdout)
    assert report["totals"]["sent"] == 1000
    assert not report["complete"]
    assert [warning["reason"] for warning in report["warnings"]] == ["recording"]


def told(file: Path) -> dict[str, Any]:
    """The report of a recording, as far as it goes."""
    done = ptmon("--replay", file, "--format", "json", "-o", "-")
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout) if done.stdout else {"totals": {"calls_sent": 0}}


def test_a_recording_is_for_its_owner_alone(recorded: Callable[..., Recorded], tmp_path: Path) -> None:
    (tmp_path / "recording").touch(mode=0o644)
    assert stat.S_IMODE(recorded("chatter", "1").file.stat().st_mode) == 0o600


def damaged(data: bytes, kind: str, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    if kind == "cut":
        return data[:at]
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


@pytest.mark.parametrize("kind", ["cut", "flipped"])
def test_what_is_whole_of_a_damaged_recording_is_told(
    recorded: Callable[..., Recorded], tmp_path: Path, kind: str
) -> None:
    """By one process, which runs ptmon's own main(): to start 200 takes half a minute."""
    run = recorded("chatter", "500")
    data = run.file.read_bytes()
    chance = random.Random(kind)
    files = [tmp_path / f"{kind}{number}" for number in range(RUNS)]
    for file in files:
        file.write_bytes(damaged(data, kind, chance))
    program = (
        "import sys\nfrom ptmon.cli import main\n"
        "for file in sys.argv[1:]: print(main(['--replay', file, '-o', file + '.json']), flush=True)"
    )
    done = subprocess.run([PTMON[0], "-c", program, *map(str, files)], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    statuses = [int(line) for line in done.stdout.split()]
    assert len(statuses) == RUNS
    assert set(statuses) == {1, 125}
    lines = done.stderr.splitlines()
    assert len(lines) == RUNS and all(line.startswith("ptmon: ") for line in lines)
    for file, status in zip(files, statuses, strict=True):
        if status == 1:
            report = json.loads(Path(f"{file}.json").read_text())
            assert not report["complete"]
            assert report["totals"]["sent"] <= 500


def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("what people write\n")
    done = ptmon("--replay", file)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == f"ptmon: {file} is no recording of ptmon, or a damaged one: it does not begin as one\n"
    done = ptmon("--replay", tmp_path / "none")
    assert done.stderr == f"ptmon: cannot read {tmp_path}/none: ENOENT: No such file or directory\n"


def test_a_recording_of_records_in_another_form_is_refused(recorded: Callable[..., Recorded]) -> None:
    from ptmon.recording.blocks import block, blocks

    run = recorded("chatter", "1")
    with run.file.open("rb") as file:
        (kind, head), *rest = blocks(file)
    document = json.loads(head)
    document["layout"]["pt_call"] += 8
    document["ptmon"] = "9.9"
    run.file.write_bytes(MAGIC + block(kind, json.dumps(document).encode()) + b"".join(block(*one) for one in rest))
    done = ptmon("--replay", run.file)
    assert (done.returncode, done.stdout) == (125, "")
    assert "was recorded by ptmon 9.9, which keeps its records in another form" in done.stderr


def test_a_full_disk_ends_the_recording_and_not_the_program(targets: Targets) -> None:
    done = ptmon("-q", "--record", "/dev/full", targets("chatter"), "10")
    assert done.returncode == 0
    assert json.loads(done.stdout)["sent"] == 10
    assert done.stderr.startswith("ptmon: cannot write the recording to /dev/full: ENOSPC")
    assert done.stderr.count("\n") == 1


def test_a_file_that_cannot_be_written_is_known_before_the_start(tmp_path: Path) -> None:
    done = ptmon("--record", tmp_path / "none" / "r", "touch", tmp_path / "made")
    assert done.returncode == 125
    assert "cannot write the recording to" in done.stderr
    assert not (tmp_path / "made").exists()


def test_where_there_is_no_program_there_is_no_recording(tmp_path: Path) -> None:
    assert ptmon("--record", tmp_path / "r", "/nosuch/program").returncode == 127
    assert not (tmp_path / "r").exists()


def test_a_speed_gives_a_run_its_time(targets: Targets, tmp_path: Path) -> None:
    """Twice as fast, and a live view or a server would show it so."""
    run = Recorded(tmp_path, "sleep", "0.6")
    begun = time.monotonic()
    assert ptmon("--replay", run.file, "--speed", "2", "-q").returncode == 0
    assert time.monotonic() - begun > 0.3
    run.assert_told_again()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--speed", "2", "true"], "--speed wants --replay FILE"),
        (["--speed", "0", "--replay", "r"], "--speed: '0' is not a positive number"),
        (["--replay", "r", "--attach", "1"], "--attach and --replay do not go together"),
        (["--replay", "r", "--deny", "connect"], "--replay traces nothing: leave out --deny"),
        (["--replay", "r", "--record", "s"], "--replay traces nothing: leave out --record"),
        (["--record", "-", "true"], "--record wants a file, not stdout"),
        (["--record", "r", "-o", "r", "true"], "-o r and --record r are the same file"),
        (["--record", "r", "--engine", "reference", "true"], "leave out --engine reference"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path: Path, words: Sequence[str], said: str) -> None:
    done = ptmon(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_transfer_that_repeats_another_takes_few_bytes(recorded: Callable[..., Recorded]) -> None:
    run = recorded("chatter", "50000")
    assert run.report["totals"]["calls_sent"] == 50_000
    assert run.file.stat().st_size < 100_000 * 4
    assert FRAME.size < 16
