# SPDX-License-Identifier: GPL-2.0-or-later
"""--syslog: the events in the system's log, by the standard library's handler, from a thread of its own."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from logging.handlers import SysLogHandler
from queue import SimpleQueue
from types import TracebackType

from ptmon.errors import PtmonError, UsageError, kernel_word
from ptmon.events import Event
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.outputs.formats import create
from ptmon.report import Header, Report
from ptmon.text import counted, printable

PORT = 514
MOST = 10_000
"""Events that wait at most."""
PATIENCE = 2.0
"""Seconds for the rest, at the end."""
TIMEOUT = 5.0
"""Seconds for a connection, or for a message that the other side does not take."""
LONGEST = 1900
"""Letters of a message: what every receiver of RFC 5424 takes is 2048 bytes with the head."""
SEVERE = frozenset({"deny", "warning"})

Target = str | tuple[str, int]
"""A unix socket's path, or a host (numeric once it is resolved) and its port."""


def make(options: Options, host: str) -> SyslogOutput:
    """The output that ``options`` ask for. Raises UsageError."""
    return SyslogOutput(options.syslog or "")


class SyslogOutput(SilentOutput):
    """Sends the events as text, facility user, severity info; what was refused or is missing as warnings.

    The tracer only puts events into a bounded queue. Where syslog is too slow events are dropped and counted: syslog is
    told where they are missing, and stderr at the end.
    """

    wants_events = True

    def __init__(self, address: str) -> None:
        """Raises UsageError."""
        self._kind, self._target = parse(address)
        self._shown = printable(address)
        self._formatter = create("text")
        self._queue: SimpleQueue[tuple[Sequence[Event | str], int] | None] = SimpleQueue()
        """Events (or lines), and how many were dropped before them."""
        self._put = self._taken = 0  # each is written by one thread only, so they need no lock
        self._gap = self._dropped = 0
        self._handler: Handler | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SyslogOutput:
        try:
            self._handler = Handler(self._kind, self._target, self._shown)
        except OSError as error:
            raise PtmonError(f"cannot reach syslog at {self._shown}: {word(error)}") from None
        self._thread = threading.Thread(target=self._run, name="ptmon-syslog", daemon=True)
        # The signals of ptmon are the tracer's: a thread starts with the mask of the one that makes it.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The tracees have gone: now there is time for what waits."""
        if self._thread is None or self._handler is None:
            return
        self._queue.put(None)
        self._thread.join(PATIENCE)
        lost = self._dropped + self._handler.lost
        if self._thread.is_alive():  # it is left behind in a send
            lost += self._put - self._taken
        else:
            self._handler.close()
        if lost:
            stderr.say(f"{counted(lost, 'event')} could not be sent to syslog ({self._shown})")

    def start(self, header: Header) -> None:
        self._offer([self._formatter.begin(header)])

    def write(self, events: Sequence[Event]) -> None:
        if events:
            self._offer(events)

    def finish(self, report: Report) -> None:
        self._offer([self._formatter.end(report)])

    def _offer(self, things: Sequence[Event | str]) -> None:
        room = max(MOST - (self._put - self._taken), 0)
        if room:
            taken = things[:room]
            self._put += len(taken)
            self._queue.put((taken, self._gap))
            self._gap = 0
        missing = max(len(things) - room, 0)
        self._gap += missing
        self._dropped += missing

    def _run(self) -> None:
        handler = self._handler
        assert handler is not None
        while (item := self._queue.get()) is not None:
            things, gap = item
            if gap:
                handler.send(logging.WARNING, self._formatter.dropped(gap))
            for thing in things:
                if isinstance(thing, str):
                    handler.send(logging.INFO, thing)
                elif text := self._formatter.lines(thing):
                    handler.send(logging.WARNING if thing.kind in SEVERE else logging.INFO, text)
                self._taken += 1
        if self._gap:  # the tracer puts nothing any more
            handler.send(logging.WARNING, self._formatter.dropped(self._gap))


class Handler(SysLogHandler):
    """The standard handler, but: it fails early, it waits TIMEOUT at most, and its failures are said once."""

    def __init__(self, kind: socket.SocketKind, target: Target, shown: str) -> None:
        """Raises OSError where syslog is not there, as far as that can be known."""
        self.lost = 0
        self._said = False
        self._shown = shown
        if isinstance(target, str):
            _probe(target)
        else:
            target = _resolved(kind, target)
        super().__init__(target, SysLogHandler.LOG_USER, None if isinstance(target, str) else kind)
        stream = self.socktype == socket.SOCK_STREAM
        self._end = "\n" if stream and not self.unixsocket else ""  # RFC 6587, 3.4.2: a message a line
        self.append_nul = stream and self.unixsocket  # as syslog(3) does on a stream
        self.ident = f"ptmon[{os.getpid()}]: "
        if self.unixsocket:
            self.socket.settimeout(TIMEOUT)

    def createSocket(self) -> None:  # noqa: N802
        """Connects, now and again after a failure. The standard handler's own waits for minutes."""
        if isinstance(self.address, str) or self.socktype != socket.SOCK_STREAM:
            super().createSocket()
        else:
            self.unixsocket = False
            self.socket = socket.create_connection(self.address, TIMEOUT)

    def send(self, level: int, text: str) -> None:
        """One message; if that fails it is counted."""
        text = text.strip()
        text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
        values = {"msg": text + self._end, "levelname": logging.getLevelName(level)}
        # Not by handle(), which holds a lock meanwhile: logging's own atexit would wait for it if a send hangs.
        self.emit(logging.makeLogRecord(values))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Called in the except clause of emit()."""
        error = sys.exception()
        self.lost += 1
        if self.socktype == socket.SOCK_STREAM and self.socket:
            self.socket.close()  # half a message may have been sent: the next one goes by a new connection
            self.socket = None  # type: ignore[assignment]
        if not self._said:
            self._said = True
            why = word(error) if isinstance(error, OSError) else str(error)
            stderr.say(f"cannot send to syslog at {self._shown}: {why}; the program goes on")


def parse(address: str) -> tuple[socket.SocketKind, Target]:
    """Reads --syslog's value. Raises UsageError."""
    if address.startswith("/"):
        return socket.SOCK_DGRAM, address
    match = re.fullmatch(r"(udp|tcp)://(?:\[([^]/]+)\]|([^]:/[]+))(?::([0-9]{1,5}))?/?", address)
    port = int(match[4] or PORT) if match else 0
    if match is None or not 0 < port < 65536:
        raise UsageError(
            f"--syslog: {address!r} is neither the path of a socket nor udp://HOST[:PORT] nor tcp://HOST[:PORT]"
        )
    kind = socket.SOCK_DGRAM if match[1] == "udp" else socket.SOCK_STREAM
    return kind, (match[2] or match[3], port)


def word(error: OSError) -> str:
    """The kernel's word, or the resolver's."""
    if isinstance(error, socket.gaierror) or not error.errno:
        return error.strerror or str(error)
    return kernel_word(error.errno)


def _probe(path: str) -> None:
    """Raises OSError where nobody listens: the standard handler does not mind."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as end:
            end.settimeout(TIMEOUT)
            try:
                end.connect(path)
                return
            except OSError:
                if kind == socket.SOCK_STREAM:
                    raise


def _resolved(kind: socket.SocketKind, target: tuple[str, int]) -> tuple[str, int]:
    """A numeric address, so that a name is not looked up for each message."""
    found = socket.getaddrinfo(*target, type=kind)
    host, port = found[0][4][:2]
    return str(host), int(port)
