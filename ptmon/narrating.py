# SPDX-License-Identifier: GPL-2.0-or-later
"""--explain: what the reference engine does, told to people who learn how a tracer works. The engine says what it has
done (``ptmon.engines.Act``); here are the words, and where to read more.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import textwrap
from collections.abc import Iterator

from ptmon import syscalls
from ptmon.engines import Act
from ptmon.errors import PtmonError, kernel_word
from ptmon.outputs import stderr
from ptmon.static import Any
from ptmon.text import counted

WIDTH = 100
IN_FULL = 2
"""So many calls are told in full, whatever they do; later ones only if they may move bytes over a socket."""
LOOK = 0.1
"""Seconds between two looks for a Ctrl-C, while Enter is waited for."""

ACTS = {
    "fork": (
        "fork: a child, {pid}, which is a copy of ptmon as yet",
        "The copy is going to be the program. Only a parent that is there before the program is can see all of it.",
        "fork(2)",
    ),
    "traceme": (
        "PTRACE_TRACEME: the child has asked the kernel to make its parent its tracer",
        "It then sent itself a SIGSTOP. waitpid reports that to ptmon as a signal-delivery-stop: the child stands still"
        " until its tracer resumes it, and meanwhile ptmon can set its options.",
        "ptrace(2), PTRACE_TRACEME",
    ),
    "attach": (
        "PTRACE_ATTACH: process {pid} runs already; ptmon is its tracer from now on",
        "The kernel has sent it a SIGSTOP, and waitpid has reported that it stopped. That SIGSTOP is not delivered.",
        "ptrace(2), PTRACE_ATTACH",
    ),
    "options": (
        "PTRACE_SETOPTIONS {number:#x}: which stops the tracer wants, and how it can tell them apart",
        "PTRACE_O_TRACESYSGOOD marks syscall-stops by 0x80. PTRACE_O_TRACEEXEC makes an event of the execve, which"
        " would be a plain SIGTRAP otherwise, as any process can send one. So for fork, vfork, clone and exit.",
        "ptrace(2), PTRACE_SETOPTIONS",
    ),
    "cont": (
        "PTRACE_CONT: the child runs on, to its execve",
        "Its SIGSTOP has done its work and is not delivered: the signal handed to PTRACE_CONT is 0.",
        "ptrace(2), PTRACE_CONT",
    ),
    "exec": (
        "PTRACE_EVENT_EXEC: the SIGTRAP of the execve, with the event in the wait status",
        "The new program is in place and has not run one instruction. From here on its calls count.",
        "ptrace(2), PTRACE_EVENT_EXEC; execve(2)",
    ),
    "resume": (
        "PTRACE_SYSCALL: it runs on, and stops where it next enters a system call, or returns from one",
        "So ptmon resumes it after every stop, and then waits. That is not told again.",
        "ptrace(2), PTRACE_SYSCALL; waitpid(2)",
    ),
    "entry": (
        "syscall-entry-stop: it is about to make {call}",
        "waitpid has reported SIGTRAP | 0x80. ptmon reads the registers, and asks PTRACE_GET_SYSCALL_INFO whether this"
        " is an entry or an exit, for that can't be known by counting. The call has not been made: so the result is"
        " -ENOSYS as yet, which is what the program gets of a call that there is not. What an fd names is looked up"
        " now, for when the call returns it may be closed.",
        "ptrace(2), PTRACE_GET_SYSCALL_INFO; syscall(2)",
    ),
    "exit": (
        "syscall-exit-stop: {call} has returned {result}",
        "The program has not seen it yet. A call that failed has -errno here; the C library makes -1 and errno of it.",
        "ptrace(2), Syscall-stops; errno(3)",
    ),
    "count": (
        "counted: {value} bytes {way} by {name} on fd {number}",
        "The fd is a socket and the call has returned so many bytes: they are added to the process, the thread, the"
        " socket and the call.",
        "{name}(2); ptmon/engines/reference/counting.py",
    ),
    "signal": (
        "signal-delivery-stop: {signal} is about to be delivered",
        "The tracer decides: it hands the number to PTRACE_SYSCALL, and the program gets its signal as without ptmon.",
        "ptrace(2), Signal-delivery-stop; signal(7)",
    ),
    "born": (
        "PTRACE_EVENT_FORK, _VFORK or _CLONE: a child or thread, {number}",
        "The kernel has attached it. This engine traces one thread: it lets this one go (PTRACE_DETACH), and says so.",
        "ptrace(2), PTRACE_O_TRACECLONE; clone(2)",
    ),
    "dying": (
        "PTRACE_EVENT_EXIT: it is about to exit, and its memory and fds are still there",
        "The last moment to read the kernel's own counters of its TCP sockets.",
        "ptrace(2), PTRACE_EVENT_EXIT",
    ),
    "ended": (
        "waitpid: it is gone, {ended}",
        "Nobody is traced any more. ptmon adds up, and ends as the program did.",
        "waitpid(2)",
    ),
    "detach": (
        "PTRACE_DETACH: it runs on by itself",
        "A tracee can be let go only while it is stopped, so a SIGSTOP came first, which is not delivered.",
        "ptrace(2), PTRACE_DETACH",
    ),
}
"""What is said of each act: a line, a sentence or two for the first time, and where to read more."""

RESULT, STORED = "the result", "the number, kept here: rax is the result's place"
REGISTERS = {
    "orig_rax": "the call's number",
    "rip": "the instruction with which it goes on",
    "x8": "the call's number",
}
NO_CALL_YET = "-ENOSYS: set before the call is made (arch/x86/entry/entry_64.S)"
PROMPT = "    [Enter: the next step; c and Enter: go on without waiting] "


class Narrator:
    """Called at each act of the engine, while the tracee stands. ``wait``: for Enter, after each step."""

    def __init__(self, *, wait: bool = False) -> None:
        """Raises PtmonError where there is no terminal to wait on."""
        self._step = 0
        self._calls = 0
        self._told: set[str] = set()
        self._short: dict[str, int] = {}
        """Calls since the last step that are told in short, and how often each was made."""
        self._in_short = False
        """The call that was entered last is one of these."""
        self._terminal = _terminal() if wait else None

    def __call__(self, act: Act) -> None:
        if act.kind == "entry":
            self._calls += 1
            self._in_short = not act.sockets and self._calls > IN_FULL
            if self._in_short:
                name = syscalls.name(act.number, act.compat)
                self._short[name] = self._short.get(name, 0) + 1
        if act.kind == "resume" and act.kind in self._told:
            return
        if not (self._in_short and act.kind in ("entry", "exit")):
            self._tell(act)

    def _tell(self, act: Act) -> None:
        line, more, source = ACTS[act.kind]
        self._step += 1
        words: dict[str, Any] = {name: getattr(act, name) for name in Act.__match_args__}
        words |= {"call": _call(act), "result": _result(act), "signal": _signal(act.number), "ended": _ended(act)}
        lines = textwrap.wrap(f"{self._step:2}. {line.format(**words)}", WIDTH, subsequent_indent="    ")
        if act.kind not in self._told:
            self._told.add(act.kind)
            lines += textwrap.wrap(more, WIDTH, initial_indent="    ", subsequent_indent="    ")
        _write([*self._in_between(), *lines, *_table(act), f"    → {source.format(**words)}"])
        self._wait()

    def _in_between(self) -> list[str]:
        """The calls that were not told one by one."""
        if not self._short:
            return []
        names = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in self._short.items())
        calls = counted(sum(self._short.values()), "call")
        self._short = {}
        said = f"... {calls} that can't move bytes over a socket, each seen twice: {names}"
        return textwrap.wrap(said, WIDTH, initial_indent="    ", subsequent_indent="    ")

    def _wait(self) -> None:
        if self._terminal is None:
            return
        os.write(self._terminal, PROMPT.encode())
        # Ctrl-C is pending, for the engine keeps it for later: whoever has pressed it wants no further prompt.
        while not select.select([self._terminal], [], [], LOOK)[0]:
            if signal.sigpending() & {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}:
                self._go_on()
                return
        if os.read(self._terminal, 1024) != b"\n":
            self._go_on()

    def _go_on(self) -> None:
        """Nobody is asked any more."""
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None


def _terminal() -> int:
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        word = kernel_word(error.errno or 0)
        raise PtmonError(f"--explain-step waits for Enter on the terminal, and there is none ({word})") from None


def _write(lines: list[str]) -> None:
    stderr.put(lambda file: file.writelines(f"{line}\n" for line in lines))


def _call(act: Act) -> str:
    """``write, number 1``; empty for what is no call."""
    return f"{syscalls.name(act.number, act.compat)}, number {act.number}" if act.registers else ""


def _result(act: Act) -> str:
    name = errno.errorcode.get(-act.value)
    return f"{act.value} (-{name})" if name else str(act.value)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _ended(act: Act) -> str:
    return f"killed by {_signal(act.number)}" if act.number else f"with exit status {act.value}"


def _table(act: Act) -> Iterator[str]:
    """The registers, one a line: name, value, meaning."""
    arguments = 0
    for name, value in act.registers:
        if name in REGISTERS:
            said = STORED if act.kind == "exit" and name == "orig_rax" else REGISTERS[name]
        elif name == "rax" and act.kind == "entry":
            said = NO_CALL_YET
        elif act.kind == "exit":
            said = RESULT
        else:
            said = f"argument {arguments}"
            arguments += 1
        yield f"      {name:9} {value if abs(value) < 1 << 16 else hex(value):<19} {said}"
