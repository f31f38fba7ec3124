# SPDX-License-Identifier: GPL-2.0-or-later
"""Textual's driver for a thread that is not the main one.

Textual's own sets handlers for SIGTSTP, SIGCONT and SIGWINCH, which only the main thread may; that is the tracer's
here, and those signals are its own affair. So the terminal's size is looked at now and then, and who wants to stop says
so by a key. It uses ptmon's Terminal, whatever stdin and stderr are.
"""

from __future__ import annotations

import threading
from codecs import getincrementaldecoder
from typing import Any, ClassVar

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size

from ptmon.live.terminal import Terminal

LOOK_SECONDS = 0.1
"""Between two looks at the terminal's size; a half-read escape sequence is taken for the key Esc after as long."""


class TerminalDriver(Driver):
    """Keys and size of one terminal."""

    terminal: ClassVar[Terminal]

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def write(self, data: str) -> None:
        self.terminal.write(data)

    def start_application_mode(self) -> None:
        self.terminal.enter()
        self._ended.clear()
        self._tell_size(self.terminal.size())
        self._thread = threading.Thread(target=self._run, name="ptmon-keys", daemon=True)
        self._thread.start()

    def disable_input(self) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join(1)
            self._thread = None

    def stop_application_mode(self) -> None:
        self.disable_input()
        self.terminal.leave()

    def _tell_size(self, size: tuple[int, int]) -> None:
        self.send_message(events.Resize(Size(*size), Size(*size)))

    def _run(self) -> None:
        try:
            self._listen()
        except (OSError, EOFError, ValueError):
            self.terminal.gone()

    def _listen(self) -> None:
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        size = self.terminal.size()
        while not self._ended.is_set():
            typed = self.terminal.read(LOOK_SECONDS)
            for message in parser.feed(decode(typed)) if typed else ():
                self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
            if (now := self.terminal.size()) != size:
                size = now
                self._tell_size(size)


def driver_for(terminal: Terminal) -> type[Driver]:
    """The class that Textual wants, which makes the object itself."""
    return type("BoundDriver", (TerminalDriver,), {"terminal": terminal})
