# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: names.py PROGRAM [ARG...]

The calls of a program by name, with their arguments and results, when they have returned.
"""

import sys

from ptrace.debugger import ProcessExit, PtraceDebugger
from ptrace.debugger.child import createChild
from ptrace.func_call import FunctionCallOptions

debugger = PtraceDebugger()
process = debugger.addProcess(createChild(sys.argv[1:], no_stdout=False), is_attached=True)
try:
    while True:
        process.syscall()
        debugger.waitSyscall()
        call = process.syscall_state.event(FunctionCallOptions())  # at the entry: the call; at its exit: the same one
        if call is not None and call.result is not None:
            values = ", ".join(str(argument.value) for argument in call.arguments)
            print(f"{call.name}({values}) = {call.result}", file=sys.stderr)
except ProcessExit:
    pass
