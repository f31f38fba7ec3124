# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: tracer.py PROGRAM [ARG...]

Tells what a program has sent and received over sockets. Ends as the program does.
"""

import os
import sys

from ptrace.debugger import ProcessExit, ProcessSignal, PtraceDebugger
from ptrace.debugger.child import createChild
from ptrace.func_call import FunctionCallOptions

SENDING = ("sendto", "sendmsg", "write", "writev")
RECEIVING = ("recvfrom", "recvmsg", "read", "readv")


def is_socket(pid, fd):
    """Whether a process's fd names a socket: /proc/PID/fd/N is a link to socket:[...] then."""
    # GAP 1: os.readlink() of that link; an fd that is not there is none (OSError).
    return False


def count(call, pid, totals):
    """Adds what a call has moved that has returned."""
    # GAP 2: nothing, unless it has returned (call.result is not None), has moved bytes, and its fd
    # (call.arguments[0].value) is a socket. Then call.result is added to totals["sent"] or totals["received"].


def main():
    totals = {"sent": 0, "received": 0}
    debugger = PtraceDebugger()
    process = debugger.addProcess(createChild(sys.argv[1:], no_stdout=False), is_attached=True)
    signal = 0
    try:
        while True:
            process.syscall(signal)
            signal = 0
            try:
                debugger.waitSyscall()
            except ProcessSignal:
                # GAP 3: a signal for the program. What has to be in `signal` now, so that the program gets it?
                continue
            call = process.syscall_state.event(FunctionCallOptions())
            if call is not None and call.arguments:
                count(call, process.pid, totals)
    except ProcessExit as event:
        print(f"sent {totals['sent']}, received {totals['received']}", file=sys.stderr)
        return event.exitcode if event.exitcode is not None else 128 + event.signum


if __name__ == "__main__":
    sys.exit(main())
