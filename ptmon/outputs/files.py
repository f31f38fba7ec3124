# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of the files that outputs write: %p is the program's pid, %h the host, %r the rank, %% a % sign."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import sys
import time

from ptmon.errors import PtmonError, kernel_word
from ptmon.ranks import rank
from ptmon.text import printable

STDOUT = "-"
"""As a file's name: ptmon's stdout, which is the program's as well."""
PATIENCE = 2.0
"""Seconds that a reader is waited for: that of a FIFO to open it, and any to read the rest at the end."""


def expand(path: str, host: str, pid: int | None = None) -> str:
    """``path`` with %h, %r and %% replaced, and %p too."""
    values = {"%%": "%", "%h": host, "%p": str(pid), "%r": str(rank() or 0)}
    return re.sub("%.", lambda match: values[match[0]], path)


def wants_pid(path: str) -> bool:
    """Whether the name is known only when the program runs."""
    return "%p" in path.replace("%%", "")


def check_folder(path: str, host: str, what: str) -> None:
    """Raises PtmonError where no file ``path`` can be made later, as far as that is known before there is a pid."""
    folder = os.path.dirname(path)
    if wants_pid(folder):
        return
    folder = expand(folder, host) or "."
    if not os.path.isdir(folder):
        raise unwritable(what, folder, errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(what, folder, errno.EACCES)


def shared(path: str) -> int | None:
    """The number of ptmon's stdout or stderr, where ``path`` is ``-``, or leads to one as :func:`standard` has it.

    Raises OSError where ptmon was started without a stdout: another file may have that number by now.
    """
    if path != STDOUT:
        return standard(path)
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return sys.stdout.fileno()


def standard(path: str) -> int | None:
    """The number of ptmon's stdout or stderr, where that is the regular file which ``path`` leads to.

    As ``/dev/stderr`` mostly is. What the program and others have written to it must stay, and they go on at the offset
    of this open file description: a second one would write over their lines.
    """
    for number in (1, 2):
        try:
            mine = os.fstat(number)
            same = os.path.samestat(mine, os.stat(path)) and stat.S_ISREG(mine.st_mode)
            if same and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
                return number
        except OSError:
            continue
    return None


def same_file(one: str, other: str) -> bool:
    """Whether two names lead to one regular file, or will do so. Both may write to ptmon's stdout or stderr, by a path;
    but two reports of different kinds on one stdout, by ``-``, are a mistake.
    """
    if STDOUT in (one, other):
        return one == other
    if os.path.realpath(one) != os.path.realpath(other):
        try:
            if not os.path.samefile(one, other):
                return False
        except OSError:
            return False
    return standard(one) is None and (os.path.isfile(one) or not os.path.exists(one))


def unwritable(what: str, path: str, number: int) -> PtmonError:
    """``what``: the report, the log."""
    if number == errno.ENXIO and is_fifo(path):
        return PtmonError(f"cannot write {what} to {printable(path)}: nobody reads this FIFO; start its reader")
    return PtmonError(f"cannot write {what} to {printable(path)}: {kernel_word(number)}")


def opened(path: str, flags: int, patience: float) -> int:
    """O_NONBLOCK: without a reader a FIFO is not waited for by the kernel, but here, and not for ever (fifo(7))."""
    end = time.monotonic() + patience
    while True:
        try:
            return os.open(path, flags | os.O_NONBLOCK, 0o666)
        except OSError as error:
            if error.errno != errno.ENXIO or not is_fifo(path) or time.monotonic() >= end:
                raise
        time.sleep(0.01)


def is_fifo(path: str) -> bool:
    """Whether the name leads to a FIFO."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False
