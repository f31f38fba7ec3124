# SPDX-License-Identifier: GPL-2.0-or-later
"""--wait: a program is attached to as soon as it is executed, from wherever and by whomever."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import held_by
from tests.counting import assert_schema_true
from tests.hazards import Unprivileged
from tests.support import (
    DEADLINE,
    PTMON,
    Targets,
    assert_sums_agree,
    started,
    status_field,
    tracing,
    unprivileged,
    until,
)

CLIENTS = 3
BYTES = CLIENTS * 35


@dataclass
class Server:
    """A server of a name that no other process on this machine has."""

    path: Path
    client: Path

    @property
    def name(self) -> str:
        return self.path.name


@pytest.fixture
def server(targets: Targets, tmp_path: Path) -> Server:
    folder = tmp_path / "bin"
    folder.mkdir()
    path = folder / f"w{uuid.uuid4().hex[:10]}"
    shutil.copy(targets("send_recv_server"), path)
    return Server(path, targets("send_recv_client"))


@dataclass
class Waiting:
    """A ptmon that waits."""

    tracer: subprocess.Popen[str]
    file: Path
    said: list[str]

    def finish(self) -> dict[str, Any]:
        """Waits for ptmon's end, and returns its report."""
        errors = self.tracer.communicate(timeout=DEADLINE)[1]
        assert self.tracer.returncode == 0, errors
        self.said += errors.splitlines()
        report = json.loads(self.file.read_text())
        assert_schema_true(report)
        assert_sums_agree(report)
        assert report["mode"] == "wait"
        assert isinstance(report, dict)
        return report


@contextmanager
def waiting(name: str | Path, file: Path, *options: str, **keywords: Any) -> Iterator[Waiting]:
    """ptmon, which has said that it waits."""
    with started(tracing("--wait", name, "-o", file, *options), **keywords) as tracer:
        assert tracer.stderr is not None
        said: list[str] = []
        while not said or said[-1] != f"ptmon: waiting for {name}":
            line = tracer.stderr.readline()
            assert line, f"ptmon ended: {said}"
            said.append(line.rstrip("\n"))
        yield Waiting(tracer, file, said)


@contextmanager
def shell(**keywords: Any) -> Iterator[subprocess.Popen[str]]:
    """A shell, which waits for orders; whatever it has started is gone when the block ends."""
    with started(["sh"], stdin=subprocess.PIPE, start_new_session=True, **keywords) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def order(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def told(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The server's pid and port, as ``echo $$; exec server`` prints them."""
    assert process.stdout is not None
    pid = process.stdout.readline()
    if pid == "Server exited.\n":  # the one before
        pid = process.stdout.readline()
    return int(pid), process.stdout.readline().split()[1]


def start(process: subprocess.Popen[str], program: str | Path) -> tuple[int, str]:
    """Lets a shell start the server in a child of its own."""
    order(process, f"sh -c 'echo $$; exec {program} 0' &")
    return told(process)


def use(server: Server, port: str) -> None:
    for _ in range(CLIENTS):
        subprocess.run([server.client, port], check=True, capture_output=True, timeout=DEADLINE)


def assert_counted(server: Server, ptmon: Waiting, pid: int, port: str) -> dict[str, Any]:
    """ptmon holds the server; and it counts all of what comes from now on, until the server ends."""
    until(lambda: held_by(pid, ptmon.tracer.pid, "S"), "the attach")
    use(server, port)
    os.kill(pid, signal.SIGINT)
    report = ptmon.finish()
    assert (report["totals"]["sent"], report["totals"]["received"]) == (BYTES, BYTES)
    assert report["exit"] == {"code": 0, "signal": None}
    (process,) = report["processes"]
    assert process["pid"] == pid
    assert 0 < report["waited"]["attach_delay_s"] < DEADLINE
    return report


def on_path(folder: Path) -> dict[str, str]:
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_a_program_on_path_is_attached_to_when_it_is_executed(server: Server, tmp_path: Path) -> None:
    keywords = {"env": on_path(server.path.parent)}
    with shell(**keywords) as sh, waiting(server.name, tmp_path / "r.json", **keywords) as ptmon:
        pid, port = start(sh, server.name)
        report = assert_counted(server, ptmon, pid, port)
    assert report["waited"]["name"] == server.name
    assert ptmon.said == [f"ptmon: waiting for {server.name}"]


def test_a_program_may_be_given_by_its_path(server: Server, tmp_path: Path) -> None:
    keywords = {"cwd": server.path.parent}
    other = tmp_path / server.name
    shutil.copy(server.path, other)
    with shell() as sh, waiting(f"./{server.name}", tmp_path / "r.json", **keywords) as ptmon:
        foreign, _ = start(sh, other)  # of the same name, but another file
        pid, port = start(sh, server.path)
        assert_counted(server, ptmon, pid, port)
        assert status_field(foreign, "TracerPid") == "0"


def test_a_program_that_is_nowhere_on_path_is_found(server: Server, tmp_path: Path) -> None:
    with shell() as sh, waiting(server.name, tmp_path / "r.json") as ptmon:
        pid, port = start(sh, server.path)
        assert_counted(server, ptmon, pid, port)


def test_a_program_that_is_made_while_ptmon_waits_is_found(server: Server, tmp_path: Path) -> None:
    later = tmp_path / "later"
    server.path.rename(later)
    with shell() as sh, waiting(server.path, tmp_path / "r.json") as ptmon:
        later.rename(server.path)
        pid, port = start(sh, server.path)
        assert_counted(server, ptmon, pid, port)


def test_an_old_process_that_executes_the_program_is_found(server: Server, tmp_path: Path) -> None:
    with shell() as sh, waiting(server.name, tmp_path / "r.json") as ptmon:
        time.sleep(1.5)  # by then nothing of the shell is new
        order(sh, f"echo $$; exec {server.path} 0")
        assert_counted(server, ptmon, *told(sh))


def test_what_a_link_leads_to_is_known_by_the_links_name(server: Server, tmp_path: Path) -> None:
    link = tmp_path / f"l{server.name}"
    link.symlink_to(server.path)
    keywords = {"env": on_path(tmp_path)}
    with shell() as sh, waiting(link.name, tmp_path / "r.json", **keywords) as ptmon:
        pid, port = start(sh, link)
        assert_counted(server, ptmon, pid, port)


@pytest.mark.parametrize("first_line", [f"#!{sys.executable}", f"#!{sys.executable} -u", "#!/usr/bin/env python3"])
def test_a_script_is_known_by_its_own_name(tmp_path: Path, first_line: str) -> None:
    script = tmp_path / f"s{uuid.uuid4().hex[:10]}"
    code = "import socket, sys; a, b = socket.socketpair(); sys.stdin.readline(); a.send(b'hello')"
    script.write_text(f"{first_line}\n{code}\n")
    script.chmod(0o755)
    keywords = {"env": {**on_path(Path(sys.executable).parent), "PATH": f"{tmp_path}:{Path(sys.executable).parent}"}}
    with (
        waiting(script.name, tmp_path / "r.json", **keywords) as ptmon,
        started([script], stdin=subprocess.PIPE, **keywords) as process,
    ):
        until(lambda: held_by(process.pid, ptmon.tracer.pid, "S"), "the attach")
        process.communicate("go\n", timeout=DEADLINE)
        assert ptmon.finish()["totals"]["sent"] == 5


def test_a_script_that_an_interpreter_is_given_is_found(tmp_path: Path) -> None:
    script = tmp_path / f"s{uuid.uuid4().hex[:10]}.py"
    script.write_text("import socket, sys; a, b = socket.socketpair(); sys.stdin.readline(); a.send(b'hello')")
    with (
        waiting(script.name, tmp_path / "r.json") as ptmon,
        started([sys.executable, script], stdin=subprocess.PIPE) as process,
    ):
        until(lambda: held_by(process.pid, ptmon.tracer.pid, "S"), "the attach")
        process.communicate("go\n", timeout=DEADLINE)
        assert ptmon.finish()["totals"]["sent"] == 5


@pytest.mark.parametrize("delay", ["0", "0.002", "0.01", "0.05", "0.3"])
def test_a_server_that_makes_a_daemon_of_itself_is_found(tmp_path: Path, delay: str) -> None:
    """delay: seconds from its execve to its fork, whose maker ends at once."""
    script = tmp_path / f"s{uuid.uuid4().hex[:10]}"
    script.write_text(
        f"#!{sys.executable} -S\n"
        "import os, socket, sys, time\n"
        f"time.sleep({delay})\n"
        "if os.fork(): os._exit(0)\n"
        "os.setsid(); print(os.getpid(), flush=True)\n"
        "a, b = socket.socketpair(); sys.stdin.readline(); a.send(b'hello')\n"
    )
    script.chmod(0o755)
    with (
        waiting(script, tmp_path / "r.json") as ptmon,
        started([script], stdin=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        assert process.stdin is not None
        pid = int(process.stdout.readline())
        until(lambda: held_by(pid, ptmon.tracer.pid, "S"), "the attach to the daemon")
        process.stdin.write("go\n")
        process.stdin.flush()
        assert ptmon.finish()["totals"]["sent"] == 5


def test_a_daemon_that_runs_already_is_told_of(tmp_path: Path) -> None:
    name = f"d{uuid.uuid4().hex[:10]}"
    code = "import os, sys; os.fork() and os._exit(0); print(os.getpid(), flush=True); sys.stdin.read()"
    words = [f"{name}: master process", "-S", "-c", code]
    with started(words, executable=sys.executable, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.wait()
        with waiting(name, tmp_path / "r.json") as ptmon:
            assert ptmon.said[0].startswith(f"ptmon: {name} runs already (process {pid})")


def test_a_process_that_runs_already_is_not_meant(server: Server, tmp_path: Path) -> None:
    with shell() as sh:
        old, _ = start(sh, server.path)
        with waiting(server.name, tmp_path / "r.json") as ptmon:
            assert ptmon.said == [
                f"ptmon: {server.name} runs already (process {old}), which is not waited for: --attach {old} is for it",
                f"ptmon: waiting for {server.name}",
            ]
            pid, port = start(sh, server.path)
            taken = until(lambda: [one for one in (pid, old) if status_field(one, "TracerPid") != "0"], "the attach")
            assert taken == [pid]
            another, _ = start(sh, server.path)  # executed while ptmon has one already
            assert_counted(server, ptmon, pid, port)
        assert [status_field(one, "TracerPid") for one in (old, another)] == ["0", "0"]


def test_of_several_that_start_at_once_one_is_attached_to(server: Server, tmp_path: Path) -> None:
    """Any of them: on a busy machine all run before ptmon looks."""
    with shell() as sh:
        with waiting(server.name, tmp_path / "r.json") as ptmon:
            ports = dict(start(sh, server.path) for _ in range(3))
            (pid,) = until(lambda: [one for one in ports if status_field(one, "TracerPid") != "0"], "the attach")
            assert_counted(server, ptmon, pid, ports.pop(pid))
        assert [status_field(one, "TracerPid") for one in ports] == ["0", "0"]


def test_the_summary_tells_what_was_missed(server: Server, tmp_path: Path) -> None:
    with shell() as sh, waiting(server.name, tmp_path / "r.txt") as ptmon:
        pid, _ = start(sh, server.path)
        until(lambda: held_by(pid, ptmon.tracer.pid, "S"), "the attach")
        ptmon.tracer.send_signal(signal.SIGINT)
        assert ptmon.tracer.wait(DEADLINE) == 0
    head, told = (tmp_path / "r.txt").read_text().split("\nattached at most ")
    assert "detached" in head
    assert "what it moved before that is not counted" in " ".join(told.split())  # it may not fit on a line


def test_ctrl_c_ends_the_waiting(tmp_path: Path) -> None:
    name = f"w{uuid.uuid4().hex}"
    with waiting(name, tmp_path / "r.json") as ptmon:
        ptmon.tracer.send_signal(signal.SIGINT)
        errors = ptmon.tracer.communicate(timeout=DEADLINE)[1]
    assert ptmon.tracer.returncode == -signal.SIGINT
    assert errors == f"ptmon: interrupted while waiting for {name}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_wait_for_no_name_is_an_error() -> None:
    done = subprocess.run([*PTMON, "--wait", ""], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 2
    assert done.stderr == "ptmon: --wait: '' is not a program's file name (see ptmon --help)\n"


def test_waiting_takes_little_of_a_cpu(tmp_path: Path) -> None:
    with waiting(f"w{uuid.uuid4().hex}", tmp_path / "r.json") as ptmon:
        before = cpu_seconds(ptmon.tracer.pid)
        begin = time.monotonic()
        time.sleep(4)
        share = (cpu_seconds(ptmon.tracer.pid) - before) / (time.monotonic() - begin)
    assert share < 0.1  # 0.02 on a machine where nothing is executed meanwhile


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(unprivileged(), reason="wants root, to be two users")
def test_another_users_program_is_passed_over_unless_ptmon_is_root(
    server: Server, nobody: Unprivileged, tmp_path: Path
) -> None:
    path = nobody.copy(server.path)
    file = nobody.folder / "r.json"
    with shell() as sh, shell(**nobody.keywords) as theirs:
        with waiting(server.name, file, **nobody.keywords) as ptmon:
            pid, port = start(sh, server.path)
            assert ptmon.tracer.stderr is not None
            line = ptmon.tracer.stderr.readline()
            assert f"{server.name} runs as process {pid}, which ptmon may not trace" in line
            other, _ = start(sh, server.path)
            mine, port = start(theirs, path)
            assert_counted(server, ptmon, mine, port)
            assert ptmon.said[1:] == []  # one line was enough
            assert [status_field(one, "TracerPid") for one in (pid, other)] == ["0", "0"]
        with waiting(server.name, tmp_path / "r.json") as ptmon:
            pid, port = start(theirs, path)
            assert_counted(server, ptmon, pid, port)
