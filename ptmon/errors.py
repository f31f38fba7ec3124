# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user can cause: exceptions that carry ptmon's exit status and a message of one line.

``cli.main`` has the one place that catches them. A message says what failed, on which pid, the kernel's word, and what
to do.
"""

from __future__ import annotations

import errno
import os
from enum import IntEnum

EXIT_INCOMPLETE = 1
EXIT_USAGE = 2
EXIT_LIMIT = 124
EXIT_OWN = 125
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127


class Step(IntEnum):
    """Where a launch or an attach failed. The values are those of ``enum pt_step``."""

    NONE = 0
    FORK = 1
    SEIZE = 2
    SECCOMP = 3
    EXEC = 4
    READ = 5
    DIRECTORY = 6
    STREAMS = 7


class PtmonError(Exception):
    """Something that ptmon cannot do. ``exit_status`` is what ptmon ends with."""

    def __init__(self, message: str, exit_status: int = EXIT_OWN) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class UsageError(PtmonError):
    """The command line is wrong, or what stands in for it in the Python API."""

    def __init__(self, message: str) -> None:
        super().__init__(message, EXIT_USAGE)


class CoreError(PtmonError):
    """The C core is missing, or older or younger than the Python that is about to use it."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message}; install ptmon anew (from its sources: pip install -e .)")


class LaunchError(PtmonError):
    """An engine could not start ``program``. ``ptmon.explain`` makes the message that a user sees."""

    def __init__(self, program: str, number: int, step: Step, cwd: str | None = None) -> None:
        super().__init__(f"cannot start {program}: {kernel_word(number)} ({step.name})")
        self.program = program
        self.cwd = cwd
        self.number = number
        self.step = step


class AttachError(PtmonError):
    """An engine could not seize the process ``pid``. ``ptmon.explain`` makes the message that a user sees."""

    def __init__(self, pid: int, number: int, step: Step) -> None:
        super().__init__(f"cannot attach to process {pid}: {kernel_word(number)} ({step.name})")
        self.pid = pid
        self.number = number
        self.step = step


ERRNOS: dict[str, int] = {name: number for name, number in vars(errno).items() if name.startswith("E")}
"""By name, those with two names by both."""


def kernel_word(number: int) -> str:
    """An errno as users know it: ``EPERM: Operation not permitted``."""
    return f"{errno.errorcode.get(number, f'errno {number}')}: {os.strerror(number)}"
