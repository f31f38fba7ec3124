# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon --hooks policy.py PROGRAM: three rules for a program."""

import os

import ptmon


@ptmon.hook("unlink", "unlinkat", when="entry")
def keep(call):
    """Files whose names end with .keep can't be deleted: EPERM."""
    if call.arguments["pathname"].endswith(".keep"):
        return ptmon.Deny("EPERM")
    return None


@ptmon.hook("getuid", when="entry")
def somebody(call):
    """The program is told that it is user 1234."""
    return ptmon.Return(1234)


@ptmon.hook("openat", when="return")
def written(call):
    """A line for each file that was opened to write."""
    if call.result >= 0 and call.arguments["flags"] & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR):
        print(f"opened to write: {call.arguments['filename']}", flush=True)


# What hooks print goes to the program's stdout.
