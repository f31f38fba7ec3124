# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of ptmon inside another program. The tracer has a thread of its own: ptrace(2) wants the same one for all."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Iterator
from types import TracebackType

from ptmon.api.events import EventQueue, Handle
from ptmon.engines import EngineSettings
from ptmon.errors import PtmonError
from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.report import Report
from ptmon.saying import Saying
from ptmon.session import Session

PATIENCE_S = 20.0
"""To let go takes milliseconds, or three seconds where a tracee sleeps uninterruptibly; a hook may take longer."""
INTERRUPT_S = 0.25
"""So long an interrupted program gets to end by itself: as subprocess has it."""
START_S = 1.0
"""A thread that the kernel has made runs within this, on a busy machine too."""


class Tracing:
    """A program or processes that are being traced: what ``ptmon.launch`` and ``ptmon.attach`` return.

    Use it by ``with``: tracing has begun when the block begins. Iterated, it gives the events until tracing ends. At
    the end of the block processes that were attached to are let go; a launched program is waited for, as by
    ``with subprocess.Popen(...)``. Its methods can be called from any thread.
    """

    def __init__(
        self,
        settings: EngineSettings,
        *,
        buffer: int,
        engine: str = "native",
        interval: float | None = None,
        max_sockets: int,
        saying: Saying | None = None,
    ) -> None:
        if interval is not None and not interval > 0:
            raise PtmonError(f"interval is {interval!r}, not a positive number of seconds")
        self._launched = not settings.attach
        self._queue = EventQueue(buffer)
        self._handle = Handle()
        outputs = [self._handle, self._queue]
        self._saying = saying or Saying()
        self._session = Session(
            settings, outputs, engine=engine, interval=interval, max_sockets=max_sockets, say=self._saying.say
        )
        # A daemon, or the interpreter would wait for it without end; _at_exit() does what is to be done.
        self._thread = threading.Thread(target=self._trace, name="ptmon", daemon=True)
        self._raised = False
        self._owner = 0

    def __enter__(self) -> Tracing:
        """Launches, or attaches to every thread of the processes. Raises PtmonError."""
        if self._owner:
            raise PtmonError("tracing has begun already: make another session")
        self._owner = os.getpid()
        atexit.register(self._at_exit)
        try:
            self._thread.start()  # which waits for the thread, and may be interrupted as well
            self._queue.wait_started()
        except BaseException as error:  # KeyboardInterrupt, and nobody will leave the block
            self._session.stop()
            if self._launched and self._has_begun():
                self.end(INTERRUPT_S if isinstance(error, KeyboardInterrupt) else 0.0)
            raise
        if self._queue.header is None:
            self._raise()
        return self

    def _has_begun(self) -> bool:
        """Is there the thread whose start was interrupted? It may not have got a CPU yet."""
        end = time.monotonic() + START_S
        while not self._thread.is_alive() and not self._queue.ended and time.monotonic() < end:
            time.sleep(0.001)
        return self._thread.is_alive()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets the processes go; or waits for the launched program, as ``subprocess.Popen`` does."""
        if not self._launched:
            self._let_go()
        else:  # the program has got a KeyboardInterrupt, too; and it may not end by it
            self._ended(INTERRUPT_S if kind is KeyboardInterrupt else None)
        if kind is None and not self._raised:
            self._raise()
        if kind is None:
            self._saying.warn()

    def __iter__(self) -> Iterator[Event]:
        """Events as they come, until tracing ends. Raises PtmonError if it ended by an error."""
        self._check_begun()
        while (event := self._queue.get()) is not None:
            yield event
        self._raise()

    @property
    def pid(self) -> int:
        """Of the launched program, or of the first process attached to; 0 before the start."""
        return self._queue.header.root if self._queue.header is not None else 0

    @property
    def report(self) -> Report | None:
        """The report; None as long as bytes are still counted."""
        return self._queue.report

    @property
    def dropped(self) -> int:
        """Events that came while the buffer was full. The totals have them nevertheless."""
        return self._queue.dropped

    def snapshot(self) -> Snapshot:
        """The totals now. Raises PtmonError before the start."""
        snapshot = self._session.snapshot()
        if snapshot is None:
            raise PtmonError("tracing has not begun: use it by with")
        return snapshot

    def detach(self) -> Report:
        """Ends the counting and returns the report.

        Processes that were attached to run on by themselves. A launched program can't be let go (its seccomp filter
        would fail its calls then): it runs on uncounted. Raises PtmonError.
        """
        self._check_begun()
        if self._launched:
            self._session.stop()
            self._queue.wait_reported(PATIENCE_S)
        else:
            self._let_go()
        return self._result()

    def wait(self, timeout: float | None = None) -> Report:
        """Waits until everything that is traced has ended, and returns the report.

        Raises TimeoutError after ``timeout`` seconds, and PtmonError if tracing ended by an error.
        """
        if not self._ended(timeout):
            raise TimeoutError(f"process {self.pid} is still traced after {timeout} s")
        return self._result()

    def end(self, patience: float = 0.0) -> None:
        """Gives the launched program ``patience`` seconds to end by itself, then kills it (SIGKILL)."""
        while not self._ended(patience):
            self._handle.kill()
            patience = INTERRUPT_S  # it may only be about to start

    def _trace(self) -> None:
        error = None
        try:
            self._session.run()
        except BaseException as raised:  # it is the other thread's to hear of it
            error = raised
        finally:
            atexit.unregister(self._at_exit)
            self._queue.end(error)

    def _let_go(self) -> None:
        self._session.stop()
        if not self._ended(PATIENCE_S):
            raise PtmonError(f"process {self.pid} is not let go after {PATIENCE_S:.0f} s: a hook still runs")

    def _ended(self, seconds: float | None) -> bool:
        """Waits for the thread's end. Not by its join(), which a KeyboardInterrupt makes believe that it has come."""
        self._check_begun()
        if not self._queue.wait_ended(seconds):
            return False
        self._thread.join()
        return True

    def _check_begun(self) -> None:
        """Or one would wait for the end of what never begins."""
        if not self._owner:
            raise PtmonError("tracing has not begun: use it by with")

    def _result(self) -> Report:
        self._raise()
        if self._queue.report is None:
            raise PtmonError(f"process {self.pid} is still counted after {PATIENCE_S:.0f} s: a hook still runs")
        return self._queue.report

    def _raise(self) -> None:
        if self._queue.error is not None:
            self._raised = True
            raise self._queue.error

    def _at_exit(self) -> None:
        """The interpreter ends, and with it the thread: a launched program would not outlive its tracer."""
        if os.getpid() != self._owner:
            return  # a fork of the program that traces
        self._session.stop()
        self._ended(None if self._launched else PATIENCE_S)
