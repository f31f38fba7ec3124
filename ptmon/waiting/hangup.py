# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGHUP while ptmon waits: as when it is attached, it asks for the log to be opened anew, if there is one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def heard(reopen: Callable[[], None] | None) -> Iterator[None]:
    """Calls ``reopen`` at each SIGHUP, but dies by the one that comes with the end of the terminal.

    An engine that is made inside blocks the signal and looks at it by itself. Nothing is done where it is ignored.
    """
    if reopen is None or signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL:
        yield
        return
    had = _has_terminal()

    def hang_up(number: int, frame: FrameType | None) -> None:
        if had and not _has_terminal():
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        else:
            reopen()

    signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True
