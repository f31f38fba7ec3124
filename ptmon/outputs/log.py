# SPDX-License-Identifier: GPL-2.0-or-later
"""--log: the events as lines, on stderr or in a file."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Sequence
from types import TracebackType

from ptmon.errors import PtmonError, kernel_word
from ptmon.events import Event
from ptmon.formats import EVENTS, default
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.outputs.files import PATIENCE, STDOUT, check_folder, expand, opened, shared, unwritable, wants_pid
from ptmon.outputs.formats import RunFormatter, create
from ptmon.outputs.sinks import FileSink, Part, Sink, sink
from ptmon.outputs.summary import ASCII
from ptmon.records import Transfers
from ptmon.report import Header, Report
from ptmon.text import counted, printable

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY


def make(options: Options, host: str) -> LogOutput:
    """The output that ``options`` ask for."""
    return LogOutput(options.log or "", options.log_format or default(EVENTS), host)


class LogOutput(SilentOutput):
    """Writes a line an event.

    ``path`` empty: to stderr; "-": to stdout. Else to that file, with %p, %h, %r and %% as in the report's name. A
    regular file gets every event. Where a reader is too slow (stderr, a FIFO) the tracer does not wait: events are
    dropped and counted, which the log says where they are missing, and stderr at the end.
    """

    wants_events = True

    def __init__(self, path: str, format: str, host: str) -> None:
        self._path = path
        self._host = host
        self._formatter = create(format)
        self.takes_runs = isinstance(self._formatter, RunFormatter)
        self.reopens = path not in ("", STDOUT)
        self._name = path
        """As it is opened."""
        self._shown = "stderr"
        self._sink: Sink | None = None
        self._own: int | None = None
        """The file that was opened, unless it is ptmon's stdout or stderr."""
        self._made: str | None = None
        """The file, if it is new and empty."""
        self._failed = False
        self._ascii = False

    def __enter__(self) -> LogOutput:
        if not self._path:
            self._take_stderr()
        elif wants_pid(self._path):
            check_folder(self._path, self._host, "the log")
        else:
            self._open(expand(self._path, self._host), PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves no empty file behind where there was none before and nothing has come of it."""
        self._close()
        if self._made is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._made)

    def start(self, header: Header) -> None:
        if self._path and self._sink is None:
            try:
                self._open(expand(self._path, self._host, header.root), 0)
            except PtmonError as error:
                stderr.say(f"{error}; there will be no log")
        if self._own is not None and stat.S_ISREG(os.fstat(self._own).st_mode):
            with contextlib.suppress(OSError):  # an append-only file (chattr +a): the log stands behind what is there
                os.ftruncate(self._own, 0)
        self._put([self._formatter.begin(header)])

    def write(self, events: Sequence[Event]) -> None:
        self._put(list(map(self._formatter.lines, events)))

    def write_runs(self, events: Sequence[Event | Transfers]) -> None:
        formatter = self._formatter
        assert isinstance(formatter, RunFormatter)
        self._put([formatter.run(one) if isinstance(one, Transfers) else formatter.lines(one) for one in events])

    def reopen(self) -> None:
        """Goes on in a new file of the old name, if the log is a file of its own: logrotate has moved the old one."""
        if not isinstance(self._sink, FileSink) or self._own is None:
            return
        try:
            number = opened(self._name, FLAGS, 0)
        except OSError as error:
            self._say(
                f"cannot open the log {self._shown} anew: {kernel_word(error.errno or 0)}; it goes on in the old file"
            )
            return
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            self._say(f"cannot open the log {self._shown} anew: it is no file now; it goes on in the old one")
            return
        self._own, self._made = number, None
        try:
            self._sink.move(number)
        except OSError as error:  # a file on a network tells of a full disk only now
            self._fail(error)

    def finish(self, report: Report) -> None:
        self._put([self._formatter.end(report)])
        sink = self._sink
        if sink is None:
            return
        try:
            sink.finish(PATIENCE)
        except OSError as error:
            self._fail(error)
        if sink.lost:
            stderr.say(f"{counted(sink.lost, 'event')} could not be written to the log ({self._shown})")
        self._close()

    def _put(self, parts: Sequence[Part]) -> None:
        if self._sink is None:
            return
        if self._ascii:
            parts = [part.translate(ASCII) if isinstance(part, str) else part for part in parts]
        try:
            self._sink.put(parts)
            if self._made is not None and any(parts):
                self._made = None
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Says the first failure, if stderr takes it now: the tracees wait. A full disk may have room again later; a
        reader who has gone does not come back.
        """
        if not self._failed and not stderr.would_wait():
            self._failed = True
            word = kernel_word(error.errno or 0)
            stderr.say(f"cannot write the log to {self._shown}: {word}; the program goes on")
        if error.errno == errno.EPIPE:
            self._close()

    def _say(self, line: str) -> None:
        """If stderr takes it now."""
        if not stderr.would_wait():
            stderr.say(line)

    def _take_stderr(self) -> None:
        try:
            number = sys.stderr.fileno() if sys.stderr is not None else -1
            os.fstat(number)
        except (OSError, ValueError):
            return  # ptmon was started without one
        self._ascii = not sys.stderr.encoding.lower().startswith("utf")
        self._sink = sink(number, self._formatter.dropped, sys.stderr.encoding, own=False)

    def _open(self, path: str, patience: float) -> None:
        made = path != STDOUT and not os.path.lexists(path)
        try:
            if (standing := shared(path)) is not None:
                self._shown = "stdout" if path == STDOUT else printable(path)
                self._sink = sink(standing, self._formatter.dropped, "utf-8", own=False)
                return
            self._own = opened(path, FLAGS, patience)
        except OSError as error:
            raise unwritable("the log", path, error.errno or 0) from None
        self._shown, self._name = printable(path), path
        self._made = path if made else None
        self._sink = sink(self._own, self._formatter.dropped, "utf-8", own=True)

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            try:
                sink.close()
            except OSError as error:  # a file on a network tells of a full disk only now
                self._fail(error)
