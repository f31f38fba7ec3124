# SPDX-License-Identifier: GPL-2.0-or-later
"""--connect: the view of what another ptmon counts, which serves its events (--serve). Nothing is traced here."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from ptmon.errors import PtmonError, kernel_word
from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.view import View
from ptmon.live.needs import textual_or_error
from ptmon.live.stream import Stream
from ptmon.option_values import Address
from ptmon.options import Options
from ptmon.static import TYPE_CHECKING
from ptmon.text import printable

if TYPE_CHECKING:
    from ptmon.live.app import LiveApp
    from ptmon.live.terminal import Terminal

CONNECT_SECONDS = 10.0
LINE_MOST = 1 << 20
"""Bytes of a line; a longer one is no line of a ptmon."""


def watch(options: Options) -> int:
    """Shows the view until the other ptmon ends, or its reader leaves. Raises PtmonError."""
    assert options.connect is not None
    textual_or_error("--connect")
    from ptmon.live.terminal import Terminal

    terminal = Terminal("--connect")
    try:
        with _connected(options.connect) as connection:
            return Remote(connection, options).run(terminal)
    finally:
        terminal.close()


def _connected(address: Address) -> socket.socket:
    shown = f"{address.host}:{address.port}"
    try:
        connection = socket.create_connection((address.host, address.port), CONNECT_SECONDS)
        connection.settimeout(None)
        return connection
    except socket.gaierror as error:
        raise PtmonError(f"cannot connect to {printable(shown)}: {error.strerror}") from None
    except OSError as error:
        word = kernel_word(error.errno) if error.errno else str(error)
        raise PtmonError(f"cannot connect to {printable(shown)}: {word}; is it a ptmon --serve?") from None


class Remote:
    """A connection, and the Host of the app that shows what comes by it."""

    asks = False
    has_output = False

    def __init__(self, connection: socket.socket, options: Options) -> None:
        self._connection = connection
        self._units = options.units
        self._token_file = options.serve_token_file
        self._stream = Stream(options.max_sockets)
        self._lock = threading.Lock()
        self._said = ""
        """The last line that was no event: why the server does not talk to us."""
        self._app: LiveApp | None = None

    def run(self, terminal: Terminal) -> int:
        """In the main thread."""
        from ptmon.live.app import LiveApp
        from ptmon.live.driver import driver_for
        from ptmon.live.last import last_screen
        from ptmon.live.model import Model

        self._greet()
        self._app = app = LiveApp(self, Model(), self._units, driver_for(terminal))
        terminal.gone = app.finish

        def on_end(number: int, frame: FrameType | None) -> None:
            terminal.leave()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, on_end)
        thread = threading.Thread(target=self._read, name="ptmon-connect", daemon=True)
        thread.start()
        app.run(mouse=False)
        terminal.leave()
        if app.failure is not None:
            raise PtmonError(f"the live view failed: {app.failure!r}")
        if self._stream.header is None:
            raise PtmonError(f"no events came: {self._said or 'the connection was closed'}")
        terminal.say(last_screen(app.model, terminal.size()[0], self._units))
        return 0

    def _greet(self) -> None:
        words = b"format jsonl\nsnapshot\n"
        if self._token_file is not None:
            from ptmon.outputs.server.access import read_token

            words = read_token(self._token_file) + b"\n" + words
        self._tell(words)

    def _tell(self, words: bytes) -> None:
        with suppress(OSError):  # the reading thread sees that it is over
            self._connection.send(words, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _read(self) -> None:
        rest = b""
        with suppress(OSError):
            while data := self._connection.recv(65536):
                *lines, rest = (rest + data).split(b"\n")
                with self._lock:
                    for line in lines:
                        if not self._stream.feed(line) and self._stream.header is None:
                            self._said = printable(line[:200].decode("utf-8", "backslashreplace").strip())
                if len(rest) > LINE_MOST:
                    break
        if self._app is not None:
            self._app.finish()

    # What the app asks for.

    def view(self, last: Snapshot | None) -> View | None:
        """Of the snapshot that was asked for a second ago; the next is asked for."""
        self._tell(b"snapshot\n")
        with self._lock:
            return self._stream.view(last)

    def output(self) -> bytes:
        return b""

    def resized(self, columns: int, lines: int) -> None:
        """There is no pane."""

    def interrupt(self) -> None:
        if self._app is not None:
            self._app.finish()

    def end(self, *, at_once: bool) -> None:
        """There is nobody to be ended from here."""

    def left(self) -> None:
        """The app ends, and the connection with it."""

    def stop(self) -> Callable[[], bool]:
        os.killpg(os.getpgrp(), signal.SIGTSTP)  # this is the main thread: it stands until fg
        return lambda: True
