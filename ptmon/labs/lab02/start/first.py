# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: first.py PROGRAM [ARG...]

Each stop of a program, and the number of the call that it stands at.
"""

import sys

from ptrace.debugger import ProcessExit, PtraceDebugger
from ptrace.debugger.child import createChild

debugger = PtraceDebugger()
pid = createChild(sys.argv[1:], no_stdout=False)  # fork, PTRACE_TRACEME, execve
process = debugger.addProcess(pid, is_attached=True)
stops = 0
try:
    while True:
        process.syscall()  # PTRACE_SYSCALL
        debugger.waitSyscall()  # waitpid
        stops += 1
        if stops <= 4:
            print(f"stop {stops}: call {process.getregs().orig_rax}", file=sys.stderr)
except ProcessExit as event:
    print(f"{stops} stops, exit status {event.exitcode}", file=sys.stderr)
