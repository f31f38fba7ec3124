# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes of ptrace(2), and of what a tracer reads of its tracee."""

from __future__ import annotations

import ctypes
import os
import time

from ptmon import explain
from ptmon.doctor import kernel
from ptmon.doctor.kernel import child, libc, ptrace, said_by, stop_of
from ptmon.doctor.probing import LIMITED, OK, SECONDS, Answer, ProbeError, works
from ptmon.errors import AttachError, Step, kernel_word

TEXT = b"what a tracer reads"


def trace() -> Answer:
    """Seizes a child, sees the entry and the exit of a call, and asks the kernel which of them each stop is."""
    seen: list[int] = []
    with child(os.getppid, traced=kernel.PTRACE_O_TRACESYSGOOD) as pid:
        works(ptrace(0x4207, pid), "PTRACE_INTERRUPT")
        stop_of(pid)
        kernel.let_go(pid)
        while len(seen) < 4:
            works(ptrace(kernel.PTRACE_SYSCALL, pid), "PTRACE_SYSCALL")
            if os.WSTOPSIG(stop_of(pid)) == kernel.SYSCALL_STOP:
                seen.append(_kind(pid))
    ways = {kernel.PTRACE_SYSCALL_INFO_ENTRY, kernel.PTRACE_SYSCALL_INFO_EXIT}
    if not ways <= set(seen):
        raise ProbeError(f"of four syscall-stops none is an entry, or none an exit: {seen}")
    return Answer(OK, "a child was seized, and stopped at the entry and the exit of its calls")


def _kind(pid: int) -> int:
    info = ctypes.create_string_buffer(128)
    what = "PTRACE_GET_SYSCALL_INFO (Linux 5.3 and later have it)"
    works(ptrace(kernel.PTRACE_GET_SYSCALL_INFO, pid, len(info), info), what)
    return info.raw[0]


def attach() -> Answer:
    """Seizes a process that is no child of who does it, as an attach to what runs already does."""
    with child(lambda: time.sleep(SECONDS)) as target:
        reader, writer = os.pipe()
        with child(lambda: os.write(writer, b"%d\n" % _seizes(target))) as tracer:
            kernel.let_go(tracer)
            number = int(said_by(reader))
        if not number:
            return Answer(OK, "a process that is no descendant was attached to (other users' need CAP_SYS_PTRACE)")
        why = str(explain.attach_failure(AttachError(target, number, Step.SEIZE))).partition(": ")[2]
    return Answer(
        LIMITED, f"no descendant, not attached to: {why}", "start programs with ptmon instead, if the line launch is ok"
    )


def _seizes(pid: int) -> int:
    """0, or the errno."""
    return 0 if ptrace(kernel.PTRACE_SEIZE, pid) == 0 else ctypes.get_errno()


def memory() -> Answer:
    """Reads a tracee's memory by process_vm_readv(2) and writes it by /proc/PID/mem; both have a second way."""
    buffer = ctypes.create_string_buffer(TEXT)
    place = ctypes.addressof(buffer)
    with child(lambda: None, traced=0) as pid:
        works(ptrace(0x4207, pid), "PTRACE_INTERRUPT")
        stop_of(pid)
        copy = ctypes.create_string_buffer(len(TEXT))
        mine, theirs = (kernel.Vector(address, len(TEXT)) for address in (ctypes.addressof(copy), place))
        got = libc.process_vm_readv(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
        number = ctypes.get_errno()
        try:
            with open(f"/proc/{pid}/mem", "r+b", buffering=0) as file:
                file.seek(place)
                file.write(TEXT.upper())
                file.seek(place)
                written = file.read(len(TEXT)) == TEXT.upper()
        except OSError as error:
            return Answer(LIMITED, f"/proc/PID/mem can't be written: {kernel_word(error.errno or 0)}", "mount /proc")
    if got != len(TEXT):
        return Answer(
            LIMITED,
            f"process_vm_readv: {kernel_word(number)}; ptmon reads word by word instead, slowly",
            "allow process_vm_readv in the container's seccomp profile",
        )
    if copy.raw != TEXT or not written:
        raise ProbeError("a tracee's memory was read or written, and something else was there")
    return Answer(OK, "a tracee's memory was read by process_vm_readv and written by /proc/PID/mem")


def descriptors() -> Answer:
    """Takes a copy of a child's fd by pidfd_getfd(2), by which its sockets are looked at."""
    reader, writer = os.pipe()
    with child(lambda: None) as pid:
        pidfd = os.pidfd_open(pid)
        copy = works(kernel.call(kernel.SYS_PIDFD_GETFD, pidfd, writer, 0), "pidfd_getfd")
        os.write(copy, TEXT)
        if said_by(reader) != TEXT:
            raise ProbeError("pidfd_getfd has returned another fd")
    return Answer(OK, "a child's fd was copied by pidfd_getfd and written to")
