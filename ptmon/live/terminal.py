# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal that the view is on: taken, and given back as it was, from any thread and any number of times."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
from collections.abc import Callable
from typing import Any

from ptmon.errors import PtmonError, kernel_word

# The other screen, no cursor, pasted text marked, no line wrap: and all of that back, with the colours.
ENTER = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?7l"
LEAVE = "\x1b[?7h\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m"
DEFAULT_SIZE = (80, 24)


class Terminal:
    """/dev/tty, whatever stdin and stdout are. Raises PtmonError if there is none that a view could be on."""

    def __init__(self, option: str = "--live") -> None:
        """``option``: who wants it."""
        if os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
            raise PtmonError(f"{option} wants a terminal that can move its cursor, and TERM says that this one can't")
        try:
            self.number = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            word = kernel_word(error.errno or 0)
            raise PtmonError(f"{option} wants a terminal, and there is none (/dev/tty: {word})") from None
        self.gone: Callable[[], None] = lambda: None
        """Called, by who reads keys, where the terminal is hung up."""
        self._lock = threading.Lock()
        self._before: list[Any] | None = None
        """termios, while the view has the terminal."""
        if not self.foreground():
            self.close()
            raise PtmonError(f"{option} wants the terminal, but runs in the background")

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self.number)
        except OSError:
            return DEFAULT_SIZE
        return columns or DEFAULT_SIZE[0], lines or DEFAULT_SIZE[1]

    def foreground(self) -> bool:
        """Whether the terminal is this process group's."""
        try:
            return os.tcgetpgrp(self.number) == os.getpgrp()
        except OSError:
            return False

    def enter(self) -> None:
        """The view has it: keys come one by one, and none makes a signal."""
        with self._lock, contextlib.suppress(OSError, termios.error):
            before = termios.tcgetattr(self.number)
            raw = [*before[:6], [*before[6]]]
            raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
            raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
            raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
            termios.tcsetattr(self.number, termios.TCSANOW, raw)
            self._before = before
            self._put(ENTER)

    def leave(self) -> None:
        """It is again as it was."""
        # Not for ever: another thread may be stuck in a write to a terminal that nobody reads.
        held = self._lock.acquire(timeout=1)
        try:
            before, self._before = self._before, None
            if before is not None:
                with contextlib.suppress(OSError, termios.error):
                    self._put(LEAVE)
                    # With what was typed and not read: it was for the view.
                    termios.tcsetattr(self.number, termios.TCSANOW, before)
                    termios.tcflush(self.number, termios.TCIFLUSH)
        finally:
            if held:
                self._lock.release()

    def write(self, text: str) -> None:
        """What the view looks like; nothing while the view has not the terminal."""
        with self._lock:
            if self._before is not None:
                self._put(text)

    def say(self, text: str) -> None:
        """Writes what stays on the terminal."""
        with self._lock:
            self._put(text)

    def read(self, seconds: float) -> bytes | None:
        """What was typed; None if nothing was for so long. Raises OSError, EOFError if the terminal is gone."""
        if not select.select([self.number], [], [], seconds)[0]:
            return None
        data = os.read(self.number, 4096)
        if not data:
            raise EOFError
        return data

    def close(self) -> None:
        """It is left first."""
        if self.number >= 0:
            with contextlib.suppress(AttributeError):  # never entered
                self.leave()
            os.close(self.number)
            self.number = -1

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        with contextlib.suppress(OSError):  # it is gone
            while data:
                data = data[os.write(self.number, data) :]
