# SPDX-License-Identifier: GPL-2.0-only
"""--record: all that the engine tells, in a file of which every other output can be made later (--replay)."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType

from ptmon.errors import PtmonError, UsageError, kernel_word
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.outputs.files import STDOUT, check_folder, expand, same_file, unwritable, wants_pid
from ptmon.recording import END, HEAD, MAGIC, ROWS
from ptmon.recording.blocks import block
from ptmon.report import Header, Report
from ptmon.static import Any
from ptmon.text import printable
from ptmon.version import __version__

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOCTTY
MODE = 0o600
"""Names are read from the first bytes of connections, which are in a recording: nobody else is to see them."""


def make(options: Options, host: str) -> RecordOutput:
    """The output that ``options`` ask for. Raises UsageError."""
    assert options.record is not None
    if options.record == STDOUT:
        raise UsageError("--record wants a file, not stdout")
    others = (("-o ", options.output), ("--log=", options.log), ("--html ", options.html))
    for flag, other in others:
        if other and same_file(expand(other, host), expand(options.record, host)):
            raise UsageError(f"{flag}{other} and --record {options.record} are the same file")
    return RecordOutput(options.record, host)


class RecordOutput(SilentOutput):
    """Appends a block a batch, and is the :class:`ptmon.engines.Recorder` of its run.

    Where the disk is full it says so once, takes the half block off the end, and writes no more.
    """

    records_all = True
    wants_every_call = True

    def __init__(self, path: str, host: str) -> None:
        self.refused: list[tuple[int, int]] = []
        """Targets that could not be attached: pid, errno or 0. Set by the session before the first batch."""
        self.elapsed = 0.0
        self._path = path
        self._host = host
        self._shown = printable(path)
        self._made = ""
        """The file, as it was opened."""
        self._number: int | None = None
        self._known: Mapping[str, Any] = {}
        self._header: Header | None = None
        self._begun = False

    def __enter__(self) -> RecordOutput:
        if wants_pid(self._path):
            check_folder(self._path, self._host, "the recording")
        else:
            self._open(expand(self._path, self._host))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        number, self._number = self._number, None
        if number is None:
            return
        if not self._begun and stat.S_ISREG(os.fstat(number).st_mode):  # the program was never started
            with contextlib.suppress(OSError):
                os.unlink(self._made)
        os.close(number)

    def begin(self, known: Mapping[str, Any]) -> None:
        self._known = known

    def add(self, body: bytes) -> None:
        self._write(ROWS, body)

    def start(self, header: Header) -> None:
        self._header = header
        if self._number is None:
            try:
                self._open(expand(self._path, self._host, header.root))
            except PtmonError as error:
                stderr.say(f"{error}; there will be no recording")

    def finish(self, report: Report) -> None:
        limit = None if report.limit is None else asdict(report.limit)
        self._write(END, _json({"elapsed": self.elapsed, "limit": limit}))

    def _open(self, path: str) -> None:
        self._shown, self._made = printable(path), path
        try:
            self._number = os.open(path, FLAGS, MODE)
            if stat.S_ISREG(os.fstat(self._number).st_mode):
                os.fchmod(self._number, MODE)  # it may have been there
        except OSError as error:
            raise unwritable("the recording", path, error.errno or 0) from None

    def _write(self, kind: bytes, body: bytes) -> None:
        """A block, and before the first one the head: only now is all of that known."""
        if self._number is None or self._header is None:
            return
        data = block(kind, body)
        if not self._begun:
            self._begun = True
            head = {"ptmon": __version__, "header": asdict(self._header), "refused": self.refused, **self._known}
            data = MAGIC + block(HEAD, _json(head)) + data
        written = 0
        try:
            while written < len(data):
                written += os.write(self._number, data[written:] if written else data)
        except OSError as error:
            self._give_up(written, error)

    def _give_up(self, written: int, error: OSError) -> None:
        assert self._number is not None
        stderr.say(
            f"cannot write the recording to {self._shown}: {kernel_word(error.errno or 0)}; it ends here, the program"
            " goes on"
        )
        with contextlib.suppress(OSError):
            os.ftruncate(self._number, os.fstat(self._number).st_size - written)
        os.close(self._number)
        self._number = None


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
