# SPDX-License-Identifier: GPL-2.0-or-later
"""--live as an output of a session: the main thread's side, which starts the view, ends it, and never waits for it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType

from ptmon.errors import PtmonError
from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.view import View
from ptmon.live.needs import textual_or_error
from ptmon.live.streams import Streams
from ptmon.live.terminal import Terminal
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.report import Header, Report
from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from ptmon.live.app import LiveApp

END_SECONDS = 5.0
STOP_SECONDS = 2.5
"""After Ctrl-Z; if nothing has stopped by then the program does not want to."""
SWITCH_SECONDS = 0.0005
"""How long the main thread may have to wait for the GIL when a batch is there and the tracees wait; 5 ms by default."""


def make(options: Options, host: str) -> LiveOutput:
    """The output that ``options`` ask for. Raises PtmonError where Textual is missing."""
    textual_or_error("--live")
    return LiveOutput(options.units, launches=not (options.attach or options.wait), reopens=bool(options.log))


class LiveOutput(SilentOutput):
    """Shows a view on the terminal until counting has stopped, or its reader leaves. It is the Host of its app."""

    def __init__(self, units: str, *, launches: bool, reopens: bool = False) -> None:
        """``launches``: there is a program of ptmon's own. ``reopens``: SIGHUP asks for a log to be opened anew."""
        self.view_source: Callable[[Snapshot | None], View | None] | None = None
        self.asks = launches
        self._units = units
        self._reopens = reopens
        self._terminal: Terminal | None = None
        self._streams: Streams | None = None
        self._app: LiveApp | None = None
        self._thread: threading.Thread | None = None
        self._program = -1
        """A pidfd."""
        self._continued = threading.Event()
        self._handlers: dict[int, signal._HANDLER] = {}
        self._switch = sys.getswitchinterval()
        self._closing = threading.Lock()

    # As an output, in the main thread.

    def __enter__(self) -> LiveOutput:
        from ptmon.live.app import LiveApp
        from ptmon.live.driver import driver_for
        from ptmon.live.model import Model

        self._terminal = terminal = Terminal()
        self._streams = streams = Streams(terminal.number, keys=self.asks)
        try:
            streams.begin(*terminal.size())
            self._app = LiveApp(self, Model(), self._units, driver_for(terminal))
            terminal.gone = self._app.finish
            self._handle()
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if self._streams is not None:
            self._streams.end()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}
        sys.setswitchinterval(self._switch)
        if self._program >= 0:
            os.close(self._program)
            self._program = -1
        if self._terminal is not None:
            self._terminal.close()
            self._terminal = None

    def start(self, header: Header) -> None:
        if self.asks:
            with contextlib.suppress(OSError):  # it has ended already
                self._program = os.pidfd_open(header.root)

    def finish(self, report: Report) -> None:
        """The view is over; what it showed last stays."""
        seen = self._thread is not None and self._thread.is_alive()
        self._close()
        app, terminal = self._app, self._terminal
        from ptmon.live.last import last_screen

        if not seen or app is None or terminal is None or app.failure is not None:
            return
        if (view := self.view(app.model.last)) is not None:
            app.model.update(view)
        if self._streams is not None:
            self._streams.end_line()
        terminal.say(last_screen(app.model, terminal.size()[0], self._units))

    def _handle(self) -> None:
        """Signals that come before the tracer takes them up, as with --wait, or that only tell something."""

        def on_end(number: int, frame: FrameType | None) -> None:
            self._close()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            taken = number == signal.SIGHUP and self._reopens
            if signal.getsignal(number) is signal.SIG_DFL and not taken:
                self._handlers[number] = signal.signal(number, on_end) or signal.SIG_DFL
        before = signal.signal(signal.SIGCONT, lambda number, frame: self._continued.set())
        self._handlers[signal.SIGCONT] = before or signal.SIG_DFL

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="ptmon-live", daemon=True)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the tracer
        try:
            self._thread.start()
        except RuntimeError as error:  # RLIMIT_NPROC
            self._thread = None
            raise PtmonError(f"cannot start the live view: {error}") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        sys.setswitchinterval(SWITCH_SECONDS)

    def _close(self) -> None:
        """Ends the view, if it is not over, and gives the terminal back. Another thread may do the same."""
        if self._app is not None:
            self._app.finish()
        if self._thread is not None:
            self._thread.join(END_SECONDS)  # stuck where nobody reads from the terminal: then it is left alone
        self._give_back()

    def _give_back(self) -> None:
        if not self._closing.acquire(timeout=END_SECONDS):
            return
        try:
            terminal, streams = self._terminal, self._streams
            if terminal is None or streams is None:
                return
            terminal.leave()
            streams.restore()
            if lost := streams.replay():
                terminal.say(f"ptmon: the first {lost:,} bytes of what stands above are not kept\n")
        finally:
            self._closing.release()

    # The app, in a thread of its own.

    def _run(self) -> None:
        app = self._app
        assert app is not None
        try:
            app.run(mouse=False)
        except Exception as error:
            app.failure = error
        self._give_back()
        if app.failure is not None:
            stderr.say(f"the live view failed, counting goes on: {app.failure!r}")

    # What the app asks for, in its thread.

    @property
    def has_output(self) -> bool:
        return self._streams is not None and self._streams.shown and (self.asks or self._streams.written)

    def view(self, last: Snapshot | None) -> View | None:
        return None if self.view_source is None else self.view_source(last)

    def output(self) -> bytes:
        return b"" if self._streams is None else self._streams.take()

    def resized(self, columns: int, lines: int) -> None:
        if self._streams is not None:
            self._streams.resize(columns, lines)

    def interrupt(self) -> None:
        if self.asks:
            os.killpg(os.getpgrp(), signal.SIGINT)  # as the terminal does it
        else:
            os.kill(os.getpid(), signal.SIGINT)

    def end(self, *, at_once: bool) -> None:
        if self._program >= 0:
            with contextlib.suppress(OSError):  # it has just ended
                signal.pidfd_send_signal(self._program, signal.SIGKILL if at_once else signal.SIGTERM)

    def left(self) -> None:
        if not self.asks:
            os.kill(os.getpid(), signal.SIGINT)

    def stop(self) -> Callable[[], bool]:
        terminal = self._terminal
        if not self.asks or terminal is None:
            return lambda: True  # who is attached must not stop: the processes would stand still with him
        self._continued.clear()
        deadline = time.monotonic() + STOP_SECONDS
        os.killpg(os.getpgrp(), signal.SIGTSTP)
        return lambda: (self._continued.is_set() or time.monotonic() > deadline) and terminal.foreground()
