# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon --hooks policy.py PROGRAM: three rules for a program."""

import os

import ptmon


@ptmon.hook("unlinkat", when="entry")  # GAP 1: is that the only call that deletes a file?
def keep(call):
    """Files whose names end with .keep can't be deleted: EPERM."""
    # GAP 1: refuse the call, if the argument "pathname" ends so.


@ptmon.hook("getuid", when="entry")
def somebody(call):
    """The program is told that it is user 1234."""
    # GAP 2: the call is not made, and returns what you say.


@ptmon.hook("openat", when="return")
def written(call):
    """A line for each file that was opened to write."""
    # GAP 3: print "opened to write: NAME" (flush=True), if it has succeeded, and if the argument "flags" says that it
    # is to write: os.O_WRONLY or os.O_RDWR in os.O_ACCMODE of it.


# What hooks print goes to the program's stdout.
