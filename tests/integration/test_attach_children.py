# SPDX-License-Identifier: GPL-2.0-or-later
"""An attach takes the children that are there, and theirs, and whoever is born meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import Attached, assert_free, attached, held_by, words_to_attach
from tests.hazards import Unprivileged
from tests.support import DEADLINE, Targets, assert_sums_agree, started, tracing, unprivileged, until

MEMBERS = 5
"""Processes of "kin workers"."""
ROUNDS = 200
SHARED = 7
CHILDREN = 600


class Kin:
    """tests/targets/kin.c: a master, its workers and their children."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.members = [int(self.line().split()[1]) for _ in range(MEMBERS)]

    @property
    def pid(self) -> int:
        return self.process.pid

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def transfer(self) -> dict[int, tuple[int, int]]:
        """Lets each of them transfer, one after the other. What each has sent and received, by pid."""
        assert self.process.stdin is not None
        told: dict[int, tuple[int, int]] = {}
        for _ in range(MEMBERS):
            self.process.stdin.write("x")
            self.process.stdin.flush()
            row = json.loads(self.line())
            told[row["pid"]] = (row["sent"], row["received"])
        assert sorted(told) == sorted(self.members)
        return told

    def end(self) -> None:
        for pid in self.members:
            os.kill(pid, signal.SIGKILL)


@contextmanager
def kin(targets: Targets, **keywords: Any) -> Iterator[Kin]:
    with started([targets("kin"), "workers"], stdin=subprocess.PIPE, **keywords) as process:
        one = Kin(process)
        try:
            yield one
        finally:
            one.end()


@contextmanager
def attached_to_all(target: Kin, folder: Path, *options: str) -> Iterator[Attached]:
    with started(words_to_attach(target.pid, folder / "r.json", *options)) as tracer:

        def holds() -> bool:
            assert tracer.poll() is None, tracer.communicate()[1]
            return all(held_by(pid, tracer.pid, "S") for pid in target.members)

        until(holds, "ptmon to hold them all")
        yield Attached(tracer, folder / "r.json", {})


def by_process(report: dict[str, Any]) -> dict[int, tuple[int, int]]:
    return {row["pid"]: (row["sent"], row["received"]) for row in report["processes"]}


@pytest.mark.parametrize("fast", ["auto", "off"])
def test_an_attach_follows_the_children_that_are_there(targets: Targets, tmp_path: Path, fast: str) -> None:
    with kin(targets) as target:
        with attached_to_all(target, tmp_path, "--fast", fast) as ptmon:
            told = target.transfer()
            ptmon.detach()
        for pid in target.members:
            assert_free(pid)
        report = ptmon.report
        assert by_process(report) == told
        assert report["complete"], report["warnings"]
        parents = {row["pid"]: row["ppid"] for row in report["processes"]}
        assert parents[target.pid] == os.getpid()
        assert {parents[pid] for pid in target.members if pid != target.pid} <= set(target.members)
        assert {row["name"] for row in report["processes"]} == {"kin"}
        # One socket that all of them had before: a row for each end, and nothing counted twice.
        everybody = [row for row in report["sockets"] if len(row["pids"]) == MEMBERS]
        assert sorted((row["sent"], row["received"]) for row in everybody) == [
            (0, MEMBERS * ROUNDS * SHARED),
            (MEMBERS * ROUNDS * SHARED, 0),
        ]
        if fast == "auto" and os.uname().machine == "x86_64":
            assert report["path"]["fast"] > report["path"]["stop"]


def test_without_following_the_children_that_are_there_are_left_alone(targets: Targets, tmp_path: Path) -> None:
    with kin(targets) as target:
        with started(words_to_attach(target.pid, tmp_path / "r.json", "--no-follow")) as tracer:
            until(lambda: held_by(target.pid, tracer.pid, "S"), "the attach")
            for pid in target.members:
                assert held_by(pid, tracer.pid if pid == target.pid else 0, "S")
            told = target.transfer()
            ptmon = Attached(tracer, tmp_path / "r.json", {})
            ptmon.detach()
        assert by_process(ptmon.report) == {target.pid: told[target.pid]}


def test_the_log_tells_of_each_process_that_is_followed(targets: Targets, tmp_path: Path) -> None:
    with kin(targets) as target:
        with attached_to_all(target, tmp_path, "--log", "--log-format", "jsonl") as ptmon:
            ptmon.tracer.send_signal(signal.SIGINT)
            lines = ptmon.finish().splitlines()
        rows = [json.loads(line) for line in lines]
        assert sorted(row["pid"] for row in rows if row.get("attached")) == sorted(target.members)


def test_the_api_follows_the_children_that_are_there(targets: Targets) -> None:
    """In another program, for what that one starts itself can't be attached to."""
    code = (
        "import ptmon, sys\n"
        "with ptmon.attach(int(sys.argv[1])) as session:\n"
        "    print('attached', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    session.detach()\n"
        "print(sorted((one.pid, one.sent, one.received) for one in session.report.processes))\n"
    )
    with kin(targets) as target:
        words = [*tracing()[:1], "-c", code, str(target.pid)]
        with started(words, stdin=subprocess.PIPE) as user:
            assert user.stdout is not None
            assert user.stdout.readline() == "attached\n"
            told = target.transfer()
            out, errors = user.communicate("\n", timeout=DEADLINE)
        assert out == f"{sorted((pid, *moved) for pid, moved in told.items())}\n", errors


@pytest.mark.parametrize("fast", ["auto", "off"])
@pytest.mark.parametrize("times", range(3))
def test_who_is_forked_while_ptmon_attaches_is_counted(targets: Targets, tmp_path: Path, fast: str, times: int) -> None:
    log, out = tmp_path / "log", tmp_path / "out"
    with (
        out.open("w") as file,
        started([targets("kin"), "forks", tmp_path], stdout=file) as process,
    ):
        until(lambda: out.read_text().count("\n") > 20, "some children")
        options = [f"--log={log}", "--log-format", "jsonl", "--fast", fast]
        with started(words_to_attach(process.pid, tmp_path / "r.json", *options)) as tracer:
            until(lambda: log.exists() and log.read_text().count('"attached": true') >= 3, "the attach")
            marked_at = out.read_text().count("\n")
            (tmp_path / "mark").touch()
            until(lambda: out.read_text().count("\n") > marked_at + 60, "more children")
            (tmp_path / "stop").touch()
            ptmon = Attached(tracer, tmp_path / "r.json", {})
            ptmon.finish()
        assert process.wait(DEADLINE) == 0
    assert ptmon.report["complete"], ptmon.report["warnings"]
    told = [json.loads(line) for line in out.read_text().splitlines() if line.startswith("{")]
    counted = by_process(ptmon.report)
    born_after = [row for row in told if row["number"]]
    assert len(born_after) > 30
    for row in born_after:
        assert counted[row["pid"]] == (row["sent"], row["received"])
    most = {row["pid"]: (row["sent"], row["received"]) for row in told}
    for pid, (sent, received) in counted.items():  # who was born before has no more than it has moved
        assert sent <= most.get(pid, (0, 0))[0] and received <= most.get(pid, (0, 0))[1]


@pytest.mark.parametrize("fast", ["auto", "off"])
def test_a_child_of_vfork_is_followed_in_its_parents_memory(targets: Targets, tmp_path: Path, fast: str) -> None:
    with started([targets("kin"), "vfork"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().split()[1])
        words = words_to_attach(process.pid, tmp_path / "r.json", "--fast", fast, "--fast-after", "10")
        with started(words) as tracer:
            until(lambda: held_by(child, tracer.pid, "S"), "the attach")
            out, errors = process.communicate("x", timeout=DEADLINE)
            assert process.returncode == 0, errors
            ptmon = Attached(tracer, tmp_path / "r.json", {})
            ptmon.finish()
    told = json.loads(out)
    assert ptmon.report["complete"], ptmon.report["warnings"]
    totals = ptmon.report["totals"]
    assert (totals["sent"], totals["received"]) == (told["sent"], told["received"])
    assert [row["pid"] for row in ptmon.report["processes"]] == [process.pid, child]


def test_a_child_that_has_another_tracer_is_left_out_and_said(targets: Targets, tmp_path: Path) -> None:
    with kin(targets) as target:
        other = target.members[-1] if target.members[-1] != target.pid else target.members[-2]
        with started(words_to_attach(other, tmp_path / "other.json", "--no-follow")) as first:
            until(lambda: held_by(other, first.pid, "S"), "the other tracer")
            with started(words_to_attach(target.pid, tmp_path / "r.json")) as tracer:
                rest = [pid for pid in target.members if pid != other]
                until(lambda: all(held_by(pid, tracer.pid, "S") for pid in rest), "the attach")
                told = target.transfer()
                ptmon = Attached(tracer, tmp_path / "r.json", {})
                ptmon.detach()
            first.send_signal(signal.SIGINT)
            assert first.wait(DEADLINE) == 0
    assert by_process(ptmon.report) == {pid: told[pid] for pid in rest}
    assert not ptmon.report["complete"]
    (warning,) = ptmon.report["warnings"]
    assert (warning["reason"], warning["pid"]) == ("traced", target.pid)
    assert warning["message"].startswith(f"1 process started by process {target.pid} is left out")
    assert "EPERM" in warning["message"]


@pytest.mark.skipif(unprivileged(), reason="wants root, to be two users")
def test_children_of_another_user_are_left_out_and_said(nobody: Unprivileged, tmp_path: Path) -> None:
    """A shell of nobody's that has started what belongs to another user, as by a set-user-ID program."""
    code = (
        "import os, sys\n"
        "for _ in range(2):\n"
        "    if os.fork() == 0:\n"
        "        sys.stdin.read(); os._exit(0)\n"
        "os.setresgid(65534, 65534, 65534); os.setgroups([]); os.setresuid(65534, 65534, 65534)\n"
        "os.execvp('cat', ['cat'])\n"
    )
    file = nobody.folder / "r.json"
    with started(["python3", "-c", code], stdin=subprocess.PIPE) as process:
        until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "cat\n", "the user")
        with started(words_to_attach(process.pid, file), **nobody.keywords) as tracer:
            until(lambda: held_by(process.pid, tracer.pid, "S"), "the attach")
            tracer.send_signal(signal.SIGINT)
            assert tracer.wait(DEADLINE) == 0
    report = json.loads(file.read_text())
    assert_sums_agree(report)
    assert not report["complete"]
    (warning,) = report["warnings"]
    assert warning["reason"] == "forbidden"
    assert warning["message"].startswith(f"2 processes started by process {process.pid} are left out")


@pytest.mark.parametrize("fast", ["auto", "off"])
def test_of_many_hundred_children_none_waits_for_the_looks_at_the_code_of_the_others(
    targets: Targets, tmp_path: Path, fast: str
) -> None:
    with started([targets("litter"), str(CHILDREN), "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", "--fast", fast, states="StR") as ptmon:
            out, errors = process.communicate("\n", timeout=DEADLINE)
            ptmon.finish()
    assert (process.returncode, errors) == (0, "")
    told, totals = json.loads(out), ptmon.report["totals"]
    assert (told["sent"], told["received"]) == (totals["sent"], totals["received"]) == (CHILDREN * 15,) * 2
    assert len(ptmon.report["processes"]) == 1 + CHILDREN
    assert ptmon.report["complete"], ptmon.report["warnings"]
