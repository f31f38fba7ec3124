# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls that the probes make, by ctypes: where the C core can't be loaded, they work still."""

from __future__ import annotations

import ctypes
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ptmon.doctor.probing import SECONDS, ProbeError, works

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.mmap.restype = ctypes.c_void_p
libc.syscall.restype = ctypes.c_long

# linux/ptrace.h
PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SEIZE, PTRACE_GET_SYSCALL_INFO = 7, 24, 0x4206, 0x420E
PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT = 1, 2
PTRACE_O_TRACESYSGOOD, PTRACE_O_TRACESECCOMP, PTRACE_O_EXITKILL = 0x1, 0x80, 0x100000
PTRACE_EVENT_SECCOMP = 7
SYSCALL_STOP = signal.SIGTRAP | 0x80
SYS_IO_URING_SETUP, SYS_PIDFD_GETFD = 425, 438  # everywhere the same


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def call(number: int, *args: object) -> int:
    """A system call by its number: its result, or -1 with an errno."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in args]
    return int(libc.syscall(ctypes.c_long(number), *words))


def ptrace(request: int, pid: int, address: int = 0, data: object = 0) -> int:
    """ptrace(2): its result, or -1 with an errno."""
    word = ctypes.c_void_p(data) if isinstance(data, int) else data
    return int(libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address), word))


@contextmanager
def child(work: Callable[[], object], *, traced: int | None = None) -> Iterator[int]:
    """A child that waits, and then does ``work`` when ``let_go`` is called on it. It is killed in the end.

    ``traced``: the PTRACE_O_* options with which it is seized. Raises ProbeError if it can't be.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(writer)
            os.read(reader, 1)
            work()
        finally:
            os._exit(0)
    os.close(reader)
    _waiting[pid] = writer
    try:
        if traced is not None:
            works(ptrace(PTRACE_SEIZE, pid, 0, traced | PTRACE_O_EXITKILL), "PTRACE_SEIZE of a child")
        yield pid
    finally:
        del _waiting[pid]
        os.close(writer)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while not os.WIFSIGNALED(os.waitpid(pid, 0)[1]):
                pass


_waiting: dict[int, int] = {}
"""The pipes that children wait on."""


def let_go(pid: int) -> None:
    """Lets a child of ``child`` do its work."""
    os.write(_waiting[pid], b"x")


def stop_of(pid: int) -> int:
    """The wait status of a tracee's next stop. Raises ProbeError if it has ended instead."""
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSTOPPED(status):
        raise ProbeError("the tracee has ended where it should have stopped")
    return status


def said_by(reader: int) -> bytes:
    """What somebody writes into a pipe. Raises ProbeError if that does not come."""
    if not select.select([reader], [], [], SECONDS / 2)[0]:
        raise ProbeError("nothing was heard of a child")
    return os.read(reader, 4096)
