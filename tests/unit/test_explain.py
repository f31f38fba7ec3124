# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a program cannot be started or a process cannot be attached: one line each, on real processes."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ptmon import explain
from ptmon.errors import (
    EXIT_NOT_EXECUTABLE,
    EXIT_NOT_FOUND,
    EXIT_OWN,
    AttachError,
    LaunchError,
    PtmonError,
    Step,
    kernel_word,
)
from tests.support import process_state, started, status_field, until

PTRACE_TRACEME = 0


@contextmanager
def sleeper() -> Iterator[int]:
    with started(["sleep", "1000"]) as process:
        yield process.pid


def refused(pid: int) -> str:
    """What is said about a target which is refused before it is touched."""
    with pytest.raises(PtmonError) as caught:
        explain.check_target(pid)
    message = str(caught.value)
    assert caught.value.exit_status == EXIT_OWN
    assert "\n" not in message
    return message


def unused_pid() -> int:
    with started(["true"]) as process:
        process.wait()
    return process.pid


def test_a_process_is_accepted_as_it_is() -> None:
    with sleeper() as pid:
        assert explain.check_target(pid) == (pid, None)


def test_a_stopped_process_is_accepted_and_stays_stopped() -> None:
    with sleeper() as pid:
        os.kill(pid, signal.SIGSTOP)
        until(lambda: process_state(pid) == "T", "stopped")
        assert explain.check_target(pid) == (pid, None)
        assert process_state(pid) == "T"


def test_a_pid_without_a_process() -> None:
    pid = unused_pid()
    assert refused(pid) == (f"cannot attach to process {pid}: there is no such process (ESRCH: No such process)")


def test_a_pid_beyond_any_process() -> None:
    assert "no such process" in refused(2**31 - 1)


def test_ptmon_itself() -> None:
    assert "that is ptmon itself" in refused(os.getpid())


def test_a_thread_of_ptmon_itself() -> None:
    with in_thread() as tid:
        assert "that is ptmon itself" in refused(tid)


@contextmanager
def in_thread() -> Iterator[int]:
    """A thread of this process; its tid."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert thread.native_id is not None
        yield thread.native_id
    finally:
        end.set()
        thread.join()


def test_its_ancestors() -> None:
    assert "is an ancestor of ptmon" in refused(os.getppid())


def test_a_threads_tid_stands_for_its_thread_group() -> None:
    code = "import threading; t = threading.Thread(target=input); t.start(); print(t.native_id, flush=True); t.join()"
    with started([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        tid = int(process.stdout.readline())
        group, said = explain.check_target(tid)
        assert group == process.pid
        assert said == f"{tid} is a thread of process {process.pid}: attaching to {process.pid}"


def test_a_zombie() -> None:
    with started(["true"]) as process:
        until(lambda: process_state(process.pid) == "Z", "zombie")
        assert "it is a zombie until its parent waits for it (EPERM)" in refused(process.pid)


def test_a_process_whose_leader_alone_has_ended_is_no_zombie() -> None:
    code = (
        "import ctypes, os, threading\n"
        "threading.Thread(target=os.read, args=(0, 1)).start()\n"
        "os.write(1, b'.')\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    with started([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        until(lambda: process_state(process.pid) == "Z", "the leader's end")
        assert explain.check_target(process.pid) == (process.pid, None)


def kernel_thread() -> int | None:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and "Kthread:\t1" in (entry / "status").read_text(errors="replace"):
            return int(entry.name)
    return None


def test_a_kernel_thread() -> None:
    pid = kernel_thread()
    if pid is None:
        pytest.skip("no kernel thread is to be seen here (a PID namespace, or Linux < 6.8)")
    assert "is a kernel thread" in refused(pid)


@pytest.mark.parametrize(("flags", "expected"), [(0x00200040, True), (0x00400040, False)])
def test_a_kernel_thread_is_known_by_its_flags_on_older_kernels(
    monkeypatch: pytest.MonkeyPatch, flags: int, expected: bool
) -> None:
    stat = f"2 (k) worker) S 0 0 0 0 -1 {flags} 0 0 0"
    monkeypatch.setattr(Path, "read_text", lambda *_args, **_keywords: stat)
    assert explain._is_kernel_thread(2, {"Name": "k"}) == expected


@contextmanager
def traced() -> Iterator[int]:
    """A process whose tracer is this one."""
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        ctypes.CDLL(None).ptrace(PTRACE_TRACEME, 0, 0, 0)
        os.write(told, b".")
        while True:
            signal.pause()
    try:
        assert os.read(ready, 1) == b"."
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(told)


def test_a_process_already_traced_names_its_tracer() -> None:
    with traced() as pid:
        comm = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
        assert f"is already traced by process {os.getpid()} ({comm})" in refused(pid)
        said = str(explain.attach_failure(AttachError(pid, errno.EPERM, Step.SEIZE)))
        assert f"already traced by process {os.getpid()}" in said


def test_nothing_is_changed_in_a_target_that_is_refused() -> None:
    with traced() as pid:
        until(lambda: process_state(pid) == "S", "it pauses")
        before = [status_field(pid, name) for name in ("State", "TracerPid", "SigPnd", "SigBlk")]
        refused(pid)
        assert [status_field(pid, name) for name in ("State", "TracerPid", "SigPnd", "SigBlk")] == before


class World:
    """A /proc as the test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fields = {"Uid": "1000\t1000\t1000\t1000", "TracerPid": "0", "Name": "victim"}
        self.own = {"CapEff": "0", "TracerPid": "0"}
        self.scope = 0
        self.uid = 1000
        self.owner = 1000
        monkeypatch.setattr(explain, "status", lambda pid: self.own if pid == "self" else self.fields)
        monkeypatch.setattr(explain, "_yama_scope", lambda: self.scope)
        monkeypatch.setattr(os, "getuid", lambda: self.uid)
        monkeypatch.setattr(os, "stat", lambda _path: os.stat_result((0, 0, 0, 0, self.owner, 0, 0, 0, 0, 0)))

    def said(self) -> str:
        return str(explain.attach_failure(AttachError(7, errno.EPERM, Step.SEIZE)))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_another_users_process(world: World) -> None:
    world.fields["Uid"] = "33\t33\t33\t33"
    assert world.said() == (
        "cannot attach to process 7: it is another user's process (uid 33, ptmon runs as 1000);"
        " run ptmon as that user or as root (EPERM: Operation not permitted)"
    )


def test_root_in_a_container_without_the_capability(world: World) -> None:
    world.uid = world.owner = 0
    assert "root but has no CAP_SYS_PTRACE" in world.said()
    assert "--cap-add=SYS_PTRACE" in world.said()


def test_a_process_that_is_not_dumpable(world: World) -> None:
    world.owner = 0
    assert "not dumpable" in world.said()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        (1, "ptrace_scope is 1 (restricted): only an ancestor may attach"),
        (2, "ptrace_scope is 2 (admin only)"),
        (3, "ptrace_scope is 3 (no attach)"),
        (4, "ptrace_scope is 4"),
    ],
)
def test_yamas_scope_is_named(world: World, scope: int, words: str) -> None:
    world.scope = scope
    assert words in world.said()


def test_with_the_capability_only_namespaces_and_security_modules_are_left(world: World) -> None:
    world.own["CapEff"] = f"{1 << explain.CAP_SYS_PTRACE:x}"
    world.scope = 2
    assert "another user namespace, or a security module" in world.said()
    world.scope = 3
    assert "no attach" in world.said()


def test_no_reason_that_could_be_found(world: World) -> None:
    assert "security module" in world.said()


def test_a_target_that_ends_while_it_is_attached() -> None:
    said = str(explain.attach_failure(AttachError(7, errno.ESRCH, Step.SEIZE)))
    assert said == "cannot attach to process 7: it has just ended (ESRCH: No such process)"


def test_an_attach_that_fails_otherwise() -> None:
    said = str(explain.attach_failure(AttachError(7, errno.EMFILE, Step.READ)))
    assert said == "cannot attach to process 7: reading /proc failed (EMFILE: Too many open files)"


def failed(program: str, number: int, step: Step = Step.EXEC) -> tuple[str, int]:
    error = explain.launch_failure(LaunchError(program, number, step))
    assert "\n" not in str(error)
    return str(error), error.exit_status


def test_a_program_that_is_not_found(tmp_path: Path) -> None:
    assert failed("nosuch", errno.ENOENT) == (
        "nosuch: not found in PATH (ENOENT: No such file or directory)",
        EXIT_NOT_FOUND,
    )
    assert failed("./nosuch", errno.ENOENT) == (
        "./nosuch: not found (ENOENT: No such file or directory)",
        EXIT_NOT_FOUND,
    )
    script = tmp_path / "script"
    script.write_text("#!/nosuch\n")
    said, status = failed(str(script), errno.ENOENT)
    assert "interpreter" in said
    assert status == EXIT_NOT_FOUND


def test_a_program_that_is_not_executable(tmp_path: Path) -> None:
    said, status = failed("./file", errno.EACCES)
    assert "not executable" in said
    assert "EACCES: Permission denied" in said
    assert status == EXIT_NOT_EXECUTABLE
    assert "is a directory" in failed(str(tmp_path), errno.EACCES)[0]
    for number in (errno.ENOEXEC, errno.ETXTBSY, errno.E2BIG, errno.ELOOP):
        said, status = failed("./file", number)
        assert kernel_word(number) in said
        assert status == EXIT_NOT_EXECUTABLE


def test_a_name_that_could_move_the_cursor_is_escaped() -> None:
    assert failed("\x1b[2J\udcff", errno.ENOENT)[0].startswith("\\x1b[2J\\xff: not found")


def test_ptmon_inside_another_tracer(world: World) -> None:
    world.own["TracerPid"] = "99"
    said, status = failed("ls", errno.EPERM, Step.SEIZE)
    assert "ptmon is itself traced by process 99 (victim)" in said
    assert "cannot run inside ptmon" in said
    assert status == EXIT_OWN


def test_a_kernel_that_forbids_ptrace(world: World) -> None:
    assert "forbids ptrace" in failed("ls", errno.EPERM, Step.SEIZE)[0]
    world.scope = 2
    assert "admin only" in failed("ls", errno.EPERM, Step.SEIZE)[0]
    world.own["CapEff"] = f"{1 << explain.CAP_SYS_PTRACE:x}"
    assert "forbids ptrace" in failed("ls", errno.EPERM, Step.SEIZE)[0]
    world.scope = 3
    assert "no attach" in failed("ls", errno.EPERM, Step.SEIZE)[0]


def test_other_failures_to_start() -> None:
    assert "--seccomp off" in failed("ls", errno.EINVAL, Step.SECCOMP)[0]
    assert "EAGAIN" in failed("ls", errno.EAGAIN, Step.FORK)[0]
    assert failed("ls", errno.EIO, Step.READ) == ("cannot start ls: read failed (EIO: Input/output error)", EXIT_OWN)
