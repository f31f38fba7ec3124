# SPDX-License-Identifier: GPL-2.0-or-later
"""--limit: when more was sent and received than that, the program is ended; attached processes are let go."""

from __future__ import annotations

import signal
import time

from ptmon.engines import Engine
from ptmon.report import LimitReport
from ptmon.text import size

PATIENCE_S = 2.0
"""So long the processes have to end by themselves after SIGTERM."""


class Limit:
    """It is asked at each batch, some ten times a second; what moves meanwhile comes on top."""

    def __init__(self, most: int, *, attached: bool) -> None:
        self.passed = False
        self._most = most
        self._attached = attached
        self._kill_at = 0.0

    def look(self, engine: Engine, moved: int) -> str | None:
        """Ends what is traced if ``moved`` is too much; then, the first time, a line that says so."""
        if self.passed or moved <= self._most:
            return None
        self.passed = True
        self._kill_at = time.monotonic() + PATIENCE_S
        if self._attached:
            engine.stop()
        else:
            self.go_on(engine)
        what = "ptmon lets its targets go" if self._attached else "the program is ended"
        return f"{size(moved, 'si')} were sent and received, more than --limit {size(self._most, 'si')}: {what}"

    def go_on(self, engine: Engine) -> None:
        """Processes that were born meanwhile are ended too, and all of them if they do not end by themselves."""
        if self.passed and not self._attached:
            engine.send_signal(signal.SIGTERM if time.monotonic() < self._kill_at else signal.SIGKILL)

    def report(self) -> LimitReport:
        """For the report."""
        return LimitReport(self._most, self.passed)
