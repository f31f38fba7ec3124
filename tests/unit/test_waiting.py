# SPDX-License-Identifier: GPL-2.0-or-later
"""How a program that is waited for is known, and what becomes of those that cannot be attached to."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from ptmon import engines
from ptmon.engines import EngineSettings
from ptmon.errors import AttachError, Step
from ptmon.session import Session
from ptmon.waiting import Found, Waiter
from ptmon.waiting.opens import Opens
from ptmon.waiting.program import Look, Program, running
from tests.support import started, until
from tests.unit.build import FakeEngine, executes, exits

SLEEP = shutil.which("sleep") or "/bin/sleep"
FORKS = "import os, sys; child = os.fork(); child and print(child, flush=True); sys.stdin.read()"


def look(name: str, pid: int) -> Look:
    program = Program(name)
    program.refresh()
    return program.look(pid)[0]


def runs(pid: int, name: str) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().rstrip("\n") == name[:15]


@pytest.fixture
def sleeper(tmp_path: Path) -> Path:
    """A program of a name longer than a comm, which no other process on this machine has."""
    path = tmp_path / f"a{uuid.uuid4().hex[:9]}-sleeper-with-a-long-name"
    shutil.copy(SLEEP, path)
    return path


def test_a_program_is_known_by_its_executables_file_name(sleeper: Path) -> None:
    with started([sleeper, "1000"]) as process:
        assert look(sleeper.name, process.pid) is Look.RUNS
        assert look(sleeper.name[:-1], process.pid) is Look.OTHER
        assert look("sleep", process.pid) is Look.OTHER
    assert look(sleeper.name, process.pid) is Look.GONE


def test_a_name_with_a_slash_is_that_file(sleeper: Path, tmp_path: Path) -> None:
    link, other = tmp_path / "link", tmp_path / "other"
    link.symlink_to(sleeper)
    other.mkdir()
    shutil.copy(sleeper, other / sleeper.name)
    with started([sleeper, "1000"]) as process:
        assert look(str(sleeper), process.pid) is Look.RUNS
        assert look(os.path.relpath(sleeper), process.pid) is Look.RUNS
        assert look(str(link), process.pid) is Look.RUNS
        assert look(str(other / sleeper.name), process.pid) is Look.OTHER
        assert look(str(tmp_path / "nothing"), process.pid) is Look.OTHER


def test_a_program_that_was_deleted_is_known_still(sleeper: Path) -> None:
    with started([sleeper, "1000"]) as process:
        sleeper.unlink()
        assert look(sleeper.name, process.pid) is Look.RUNS


def test_a_fork_that_has_executed_nothing_is_not_meant() -> None:
    name = os.path.basename(os.path.realpath(sys.executable))
    with started([sys.executable, "-c", FORKS], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert look(name, process.pid) is Look.RUNS
        assert look(name, child) is Look.OTHER


def test_a_fork_whose_maker_has_ended_is_a_daemon() -> None:
    name = os.path.basename(os.path.realpath(sys.executable))
    code = "import os, sys; child = os.fork(); child and (print(child, flush=True), os._exit(0)); sys.stdin.read()"
    with started([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.wait()
        assert look(name, child) is Look.FORKED
        assert child in running(name)


def test_a_program_is_known_by_the_title_that_it_has_given_itself() -> None:
    name = f"t{uuid.uuid4().hex[:10]}"
    for title in (f"{name}: master process", f"/usr/sbin/{name}: worker", f"{name}:"):
        with (
            started(["sleep", "1000"], executable=SLEEP) as other,
            subprocess.Popen([title, "1000"], executable=SLEEP) as process,
        ):
            until(lambda pid=process.pid: runs(pid, "sleep"), "its execve")  # type: ignore[misc]
            assert look(name, process.pid) is Look.RUNS
            assert look(name, other.pid) is Look.OTHER
            assert running(name) == [process.pid]
            process.kill()


def test_a_script_that_an_interpreter_is_given_is_known_by_its_name(tmp_path: Path) -> None:
    script = tmp_path / f"s{uuid.uuid4().hex[:10]}.py"
    script.write_text("import sys; sys.stdin.read()")
    with started([sys.executable, "-u", script], stdin=subprocess.PIPE) as process:
        assert look(script.name, process.pid) is Look.RUNS
        assert look(str(script), process.pid) is Look.RUNS
        assert look("other.py", process.pid) is Look.OTHER


def test_an_argument_that_is_called_so_makes_no_script(tmp_path: Path) -> None:
    file = tmp_path / "server.out"
    os.mkfifo(file)
    with started(["cat", file]) as process:
        assert look("server.out", process.pid) is Look.OTHER


def test_a_missing_path_is_found_once_it_is_there(sleeper: Path) -> None:
    there = sleeper.with_name("later")
    program = Program(str(there))
    assert program.refresh() == []
    sleeper.rename(there)
    assert program.refresh() == [str(there)]
    assert program.refresh() == []
    there.unlink()
    shutil.copy(SLEEP, there)
    assert program.refresh() == [str(there)]


def test_an_opened_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    opens = Opens()
    opens.watch(str(file))
    opens.watch(str(tmp_path / "missing"))
    assert not opens.wait(0.0)
    (tmp_path / "link").symlink_to(file)
    (tmp_path / "link").read_text()
    assert opens.wait(1.0)
    assert not opens.wait(0.0)
    opens.close()


class Machine:
    """Starts a process of the program each time it is asked to, and ends them all."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([self.program, "1000"])
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def machine(sleeper: Path) -> object:
    made = Machine(sleeper)
    yield made
    made.end()


def test_each_process_is_found_once(machine: Machine) -> None:
    said: list[str] = []
    name = machine.program.name
    old = machine.start()
    until(lambda: runs(old.pid, name), "the execve")
    with Waiter(name, said.append) as waiter:
        new = [machine.start() for _ in range(3)]
        found = [waiter.next() for _ in new]
        assert sorted(one.pid for one in found) == sorted(process.pid for process in new)
        last = machine.start()
        assert waiter.next().pid == last.pid
    assert said == [
        f"{name} runs already (process {old.pid}), which is not waited for: --attach {old.pid} is for it",
        f"waiting for {name}",
    ]


def test_a_process_is_no_younger_than_it_is_said_to_be(machine: Machine) -> None:
    with Waiter(machine.program.name, lambda line: None) as waiter:
        began = time.monotonic()
        machine.start()
        found = waiter.next()
        age = found.age()
        assert 0 < age < time.monotonic() - began + 1  # a second, however long it takes to be found
        assert Found(found.pid, found.not_before - 1).age() > age + 0.9


def test_the_first_refusal_of_each_kind_is_told(machine: Machine) -> None:
    said: list[str] = []
    name = machine.program.name
    with Waiter(name, said.append) as waiter:
        for _ in range(2):
            machine.start()
            waiter.pass_over(waiter.next(), "cannot attach")
        for _ in range(2):
            process = machine.start()
            found = waiter.next()
            process.kill()
            process.wait()
            waiter.pass_over(found, "cannot attach")
    gone = machine.processes[2].pid
    assert said[1:] == [
        f"cannot attach; still waiting for {name}",
        f"{name} ran as process {gone}, and ended before ptmon could attach; still waiting for {name}",
    ]


def test_a_session_goes_on_waiting_until_it_has_attached(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process cannot be seized; at that moment the next is started, and that one can."""

    class Refusing(FakeEngine):
        turned_down: list[int] = []  # noqa: RUF012

        def __enter__(self) -> FakeEngine:
            (pid,) = self.settings.attach
            if not Refusing.turned_down:
                Refusing.turned_down.append(pid)
                machine.start()
                raise AttachError(pid, errno.EPERM, Step.SEIZE)
            self.root = pid
            return self

    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("waiting"):
            machine.start()

    monkeypatch.setattr("tests.unit.build.FakeEngine", Refusing)
    monkeypatch.setitem(engines.ENGINES, "native", ("tests.unit.build", "FakeEngine"))
    monkeypatch.setattr(FakeEngine, "script", [(0.1, [executes("x", attached=True, parent=1), exits()])])
    session = Session(EngineSettings(), wait=machine.program.name, say=say)
    report = session.run()
    first, second = (process.pid for process in machine.processes)
    assert Refusing.turned_down == [first]
    assert (report.header.mode, report.header.root, report.header.ppid) == ("wait", second, None)
    assert report.header.waited is not None
    assert report.header.waited.name == machine.program.name
    assert said[1].startswith(f"cannot attach to process {first}: ")
    assert said[1].endswith(f"; still waiting for {machine.program.name}")
    assert report.to_json()["waited"] == {
        "name": machine.program.name,
        "attach_delay_s": report.header.waited.attach_delay_s,
    }


def test_an_interrupted_wait_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def interrupt(_self: Opens, _seconds: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Opens, "wait", interrupt)
    wait: Callable[[], Found]
    with pytest.raises(KeyboardInterrupt), Waiter("x", said.append) as waiter:
        wait = waiter.next
        wait()
    assert said == ["waiting for x", "interrupted while waiting for x"]
