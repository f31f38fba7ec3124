# SPDX-License-Identifier: GPL-2.0-or-later
"""Outputs that finish while the program runs on. In a file of its own: most runs start no thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ptmon.report import Report


class Aside(threading.Thread):
    """Finishes outputs."""

    def __init__(self, finish: Callable[[Report], None], report: Report) -> None:
        super().__init__(name="ptmon-finish", daemon=True)
        self._finish = finish
        self._report = report
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._finish(self._report)
        except BaseException as error:  # raised where it is looked for
            self._error = error

    def end(self) -> None:
        """Waits for the end. Raises what went wrong."""
        self.join()
        if self._error is not None:
            raise self._error
