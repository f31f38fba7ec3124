# SPDX-License-Identifier: GPL-2.0-or-later
"""From the thread that traces to the one that asked for it: the events, the report, and what went wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from ptmon.events import Event
from ptmon.frozen import replace
from ptmon.outputs import SilentOutput
from ptmon.report import Header, Report


class EventQueue(SilentOutput):
    """Keeps events until they are fetched, ``most`` at a time: the tracer never waits for who reads them."""

    def __init__(self, most: int) -> None:
        self.wants_events = most > 0
        self.dropped = 0
        """Events that found the queue full."""
        self.header: Header | None = None
        """Set once the program runs, or the first target is attached."""
        self.report: Report | None = None
        """Set once counting has ended."""
        self.ended = False
        """The tracer has let go of everything."""
        self.error: BaseException | None = None
        self._most = most
        self._events: deque[Event] = deque()
        self._changed = threading.Condition()

    def start(self, header: Header) -> None:
        with self._changed:
            self.header = header
            self._changed.notify_all()

    def write(self, events: Sequence[Event]) -> None:
        with self._changed:
            room = self._most - len(self._events)
            self._events.extend(events[:room])
            self.dropped += len(events) - min(room, len(events))
            self._changed.notify_all()

    def finish(self, report: Report) -> None:
        with self._changed:
            self.report = replace(report, sockets=tuple(report.sockets))  # it is to be read again and again
            self._changed.notify_all()

    def end(self, error: BaseException | None) -> None:
        """Nothing more comes."""
        with self._changed:
            self.ended, self.error = True, error
            self._changed.notify_all()

    def get(self) -> Event | None:
        """The next event, when there is one; None after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._events or self.report is not None or self.ended)
            return self._events.popleft() if self._events else None

    def wait_started(self) -> None:
        """Until the program runs, or the attach is done, or it has failed."""
        with self._changed:
            self._changed.wait_for(lambda: self.header is not None or self.ended)

    def wait_reported(self, seconds: float) -> bool:
        """Until counting has ended. False: that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self.report is not None or self.ended, seconds)

    def wait_ended(self, seconds: float | None) -> bool:
        """Until the tracer has let go of everything. False: that took longer."""
        with self._changed:
            return self._changed.wait_for(lambda: self.ended, seconds)


class Handle(SilentOutput):
    """Holds on to the launched program, so that a signal can't reach another process that has got its pid since."""

    def __init__(self) -> None:
        self._pidfd = -1
        self._lock = threading.Lock()

    def start(self, header: Header) -> None:
        """In the thread that alone could wait for the program: its pid is its own still."""
        if header.mode == "launch":
            with contextlib.suppress(OSError):  # no free fd: then there is no kill
                self._pidfd = os.pidfd_open(header.root)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            if self._pidfd >= 0:
                os.close(self._pidfd)
            self._pidfd = -1

    def kill(self) -> None:
        """SIGKILL, if there is somebody to get it."""
        with self._lock:
            if self._pidfd >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
