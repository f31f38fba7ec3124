# SPDX-License-Identifier: GPL-2.0-or-later
"""--record: all that the engine tells, in a file of which every other output can be made later (--replay)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType

from ptmon.errors import UsageError
from ptmon.options import Options
from ptmon.outputs import SilentOutput
from ptmon.outputs.files import STDOUT, expand, same_file
from ptmon.outputs.private import PrivateFile
from ptmon.recording import END, HEAD, MAGIC, ROWS
from ptmon.recording.blocks import block
from ptmon.report import Header, Report
from ptmon.static import Any
from ptmon.version import __version__


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
    """Appends a block a batch, and is the :class:`ptmon.engines.Recorder` of its run."""

    records_all = True
    wants_every_call = True

    def __init__(self, path: str, host: str) -> None:
        self.refused: list[tuple[int, int]] = []
        """Targets that could not be attached: pid, errno or 0. Set by the session before the first batch."""
        self.elapsed = 0.0
        self._file = PrivateFile(path, host, "the recording")
        self._known: Mapping[str, Any] = {}
        self._header: Header | None = None
        self._begun = False

    def __enter__(self) -> RecordOutput:
        self._file.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def begin(self, known: Mapping[str, Any]) -> None:
        self._known = known

    def add(self, body: bytes) -> None:
        self._write(ROWS, body)

    def start(self, header: Header) -> None:
        self._header = header
        self._file.start(header.root)

    def finish(self, report: Report) -> None:
        limit = None if report.limit is None else asdict(report.limit)
        self._write(END, _json({"elapsed": self.elapsed, "limit": limit}))

    def _write(self, kind: bytes, body: bytes) -> None:
        """A block, and before the first one the head: only now is all of that known."""
        if not self._file.is_open or self._header is None:
            return
        data = block(kind, body)
        if not self._begun:
            self._begun = True
            head = {"ptmon": __version__, "header": asdict(self._header), "refused": self.refused, **self._known}
            data = MAGIC + block(HEAD, _json(head)) + data
        self._file.write(data)


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
