# SPDX-License-Identifier: GPL-2.0-or-later
"""How the reference engine gets its tracee, and with what signals: launch and attach.

Both return with the tracee in a ptrace-stop, its options set, before its first system call that could count.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ptmon.engines import EngineSettings
from ptmon.engines.native import original_environment
from ptmon.errors import AttachError, LaunchError, PtmonError, Step, UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is older than some of what newer versions of Python warn of
    from ptrace.binding import func as ptrace
    from ptrace.ctypes_libc import libc
    from ptrace.error import PtraceError

__all__ = ["PtraceError", "Signals", "attach", "block", "check", "launch", "libc", "ptrace", "unblock", "unless_gone"]

OPTIONS = (
    ptrace.PTRACE_O_TRACESYSGOOD  # a syscall-stop is SIGTRAP | 0x80, and so no SIGTRAP of the program's own
    | ptrace.PTRACE_O_TRACEFORK
    | ptrace.PTRACE_O_TRACEVFORK
    | ptrace.PTRACE_O_TRACECLONE
    | ptrace.PTRACE_O_TRACEEXEC
    | ptrace.PTRACE_O_TRACEEXIT
)
PTRACE_O_EXITKILL = 0x100000  # linux/ptrace.h
WALL = ptrace.THREAD_TRACE_FLAGS  # __WALL of waitpid(2): threads and children alike
Tell = Callable[..., None]
"""Acts.tell of ``acts.py``."""
ANSWER = struct.Struct("ii")
"""What a child says that could not become the program: enum Step, errno."""


@dataclass(frozen=True, slots=True)
class Signals:
    """ptmon's own signals as they were: the program gets them so."""

    mask: frozenset[int] = field(default_factory=frozenset)
    child_handler: Any = signal.SIG_DFL


def check(settings: EngineSettings) -> None:
    """Raises UsageError for what the reference engine cannot do."""
    refused = {
        "--only": settings.only is not None,
        "--no-io-uring": not settings.io_uring,
        "--seccomp on": settings.seccomp == "on",
        "--fast-explain": settings.fast_explain,
        "more than one --attach": len(settings.attach) > 1,
        "a thread of another program": settings.guest,
    }
    if settings.rules or settings.hold is not None:
        raise UsageError("--hooks, --deny, --allow and --learn want --engine native")
    for option, given in refused.items():
        if given:
            raise UsageError(
                f"--engine reference and {option} do not go together: it traces one process, by ptrace alone"
            )


def block(numbers: Iterable[int]) -> Signals:
    """Lets signals wait until they are asked for by sigtimedwait(2): so none comes between a look and the next wait."""
    # A SIGCHLD that is ignored is not even sent.
    handler = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return Signals(frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, numbers)), handler)


def unblock(original: Signals, numbers: Iterable[int]) -> None:
    """Undoes ``block``. Of ``numbers``, what is still pending was meant for the program, or says again what is done."""
    handlers = [(number, signal.signal(number, signal.SIG_IGN)) for number in numbers]
    signal.signal(signal.SIGCHLD, original.child_handler or signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, original.mask)
    for number, handler in handlers:
        signal.signal(number, handler or signal.SIG_DFL)


@contextmanager
def unless_gone() -> Iterator[None]:
    """SIGKILL takes a tracee out of any stop. Requests fail with ESRCH then, and waitpid tells the rest."""
    try:
        yield
    except ProcessLookupError:
        pass
    except PtraceError as error:
        if error.errno != errno.ESRCH:
            raise


def launch(settings: EngineSettings, original: Signals, tell: Tell) -> int:
    """Starts a program as a tracee, which stops when its first instruction is to come. Raises LaunchError.

    By PTRACE_TRACEME: the child asks to be traced by its parent, the oldest and simplest way. native/api/launch.c uses
    PTRACE_SEIZE from the parent instead, since only a seized tracee can be left in a group-stop, by PTRACE_LISTEN.
    Under PTRACE_TRACEME a tracer that stays informed has to set a stopped program going again: no Ctrl-Z, no fg.
    """
    program = settings.command[0]
    reader, writer = os.pipe()  # close-on-exec
    try:
        pid = os.fork()
    except OSError as error:
        raise LaunchError(program, error.errno or 0, Step.FORK) from error
    if pid == 0:
        _become(settings, original, writer)
    os.close(writer)
    tell("fork", pid)
    with open(reader, "rb") as answer:
        started = _await(pid, lambda status: os.WSTOPSIG(status) == signal.SIGSTOP)
        if started:
            tell("traceme", pid)
            with unless_gone():
                ptrace.ptrace_setoptions(pid, OPTIONS | PTRACE_O_EXITKILL)
                tell("options", pid, OPTIONS | PTRACE_O_EXITKILL)
                tell("cont", pid)
                ptrace.ptrace_cont(pid)
            started = _await(pid, lambda status: ptrace.WPTRACEEVENT(status) == ptrace.PTRACE_EVENT_EXEC)
        if not started:
            step, number = ANSWER.unpack(answer.read() or ANSWER.pack(Step.NONE, errno.ESRCH))
            raise LaunchError(program, number, Step(step), settings.cwd)
    tell("exec", pid)
    return pid


def _become(settings: EngineSettings, original: Signals, writer: int) -> NoReturn:
    """The child's part. It is the program, or says why it is not."""
    step, number = Step.SEIZE, 0
    try:
        ptrace.ptrace_traceme()
        os.kill(os.getpid(), signal.SIGSTOP)  # until the parent has set its options
        step = Step.DIRECTORY
        if settings.cwd is not None:
            os.chdir(settings.cwd)
        step = Step.STREAMS
        for number, stream in enumerate(settings.streams or (), 1):
            os.dup2(stream, number)
        step = Step.EXEC
        signal.signal(signal.SIGCHLD, original.child_handler or signal.SIG_DFL)
        _ignore(settings.ignored)
        signal.pthread_sigmask(signal.SIG_SETMASK, original.mask)
        # Not os.execvpe(): an environment can hold what a dict cannot, and is to be passed on as it is.
        words = [os.fsencode(word) for word in settings.command]
        entries = _environment(os.getppid()) if settings.environment is None else _changed(settings.environment)
        libc.execvpe(words[0], _strings(words), _strings(entries))
        number = ctypes.get_errno()
    except (PtraceError, OSError) as error:
        number = error.errno or 0
    finally:
        os.write(writer, ANSWER.pack(step, number))
        os._exit(127)


def _ignore(ignored: int | None) -> None:
    """Dispositions as ptmon found them, as far as that is known: see EngineSettings."""
    if ignored is None:
        for name in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, from its own start on
            signal.signal(name, signal.SIG_DFL)
        if callable(signal.getsignal(signal.SIGINT)):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        return
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN if ignored >> (number - 1) & 1 else signal.SIG_DFL)


def _environment(tracer: int) -> list[bytes]:
    """The child's environment. sd_listen_fds(3): where LISTEN_PID names ptmon the program is meant, by its own pid."""
    entries = original_environment()
    ours = b"LISTEN_PID=%d" % tracer
    if ours not in entries:
        return entries
    entries = [entry for entry in entries if not entry.startswith(b"LISTEN_PIDFDID=")]
    return [b"LISTEN_PID=%d" % os.getpid() if entry == ours else entry for entry in entries]


def _changed(entries: Sequence[bytes]) -> Sequence[bytes]:
    """The environment that was asked for, as this process's from here on: its PATH is looked through."""
    os.environb.clear()
    for entry in entries:
        name, _, value = entry.partition(b"=")
        os.environb[name] = value
    return entries


def _strings(items: Sequence[bytes]) -> Any:
    """char *[], with a NULL at its end."""
    return (ctypes.c_char_p * (len(items) + 1))(*items, None)


def attach(pid: int, tell: Tell) -> int:
    """Makes a running process a tracee, which stops wherever it is. Returns its parent. Raises PtmonError."""
    _check_one_thread(pid)
    state = _status(pid).get("State", "")
    if state.startswith("T"):
        raise PtmonError(
            f"cannot attach to process {pid}: it is stopped, and PTRACE_ATTACH would set it going; continue it first"
            f" (kill -CONT {pid}), or use --engine native"
        )
    try:
        ptrace.ptrace_attach(pid)
    except PtraceError as error:
        raise AttachError(pid, error.errno or 0, Step.SEIZE) from error
    # PTRACE_ATTACH has sent it a SIGSTOP. That stops it for its tracer alone, and is not delivered.
    if not _await(pid, lambda status: os.WSTOPSIG(status) == signal.SIGSTOP):
        raise AttachError(pid, errno.ESRCH, Step.SEIZE)
    with unless_gone():
        try:
            _check_one_thread(pid)  # it may have made one just before it stopped
        except PtmonError:
            ptrace.ptrace_detach(pid)
            raise
        ptrace.ptrace_setoptions(pid, OPTIONS)
        tell("attach", pid)
        tell("options", pid, OPTIONS)
    return int(_status(pid).get("PPid", 0))


def has_children(pid: int) -> bool:
    """Whether a process has children that run on untraced."""
    others = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return any(fields.get("PPid") == str(pid) and fields["State"][0] != "Z" for fields in map(_status, others))


def _await(pid: int, wanted: Callable[[int], bool]) -> bool:
    """Lets a tracee run, and its signals be delivered, until it stops as ``wanted``. False: it has ended."""
    while True:
        status = os.waitpid(pid, WALL)[1]
        if not os.WIFSTOPPED(status):
            return False
        if wanted(status):
            return True
        with unless_gone():
            ptrace.ptrace_cont(pid, 0 if ptrace.WPTRACEEVENT(status) else os.WSTOPSIG(status))


def _status(pid: int) -> dict[str, str]:
    """/proc/PID/status; empty if the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _check_one_thread(pid: int) -> None:
    threads = int(_status(pid).get("Threads", 1))
    if threads > 1:
        raise PtmonError(
            f"cannot attach to process {pid}: it has {threads} threads, and the reference engine traces a single one;"
            " use --engine native"
        )
