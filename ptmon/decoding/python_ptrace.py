# SPDX-License-Identifier: GPL-2.0-or-later
"""What the decoder takes from python-ptrace: prototypes, names of constants, layouts of structs.

Its own formatter of arguments is for a reader at a debugger: it wants a process to read from, knows the layouts of the
64-bit ABI only, and says flags as ``<A|B> (3)``. So its tables are taken, and not its text.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is older than some of what newer versions of Python warn of
    from ptrace.signames import signalName
    from ptrace.syscall.linux_constants import FD_SETSIZE, RLIMIT_RESOURCE, SIGPROCMASK_HOW, SYSCALL_ARG_DICT
    from ptrace.syscall.linux_struct import new_utsname, rlimit, timespec, timeval
    from ptrace.syscall.posix_arg import ACCESS_MODE_BITMASK, AT_FDCWD, CLONE_FLAGS_BITMASK, MMAP_PROT_BITMASK
    from ptrace.syscall.prototypes import SYSCALL_PROTOTYPES
    from ptrace.syscall.socketcall_constants import SOCKET_FAMILY, SOCKET_TYPE, SOCKETCALL

__all__ = [
    "ACCESS_MODE_BITMASK",
    "AT_FDCWD",
    "CLONE_FLAGS_BITMASK",
    "FD_SETSIZE",
    "MMAP_PROT_BITMASK",
    "RLIMIT_RESOURCE",
    "SIGPROCMASK_HOW",
    "SOCKETCALL",
    "SOCKET_FAMILY",
    "SOCKET_TYPE",
    "SYSCALL_ARG_DICT",
    "SYSCALL_PROTOTYPES",
    "new_utsname",
    "rlimit",
    "signalName",
    "timespec",
    "timeval",
]
