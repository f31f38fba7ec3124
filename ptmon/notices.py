# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain words for what a report's reader has to know: why bytes may be missing, and why calls are counted at stops."""

from __future__ import annotations

import errno

from ptmon.records import Fallback, FallbackReason, Incomplete, Reason
from ptmon.report import FallbackReport, Notice
from ptmon.text import counted

HARMLESS = frozenset({Reason.PTRACE, Reason.INTERRUPTED})
"""Reasons which do not mean that bytes are missing."""

MESSAGES = {
    Reason.IO_URING: "process {pid} uses io_uring{call}: its transfers make no system call that could be counted;"
    " with --no-io-uring most programs fall back to ordinary calls",
    Reason.AIO: "process {pid} uses Linux AIO on a socket{call}: those transfers are not counted",
    Reason.UNREADABLE: "process {pid} may not be read{call}: its file descriptors or messages are unknown,"
    " so bytes are missing or belong to no known socket",
    Reason.X32: "process {pid} makes calls of the x32 ABI{call}: they are not decoded and not counted",
    Reason.UNTRACED: "a child or thread of process {pid} could not be followed{call}: what it transfers is not counted",
    Reason.PTRACE: "a ptrace call of process {pid} failed{call}: a process has one tracer, and that is ptmon;"
    " LeakSanitizer wants to be it, too: turn that off by ASAN_OPTIONS=detect_leaks=0",
    Reason.NO_MEMORY: "ptmon ran out of memory for its tables while it traced process {pid}{call}: bytes are missing",
    Reason.DETACHED: "process {pid} was let go or killed in the middle of a call{call}: that call's bytes are unknown",
    Reason.UNATTRIBUTED: "calls were counted in process {pid}{call}, but on which socket is not known any more:"
    " their bytes are missing",
    Reason.INTERRUPTED: "a thread of process {pid} had to be interrupted in the middle of a call{call}, which may have"
    " returned too early",
    Reason.FORGED: "process {pid} has changed what ptmon keeps in its memory to count its calls{call}: bytes are"
    " missing, or were never moved",
    Reason.UNASKED: "process {pid} took ptmon for gone and made calls{call} that were not counted: bytes are missing",
    Reason.CODE: "code of process {pid} was changed by something that is no call of its own{call}:"
    " calls that it made before that was seen are not counted",
    Reason.TRACED: "{left} left out, for another tracer has them{call}: what they transfer is not counted",
    Reason.FORBIDDEN: "{left} left out, for ptmon may not trace them, other users' ones or"
    " such as are not dumpable{call}: what they transfer is not counted; run ptmon as root",
    Reason.UNATTACHED: "process {pid} could not be attached to{call}: what it transfers is not counted",
    Reason.RECORDING: "the recording of process {pid} was not finished, or is damaged{call}: what came after is not"
    " told",
    Reason.COMPAT: "process {pid} runs a 32-bit program{call}: on this machine its calls are not counted, nor refused",
}

FALLBACKS = {
    FallbackReason.MACHINE: "this machine does not let programs read their thread pointer (FSGSBASE)",
    FallbackReason.SANDBOX: "it has a seccomp filter of its own",
    FallbackReason.DISPATCH: "it has its system calls sent to itself (syscall user dispatch)",
    FallbackReason.MEMORY: "the kernel refuses the memory",
    FallbackReason.TAKEN: "it uses the addresses itself that ptmon needs",
    FallbackReason.CODE: "it makes calls in code that ptmon does not know",
    FallbackReason.COMPAT: "it makes 32-bit calls",
    FallbackReason.DESCRIPTORS: "its threads do not share one table of file descriptors",
    FallbackReason.UNREADABLE: "its memory may not be read and written",
    FallbackReason.THREADS: "it has too many threads, or threads that can't be told apart",
    FallbackReason.LIMITED: "its memory is limited (RLIMIT_AS, RLIMIT_DATA) or locked",
    FallbackReason.ROOM: "nowhere in its code is room for the instructions that map ptmon's memory",
    FallbackReason.LEFT: "it was let go, but ptmon's memory is still mapped in it: one of its threads may return there",
    FallbackReason.PROC: "/proc shows another PID namespace than ptmon's (unshare --mount-proc mounts the right one)",
    FallbackReason.RINGS: "its file descriptors may change without a call of its own (io_uring, or who shares them)",
    FallbackReason.UNFOLLOWED: "a child that is not followed runs in its memory (--no-follow)",
    FallbackReason.FILTER: "it can't be given a further seccomp filter, so all of its calls stop",
    FallbackReason.CLOCK: "it may not read the time stamp counter (PR_SET_TSC)",
}
"""Why a process stops at its calls."""


def notice(record: Incomplete) -> Notice:
    """The warning that a record stands for."""
    said = [record.syscall] if record.syscall else []
    if record.error and record.reason is Reason.INTERRUPTED and not said:
        from ptmon import syscalls

        said.append(syscalls.name(record.error, compat=False))  # the number of a call that is not in the core's table
    elif record.error:
        said.append(_errno(record.error))
    call = f" ({', '.join(said)})" if said else ""
    verb = "is" if record.count == 1 else "are"
    left = f"{counted(record.count, 'process', 'processes')} started by process {record.pid} {verb}"
    message = MESSAGES[record.reason].format(pid=record.pid, call=call, left=left)
    return Notice(record.reason.value, record.pid, message)


def fallback(record: Fallback) -> FallbackReport:
    """Why a process stops at its calls, in one line."""
    error = f" ({_errno(record.error)})" if record.error else ""
    return FallbackReport(record.pid, f"{FALLBACKS[record.reason]}{error}")


def differing(pid: int | None, count: int) -> Notice:
    """The kernel has counted other bytes than ptmon on some sockets of a process."""
    whose = "ptmon's" if pid is None else f"ptmon's in process {pid}"
    sockets = "1 socket" if count == 1 else f"{count} sockets"
    message = (
        f"the kernel's TCP counters differ from {whose} on {sockets}: bytes went another way than by counted calls"
    )
    return Notice("audit", pid, message)


def never_ran(name: str) -> Notice:
    """--only names a program, perhaps by a slip, which nobody has run: there is nothing to count."""
    return Notice("only", None, f"no process ran a program of the file name {name!r} (--only): nothing was counted")


def folded(count: int, limit: int) -> Notice:
    """The report does not list every socket."""
    closed = "1 closed socket is" if count == 1 else f"{count:,} closed sockets are"
    message = (
        f"no more than {limit:,} sockets are listed one by one (--max-sockets): {closed} folded into one row for each"
        " peer's host; the totals are exact"
    )
    return Notice("folded", None, message)


def _errno(number: int) -> str:
    return errno.errorcode.get(number, f"errno {number}")
