# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a report goes: to stderr or to -o FILE.

Each format is in a module beside this one, and has a row in ptmon/formats.py.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from types import TracebackType

from ptmon.defaults import TOP
from ptmon.errors import PtmonError, UsageError, kernel_word
from ptmon.formats import REPORTS, report_format
from ptmon.frozen import dataclass
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.outputs.files import PATIENCE, STDOUT, check_folder, expand, opened, same_file, shared, unwritable, wants_pid
from ptmon.report import Header, Report
from ptmon.static import TextIO
from ptmon.text import printable


@dataclass(frozen=True, slots=True)
class Style:
    """How a report for people looks."""

    units: str = "iec"
    color: str = "auto"
    top: int = TOP
    """Rows of a table of sockets, peers or connections; what is beyond is summed up in one."""
    sort: str | None = None
    """``sent``, ``received``, ``calls`` or ``duration``; None: by bytes."""


Render = Callable[[Report, TextIO, Style], None]


def make(options: Options, host: str) -> ReportOutput:
    """The output that ``options`` ask for. Raises UsageError."""
    if options.log and options.output and same_file(expand(options.log, host), expand(options.output, host)):
        raise UsageError(f"-o {options.output} and --log={options.log} are the same file")
    name = options.format or report_format(options.output)
    return ReportOutput(renderer(name), style_of(options), options.output, host, history=REPORTS[name].history)


def style_of(options: Options) -> Style:
    """How the options want it to look."""
    return Style(options.units, options.color, options.top or TOP, options.sort)


def renderer(name: str) -> Render:
    """What writes a report in that format. Loaded now: at the end ptmon may be another version."""
    render: Render = __import__(REPORTS[name].module, fromlist=["write_report"]).write_report
    return render


class ReportOutput(SilentOutput):
    """Writes the report at the end.

    ``path`` None: to stderr; "-": to stdout. Else to that file, in which %p stands for the program's pid, %h for the
    host, %r for the rank, %% for %. The file is opened before the program is started, so that one that cannot be
    written is known early; with %p in its name it is opened when the pid is known. Where writing fails at the end the
    report goes to stderr, so that nothing is lost.
    """

    instead = "; here it is"
    """What is said of a file that can't be written any more; empty: it does not go to stderr, either."""

    def __init__(
        self,
        render: Render,
        style: Style,
        path: str | None,
        host: str,
        what: str = "the report",
        history: bool = False,
    ) -> None:
        """``what``: as errors call it."""
        self.wants_history = history
        self._render = render
        self._style = style
        self._path = path
        self._host = host
        self._what = what
        self._file: TextIO | None = None
        self._shown = ""
        self._shared = False
        """The file is ptmon's stdout or stderr too."""
        self._made: str | None = None
        """The file, if it is new and empty."""

    def __enter__(self) -> ReportOutput:
        if self._path is None:
            return self
        if wants_pid(self._path):
            check_folder(self._path, self._host, self._what)
        else:
            self._open(expand(self._path, self._host), PATIENCE)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves no empty file behind where there was none before and no report has come of it."""
        if self._made is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._made)
        self._close()

    def start(self, header: Header) -> None:
        if self._path is None or self._file is not None:
            return
        try:
            self._open(expand(self._path, self._host, header.root), 0)  # the program runs
        except PtmonError as error:
            stderr.say(f"{error}; {self._what} will be on stderr" if self.instead else str(error))

    def finish(self, report: Report) -> None:
        if self._file is not None:
            try:
                self._write(self._file, report)
                return
            except OSError as error:
                stderr.say(f"cannot write {self._what} to {self._shown}: {kernel_word(error.errno or 0)}{self.instead}")
                self._close()
        if self.instead:
            stderr.put(lambda file: self._render(report, file, self._style))

    def _write(self, file: TextIO, report: Report) -> None:
        if not self._shared and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.truncate(0)
        self._made = None
        self._render(report, file, self._style)
        file.close()  # flushes: a full disk shows here at the latest
        self._file = None

    def _open(self, path: str, patience: float) -> None:
        made = path != STDOUT and not os.path.lexists(path)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
            standing = shared(path)
            self._shared = standing is not None
            number = opened(path, flags, patience) if standing is None else os.dup(standing)
        except OSError as error:
            raise unwritable(self._what, path, error.errno or 0) from None
        self._file = stderr.text_file(number, "utf-8", "surrogateescape", close=True)
        self._shown = printable(path)
        self._made = path if made else None

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
