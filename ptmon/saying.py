# SPDX-License-Identifier: GPL-2.0-or-later
"""What ptmon has to say inside another program, whose stderr is its own: the logger ``ptmon`` gets it.

Who has not set up logging hears nothing of it, so what is a mistake of the program's own is a RuntimeWarning, too: it
comes at the end of the block, in the thread that leaves it.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Sequence

LOGGER = logging.getLogger("ptmon")
LOGGER.addHandler(logging.NullHandler())  # else logging itself would write to stderr where nothing is set up


class Saying:
    """What is said in one run. Called in the tracer's thread, but for ``warn``; a handler that raises harms no run."""

    def __init__(self) -> None:
        self._warnings: list[str] = []

    def say(self, line: str) -> None:
        """Something about the processes, as a target that may not be traced; the report's warnings have it, too."""
        with contextlib.suppress(Exception):
            LOGGER.warning("%s", line)

    def hook_failed(self, lines: Sequence[str]) -> None:
        """A hook of the program's own: what has happened, its traceback, and as the last line what was raised."""
        self._warnings.append(f"{lines[0]}: {lines[-1]}")
        with contextlib.suppress(Exception):
            LOGGER.error("%s", "\n".join(lines))

    def warn(self) -> None:
        """Gives each warning once."""
        while self._warnings:
            warnings.warn(self._warnings.pop(0), RuntimeWarning, stacklevel=3)
