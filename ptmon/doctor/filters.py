# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes of seccomp(2): that filters can be installed, and do what they say."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from ptmon.doctor import kernel
from ptmon.doctor.kernel import child, libc, ptrace, stop_of
from ptmon.doctor.probing import LIMITED, OK, Answer, ProbeError, works

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ERRNO, RET_TRACE, RET_ALLOW = 0x00050000, 0x7FF00000, 0x7FFF0000  # linux/seccomp.h
GETSID = {"x86_64": 124, "aarch64": 156}
"""A call that nobody needs meanwhile."""


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))


def filters() -> Answer:
    """Installs a filter that answers a call by itself, and another one that hands it to the tracer."""
    number = GETSID.get(os.uname().machine)
    if number is None:
        raise ProbeError(f"ptmon knows no system call numbers of {os.uname().machine}")
    with child(lambda: _handed_over(number), traced=kernel.PTRACE_O_TRACESECCOMP) as pid:
        kernel.let_go(pid)
        status = stop_of(pid)
        if status >> 16 != kernel.PTRACE_EVENT_SECCOMP:
            raise ProbeError(f"a filter's SECCOMP_RET_TRACE has not stopped the tracee (wait status {status:#x})")
        works(ptrace(kernel.PTRACE_CONT, pid), "PTRACE_CONT")
    install(number, RET_ERRNO | errno.ENOTNAM)
    if kernel.call(number, 0) != -1 or ctypes.get_errno() != errno.ENOTNAM:
        raise ProbeError("a filter's SECCOMP_RET_ERRNO has not answered the call")
    return Answer(OK, "filters were installed: one stopped a call for its tracer, one answered it by itself")


def _handed_over(number: int) -> None:
    """In the tracee: a failure is seen by the missing stop."""
    install(number, RET_TRACE)
    kernel.call(number, 0)


def install(number: int, verdict: int) -> None:
    """A filter of this process: one call gets this verdict, and all others pass. Raises ProbeError."""
    code = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in ((0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, verdict), (0x06, 0, 0, RET_ALLOW))
    )
    memory = ctypes.create_string_buffer(code, len(code))
    program = Program(len(code) // 8, ctypes.addressof(memory))
    zero = ctypes.c_ulong(0)
    works(libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero), "prctl(PR_SET_NO_NEW_PRIVS)")
    mode = ctypes.c_ulong(SECCOMP_MODE_FILTER)
    works(libc.prctl(PR_SET_SECCOMP, mode, ctypes.byref(program), zero, zero), "prctl(PR_SET_SECCOMP)")


def io_uring() -> Answer:
    """Whether programs may make an io_uring, whose transfers can't be counted."""
    parameters = ctypes.create_string_buffer(120)
    if kernel.call(kernel.SYS_IO_URING_SETUP, 1, parameters) >= 0:
        return Answer(
            LIMITED,
            "programs may use io_uring: what it transfers can't be counted, and the report says so",
            "--no-io-uring has programs fall back to calls that count",
        )
    number = ctypes.get_errno()
    return Answer(OK, f"programs can't use it ({errno.errorcode.get(number, number)}), so nothing moves unseen by it")
