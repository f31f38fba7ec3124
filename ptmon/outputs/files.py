# SPDX-License-Identifier: GPL-2.0-only
"""Names of the files that outputs write: %p is the program's pid, %h the host, %% a % sign."""

from __future__ import annotations

import errno
import os
import re

from ptmon.errors import PtmonError, kernel_word
from ptmon.text import printable


def expand(path: str, host: str, pid: int | None = None) -> str:
    """``path`` with %h and %% replaced, and %p too."""
    values = {"%%": "%", "%h": host, "%p": str(pid)}
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


def unwritable(what: str, path: str, number: int) -> PtmonError:
    """``what``: the report, the log."""
    return PtmonError(f"cannot write {what} to {printable(path)}: {kernel_word(number)}")
