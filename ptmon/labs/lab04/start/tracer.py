# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: tracer.py PROGRAM [ARG...]

Tells what a program has sent and received over sockets, also by calls that do not say so in the plain way. Ends as the
program does.
"""

import os
import socket
import struct
import sys

from ptrace.debugger import ProcessExit, ProcessSignal, PtraceDebugger
from ptrace.debugger.child import createChild
from ptrace.func_call import FunctionCallOptions

SENDING = ("sendto", "sendmsg", "write", "writev")
RECEIVING = ("recvfrom", "recvmsg", "read", "readv")
FLAGS = {"recvfrom": 3, "recvmsg": 2}
"""Which argument holds the MSG_* flags."""
FROM_TO = {"sendfile": (1, 0), "splice": (0, 2)}
"""Which argument is the fd that is read from, and which the one that is written to."""
MMSGHDR = 64  # bytes of a struct mmsghdr (recvmmsg(2)) on x86_64 ...
MSG_LEN = 56  # ... and where in it msg_len is, an unsigned int


def is_socket(pid, fd):
    """Whether a process's fd names a socket."""
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
    except OSError:
        return False


def plain(call, process):
    """(sent, received) of a call whose result is the bytes that it has moved."""
    if not is_socket(process.pid, call.arguments[0].value):
        return 0, 0
    if call.name in SENDING:
        return call.result, 0
    # GAP 1: bytes that were looked at will be received later. Which calls have flags, and where, is in FLAGS.
    return 0, call.result


def messages(call, process):
    """(sent, received) of sendmmsg and recvmmsg, whose result is a number of messages."""
    moved = 0
    # GAP 2: argument 1 is the address of an array of struct mmsghdr, and the result says of how many of them the kernel
    # has set msg_len. process.readBytes(address, 4) reads the program's memory, struct.unpack("=I", ...) makes a number
    # of it.
    return (moved, 0) if call.name == "sendmmsg" else (0, moved)


def from_to(call, process):
    """(sent, received) of a call with two fds, each of which may be a socket or not."""
    # GAP 3: FROM_TO says which arguments the two fds are.
    return 0, 0


def moved(call, process):
    """(sent, received) of a call that has returned."""
    if call.result is None or call.result <= 0:
        return 0, 0
    if call.name in SENDING or call.name in RECEIVING:
        return plain(call, process)
    if call.name in ("sendmmsg", "recvmmsg"):
        return messages(call, process)
    if call.name in FROM_TO:
        return from_to(call, process)
    return 0, 0


def main():
    totals = [0, 0]
    debugger = PtraceDebugger()
    process = debugger.addProcess(createChild(sys.argv[1:], no_stdout=False), is_attached=True)
    signal = 0
    try:
        while True:
            process.syscall(signal)
            signal = 0
            try:
                debugger.waitSyscall()
            except ProcessSignal as event:
                signal = event.signum
                continue
            call = process.syscall_state.event(FunctionCallOptions())
            if call is not None:
                totals = [total + more for total, more in zip(totals, moved(call, process), strict=True)]
    except ProcessExit as event:
        print(f"sent {totals[0]}, received {totals[1]}", file=sys.stderr)
        return event.exitcode if event.exitcode is not None else 128 + event.signum


if __name__ == "__main__":
    sys.exit(main())
