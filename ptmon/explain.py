# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a program cannot be started or a process cannot be attached, from /proc: what, which pid, the kernel's word,
and what to do. Whatever can be known before a target is touched is found out before.

Sources: ptrace(2) (ptrace access mode checking), proc(5), Documentation/admin-guide/LSM/Yama.rst.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

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
from ptmon.text import printable

CAP_SYS_PTRACE = 19
PF_KTHREAD = 0x00200000  # include/linux/sched.h
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")
YAMA_SCOPES = {
    1: "Yama ptrace_scope is 1 (restricted): only an ancestor may attach; start the program with ptmon instead, run"
    " ptmon as root, or: sudo sysctl kernel.yama.ptrace_scope=0",
    2: "Yama ptrace_scope is 2 (admin only): attaching needs CAP_SYS_PTRACE; run ptmon as root",
    3: "Yama ptrace_scope is 3 (no attach): no process may attach until the next boot",
}


def status(pid: int | str) -> dict[str, str]:
    """The fields of /proc/PID/status; empty where it cannot be read."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(errors="surrogateescape")
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def proc_is_ours() -> bool:
    """Whether /proc shows the PID namespace that ptmon is in: pid_namespaces(7). If not, pids mean others there."""
    try:
        named = os.readlink("/proc/self")
    except OSError:
        return True  # there is none, which is found out elsewhere
    return named == str(os.getpid()) and len(status("self").get("NSpid", named).split()) == 1


def check_target(pid: int) -> tuple[int, str | None]:
    """Whether ``pid`` can be attached to, as far as this is known without touching it.

    Returns its thread group, and a line for the user where ``pid`` is but a thread of it. Raises PtmonError.
    """
    if not proc_is_ours():
        raise _refused(
            pid,
            "/proc shows another PID namespace than ptmon's, and somebody else under that number; first run:"
            " mount -t proc proc /proc",
        )
    fields = status(pid)
    if not fields:
        raise _refused(pid, _unseen(pid))
    group = int(fields.get("Tgid", pid))
    said = None
    if group != pid:
        said = f"{pid} is a thread of process {group}: attaching to {group}"
        fields = status(group) or fields
    name = printable(fields.get("Name", "?"))
    if group == os.getpid():
        raise _refused(group, "that is ptmon itself: a process cannot trace itself (EPERM)")
    if group in _ancestors():
        raise _refused(
            group,
            f"{name} is an ancestor of ptmon: it may wait for ptmon while ptmon holds it; run ptmon from another shell",
        )
    if _is_kernel_thread(group, fields):
        raise _refused(group, f"{name} is a kernel thread, it makes no system calls (EPERM)")
    if fields.get("State", "").startswith("Z") and fields.get("Threads") == "1":  # else its leader alone has ended
        raise _refused(group, f"{name} has ended already, it is a zombie until its parent waits for it (EPERM)")
    if tracer := _traced_by(fields):
        raise _refused(group, f"{name} is already traced by {tracer}; a process has one tracer (EPERM): end that one")
    return group, said


def attach_failure(error: AttachError) -> PtmonError:
    """The message for a failed seize. The kernel does not say why, so the first reason that holds is told."""
    pid = error.pid
    word = kernel_word(error.number)
    if error.number == errno.ESRCH:
        return _refused(pid, f"it has just ended ({word})")
    if error.number not in (errno.EPERM, errno.EACCES):
        doing = {Step.SEIZE: "seizing it", Step.READ: "reading /proc"}.get(error.step, "attaching")
        return _refused(pid, f"{doing} failed ({word})")
    return _refused(pid, f"{_why_not_permitted(pid)} ({word})")


def launch_failure(error: LaunchError) -> PtmonError:
    """The message and exit status for a program that could not be started."""
    program = printable(error.program)
    word = kernel_word(error.number)
    if error.number == errno.ESRCH:
        return PtmonError(f"cannot start {program}: it was killed before it began to run ({word})", EXIT_OWN)
    if error.step == Step.EXEC:
        # As the child has looked for it, which was in cwd by then.
        return _exec_failure(os.path.join(error.cwd or "", error.program), program, error.number, word)
    if error.step == Step.SEIZE:
        return PtmonError(f"cannot trace {program}: {_why_no_seize()} ({word})", EXIT_OWN)
    if error.step == Step.SECCOMP:
        what = "the seccomp filter cannot be set; try --seccomp off"
        return PtmonError(f"cannot trace {program}: {what} ({word})", EXIT_OWN)
    if error.step == Step.DIRECTORY:
        where = printable(error.cwd or "")
        return PtmonError(f"cannot start {program}: its directory {where} cannot be entered ({word})", EXIT_OWN)
    if error.step == Step.FORK:
        return PtmonError(
            f"cannot start {program}: no process can be made ({word}); see ulimit -u and memory", EXIT_OWN
        )
    return PtmonError(f"cannot start {program}: {error.step.name.lower()} failed ({word})", EXIT_OWN)


def _exec_failure(program: str, shown: str, number: int, word: str) -> PtmonError:
    if number == errno.ENOENT:
        if "/" not in shown:
            return PtmonError(f"{shown}: not found in PATH ({word})", EXIT_NOT_FOUND)
        if os.path.lexists(program):
            what = "it is there, but not the interpreter (#! line or ELF) that it names, or where its link leads"
            return PtmonError(f"{shown}: cannot be executed: {what} ({word})", EXIT_NOT_FOUND)
        return PtmonError(f"{shown}: not found ({word})", EXIT_NOT_FOUND)
    if number == errno.EACCES and os.path.isdir(program) and "/" in shown:
        return PtmonError(f"{shown}: is a directory, not a program ({word})", EXIT_NOT_EXECUTABLE)
    hints = {
        errno.EACCES: "not executable; see its permissions (chmod +x) and its mount's noexec",
        errno.ENOEXEC: "not a program that this kernel can run: no #! line, or built for another machine",
        errno.ETXTBSY: "it is open for writing; end the writer first",
        errno.E2BIG: "its arguments and environment are too large",
    }
    return PtmonError(
        f"{shown}: cannot be executed: {hints.get(number, 'execve failed')} ({word})", EXIT_NOT_EXECUTABLE
    )


def _refused(pid: int, why: str) -> PtmonError:
    return PtmonError(f"cannot attach to process {pid}: {why}")


def _unseen(pid: int) -> str:
    """Why /proc/PID/status cannot be read: no such process, or a /proc mounted with hidepid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return f"there is no such process ({kernel_word(errno.ESRCH)})"
    except PermissionError:
        return f"it is another user's process; run ptmon as that user or as root ({kernel_word(errno.EPERM)})"
    return f"/proc/{pid} cannot be read; is /proc mounted?"


def _ancestors() -> set[int]:
    found: set[int] = set()
    pid = os.getppid()
    while pid > 0 and pid not in found:
        found.add(pid)
        pid = int(status(pid).get("PPid", 0))
    return found


def _is_kernel_thread(pid: int, fields: dict[str, str]) -> bool:
    if "Kthread" in fields:  # Linux >= 6.8
        return fields["Kthread"] == "1"
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="surrogateescape")
    except OSError:
        return False
    return bool(int(stat.rpartition(")")[2].split()[6]) & PF_KTHREAD)


def _traced_by(fields: dict[str, str]) -> str | None:
    """The tracer of the process with this status, as ``process 7 (strace)``."""
    tracer = fields.get("TracerPid", "0")
    if tracer == "0":
        return None
    name = status(tracer).get("Name")
    return f"process {tracer} ({printable(name)})" if name else f"process {tracer}"


def _capable(capability: int) -> bool:
    return bool(int(status("self").get("CapEff", "0"), 16) >> capability & 1)


def _yama_scope() -> int:
    try:
        return int(YAMA.read_text())
    except (OSError, ValueError):
        return 0  # a kernel without Yama


def _why_not_permitted(pid: int) -> str:
    fields = status(pid)
    if tracer := _traced_by(fields):
        return f"it is already traced by {tracer}; a process has one tracer: end that one"
    scope = _yama_scope()
    if scope == 3:
        return YAMA_SCOPES[3]
    if _capable(CAP_SYS_PTRACE):
        return (
            "ptmon has CAP_SYS_PTRACE but the kernel refuses: the process is in another user namespace, or a security"
            " module (AppArmor, SELinux) or a container's seccomp profile forbids ptrace"
        )
    mine, theirs = os.getuid(), fields.get("Uid", "").split()[:3]
    if theirs and any(uid != str(mine) for uid in theirs):
        if mine == 0:
            return _without_capability()
        return (
            f"it is another user's process (uid {theirs[0]}, ptmon runs as {mine}); run ptmon as that user or as root"
        )
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        owner = mine
    if owner != mine:
        return "it is not dumpable (set-user-ID, file capabilities, or its own wish); run ptmon as root"
    if scope:
        return YAMA_SCOPES.get(scope, f"Yama ptrace_scope is {scope}")
    if mine == 0:
        return _without_capability()
    return "a security module (AppArmor, SELinux) or a container's seccomp profile forbids ptrace; run ptmon outside"


def _without_capability() -> str:
    return (
        "ptmon is root but has no CAP_SYS_PTRACE, as in a container; start the container with --cap-add=SYS_PTRACE,"
        " or run ptmon on the host"
    )


def _why_no_seize() -> str:
    if tracer := _traced_by(status("self")):
        return (
            f"ptmon is itself traced by {tracer}, which follows its children; ptmon cannot run inside ptmon or another"
            " tracer that does so"
        )
    scope = _yama_scope()
    if scope == 3 or (scope == 2 and not _capable(CAP_SYS_PTRACE)):  # one's own child is no exception
        return YAMA_SCOPES[scope]
    return "the kernel forbids ptrace: a container's seccomp profile or a security module (AppArmor, SELinux)"
