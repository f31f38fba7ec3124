# SPDX-License-Identifier: GPL-2.0-or-later
"""What the view needs of who shows it: a session's output, or a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.view import View


class Host(Protocol):
    """Who has the view on his terminal."""

    @property
    def asks(self) -> bool:
        """Leaving is to be asked about: there is a program to be ended, or to run on."""

    @property
    def has_output(self) -> bool:
        """There is a program's output to be shown."""

    def view(self, last: Snapshot | None) -> View | None:
        """What is to be seen now, compared with ``last``; None: nothing yet."""

    def output(self) -> bytes:
        """What the program has written since."""

    def resized(self, columns: int, lines: int) -> None:
        """The pane of the output has that size."""

    def interrupt(self) -> None:
        """Ctrl-C was pressed."""

    def end(self, *, at_once: bool) -> None:
        """The program is to end."""

    def left(self) -> None:
        """The reader has left the view: attached, he lets the processes go."""

    def stop(self) -> Callable[[], bool]:
        """Stops program and ptmon, as Ctrl-Z does; the terminal is free by now. What is returned tells whether they run
        again, and have the terminal."""
