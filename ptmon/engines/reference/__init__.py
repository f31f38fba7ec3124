# SPDX-License-Identifier: GPL-2.0-or-later
"""The reference engine: how a tracer works, in few words. Start reading here.

A tracer is told whenever its tracee stops, and the tracee stands still until the tracer lets it run on:

    get      launch: the child calls PTRACE_TRACEME, then executes the program; attach: PTRACE_ATTACH (starting.py)
    wait     waitpid() returns the tracee's next stop; a SIGCHLD says that there is one
    look     a syscall-stop, twice for each system call: the registers tell which call it is (boundary.py), at entry
             what it is about, at exit what it came to (tracee.py), and what of that counts (counting.py); the calls
             that --trace names are told there (telling.py)
    resume   PTRACE_SYSCALL: run on to the next system call; if a signal has stopped the tracee, it is delivered now

python-ptrace makes the requests, by its bindings: its PtraceDebugger would swallow a program's own SIGTRAP and does not
know PTRACE_EVENT_EXIT. The records are those of the native engine, so the two are tested against each other.

Its limits. It is slow: every system call of any kind stops twice, for there is no seccomp filter that lets most of them
pass. It traces one thread of one process: children and further threads run on untraced, and the report says so; a
process that has threads cannot be attached to. There is no job control: a stop signal does not stop the program.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from ptmon.engines import EngineSettings, Past
from ptmon.engines.boundary import BLOCKED, read_call
from ptmon.engines.reference import starting
from ptmon.engines.reference.acts import Acts
from ptmon.engines.reference.starting import PtraceError, libc, ptrace, unless_gone
from ptmon.engines.reference.telling import Teller
from ptmon.engines.reference.tracee import Tracee
from ptmon.errors import AttachError
from ptmon.records import Clone, Exit, Inside, Reason, Record, Site

BATCH = 0.1
"""Seconds from one batch of records to the next."""

SYSCALL_STOP = signal.SIGTRAP | 0x80  # with PTRACE_O_TRACESYSGOOD
SYS_SECCOMP = 1  # si_code of the SIGSYS of a seccomp filter: sigaction(2)
JOB_CONTROL = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
AWAITED = {signal.SIGCHLD, *BLOCKED}


class ReferenceEngine:
    """Traces by python-ptrace. See :class:`ptmon.engines.Engine`. Raises UsageError for what it cannot do."""

    name = "reference"

    def __init__(self, settings: EngineSettings) -> None:
        starting.check(settings)
        self.settings = settings
        self.root = 0
        self.started = 0.0
        self.counting = True
        self.exit: Exit | None = None
        self.refused: Sequence[AttachError] = ()
        self.explained: Sequence[Site | Inside] = ()
        self.past: Past | None = None
        self.told = 0.0
        self._start = 0
        self._end: int | None = None
        self._tracee = Tracee(0)
        self._teller = Teller(self._tracee.journal, ())
        self._held = False
        """There is a tracee."""
        self._asked_to_end = False
        self._asked_to_stop = False
        self._signalled = 0
        self._leaving = False
        self._for_program: dict[int, float] = {}
        """Signals to ptmon that are meant for the program, and when they came."""
        self._delivered: dict[int, float] = {}
        """When the program last got such a signal itself."""
        self._original = starting.Signals()
        self._acts = Acts(settings)

    def stop(self) -> None:
        self._asked_to_stop = True  # seen when the batch under way ends

    def send_signal(self, number: int) -> None:
        if self.root and number != self._signalled and self.exit is None:
            self._signalled = number
            with suppress(ProcessLookupError):
                os.kill(self.root, number)

    def elapsed(self) -> float:
        return ((time.monotonic_ns() if self._end is None else self._end) - self._start) / 1e9

    def __enter__(self) -> ReferenceEngine:
        self._original = starting.block(AWAITED)
        self.started = time.time()
        self._start = time.monotonic_ns()
        try:
            self._begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held:
            self._give_up()
        starting.unblock(self._original, BLOCKED)

    def __iter__(self) -> Iterator[list[Record]]:
        while self._held:
            self._run_for(min(BATCH, self._remaining()) if self.counting else BATCH)
            if self.counting and (self._asked_to_end or self._asked_to_stop or self._remaining() <= 0):
                self._end = time.monotonic_ns()
                self.counting = False
            yield self._take()
            if self.settings.attach and not self.counting and self._held:
                self._detach()
                yield self._take()

    def _begin(self) -> None:
        """Gets the tracee, which is in its first stop then; what it has done before does not count."""
        settings, parent = self.settings, None
        if settings.attach:
            self.root = settings.attach[0]
            parent = starting.attach(self.root, self._acts.tell)
        else:
            self.root = starting.launch(settings, self._original, self._acts.tell)
        self._held = True
        self._tracee = Tracee(self.root)
        self._teller = Teller(self._tracee.journal, settings.watches)
        self._tracee.journal.now = self.elapsed()
        if parent is None:
            self._tracee.journal.records.append(Clone(self.elapsed(), self.root, self.root, os.getpid()))
        self._tracee.sockets.share()  # whatever it has inherited, or had before
        self._tracee.runs(parent)
        if parent is not None and settings.follow and starting.has_children(self.root):
            self._tracee.say(Reason.UNTRACED)
        self._resume()

    def _run_for(self, seconds: float) -> None:
        """Handles the stops of this time, and the signals to ptmon."""
        end = time.monotonic() + seconds
        while self._held and (left := end - time.monotonic()) > 0:
            info = signal.sigtimedwait(AWAITED, left)
            if info is not None and info.si_signo != signal.SIGCHLD:
                self._asked(info)
            else:
                self._wait(os.WNOHANG)
        self._pass_on(end)

    def _pass_on(self, now: float) -> None:
        """Sends the program what was meant for it, unless that was sent to its whole process group."""
        for number, came in list(self._for_program.items()):
            if self._held and came + BATCH <= now:
                del self._for_program[number]
                if self._delivered.get(number, 0.0) < came - BATCH:
                    os.kill(self.root, number)

    def _wait(self, flags: int) -> None:
        """The tracee's next stop or its end, if there is one."""
        try:
            pid, status = os.waitpid(self.root, flags)
        except ChildProcessError:  # a thread that is not traced has executed a program: the tracee is gone for it
            self._tracee.say(Reason.UNTRACED)
            self._held = False
            return
        if not pid:
            return
        self._tracee.journal.now = self.elapsed()
        if os.WIFSTOPPED(status):
            with unless_gone():
                self._stopped(status)
            self._acts.counted(self._tracee.journal.records)
        else:
            self._ended(status)

    def _stopped(self, status: int) -> None:
        """One stop: what it tells is noted, and the tracee runs on. The words are those of ptrace(2)."""
        event, number = ptrace.WPTRACEEVENT(status), os.WSTOPSIG(status)
        self._tracee.settle(trapped=number == signal.SIGSYS and self._siginfo().si_code == SYS_SECCOMP)
        if event == ptrace.PTRACE_EVENT_EXEC:
            self._acts.tell("exec", self.root)
            self._tracee.runs()
        elif event == ptrace.PTRACE_EVENT_EXIT:
            self._acts.tell("dying", self.root)
            self._tracee.exits(read_call(self.root))
        elif event:
            self._born(ptrace.ptrace_geteventmsg(self.root))
        elif number == SYSCALL_STOP:
            self._syscall_stop()
        elif number == signal.SIGSTOP and self._leaving:
            return self._left()
        else:
            self._acts.tell("signal", self.root, number)
            # signal-delivery-stop; or group-stop, where the kernel takes no notice of the number
            self._delivered[number] = time.monotonic()
            return self._resume(number)
        return self._resume()

    def _syscall_stop(self) -> None:
        """Entry or exit is read, not guessed by turns: an attach may come between the two."""
        call = read_call(self.root)
        if not self.counting:
            return
        if call.at_exit:
            self._acts.call(self.root, call, sockets=self._tracee.may_transfer)
            self._tracee.leave(call.result)
            self._teller.leave(call.result)
        else:
            self._teller.enter(call)
            self._tracee.enter(call)
            self._acts.call(self.root, call, sockets=self._tracee.may_transfer)

    def _resume(self, number: int = 0) -> None:
        """Lets the tracee run on: to its next system call, or when nothing counts any more to its next event."""
        if self.counting:
            self._acts.tell("resume", self.root, number)
        with unless_gone():
            (ptrace.ptrace_syscall if self.counting else ptrace.ptrace_cont)(self.root, number)

    def _born(self, tid: int) -> None:
        """The kernel has attached a new child or thread. It is not wanted, and runs on by itself."""
        os.waitpid(tid, starting.WALL)
        thread = os.path.exists(f"/proc/{self.root}/task/{tid}")
        self._acts.tell("born", self.root, tid)
        with unless_gone():
            ptrace.ptrace_detach(tid)
        if thread or self.settings.follow:
            self._tracee.say(Reason.UNTRACED)
        self._tracee.sockets.share(later_ones=thread)

    def _ended(self, status: int) -> None:
        self._held = False
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.exit = Exit(self._tracee.journal.now, self.root, self.root, self._tracee.name, code, number)
        self._tracee.journal.records.append(self.exit)
        self._acts.tell("ended", self.root, number or 0, code or 0)

    def _asked(self, info: signal.struct_siginfo) -> None:
        """A signal to ptmon itself."""
        if info.si_signo in JOB_CONTROL:
            return
        if self.settings.attach and info.si_signo == signal.SIGHUP:
            self._hung_up(info)
        elif self.settings.attach:
            self._asked_to_end = True
        elif info.si_code <= 0 and info.si_pid != self.root:
            # By kill(2), not by the terminal (SI_KERNEL), which has reached the program too.
            self._for_program[info.si_signo] = time.monotonic()

    def _hung_up(self, info: signal.struct_siginfo) -> None:
        """By kill(2), as logrotate does it, or because the terminal has ended; nohup ignores it."""
        if info.si_code <= 0 and self.settings.reopen is not None:
            self.settings.reopen()
        elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            self._asked_to_end = True

    def _detach(self) -> None:
        """Lets the process go. That wants a stop, for which a SIGSTOP of our own serves; it is not delivered."""
        self._leaving = True
        libc.tgkill(self.root, self.root, signal.SIGSTOP)
        while self._held:
            self._wait(0)

    def _left(self) -> None:
        try:
            ours = self._siginfo()._sigchld.pid == os.getpid()  # where kill(2) has its si_pid, too
        except PtraceError:
            ours = True  # EINVAL: no signal, a group-stop, in which the process stays
        self._tracee.let_go()
        self._held = False
        self._acts.tell("detach", self.root)
        with unless_gone():
            ptrace.ptrace_detach(self.root, 0 if ours else signal.SIGSTOP)

    def _give_up(self) -> None:
        """ptmon has failed, and maybe in the middle of a stop. The process runs on: nobody counts any more."""
        self.counting = False
        self._resume()
        if self.settings.attach:
            self._detach()
        while self._held:
            self._wait(0)

    def _siginfo(self) -> Any:
        return ptrace.ptrace_getsiginfo(self.root)

    def _remaining(self) -> float:
        duration = self.settings.duration
        return BATCH if duration is None else duration - self.elapsed()

    def _take(self) -> list[Record]:
        self.told = self.elapsed()
        records, self._tracee.journal.records = self._tracee.journal.records, []
        self._acts.taken()
        return records
