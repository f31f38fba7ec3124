# SPDX-License-Identifier: GPL-2.0-or-later
"""--record: all that the engine tells, in a file of which every other output can be made later (--replay)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType

from ptmon.errors import UsageError
from ptmon.options import Options
from ptmon.outputs.files import STDOUT, expand, same_file
from ptmon.outputs.keeping import KeepingOutput
from ptmon.outputs.private import PrivateFile
from ptmon.recording import DENY, END, ROWS
from ptmon.recording.blocks import block, document
from ptmon.report import Header, Report
from ptmon.static import Any


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


class RecordOutput(KeepingOutput):
    """Appends a block a batch."""

    wants_every_call = True

    def __init__(self, path: str, host: str) -> None:
        super().__init__()
        self._file = PrivateFile(path, host, "the recording")

    def __enter__(self) -> RecordOutput:
        self._file.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, body: bytes) -> None:
        self._write(block(ROWS, body))

    def refuse(self, refusal: Mapping[str, Any]) -> None:
        self._write(document(DENY, refusal))

    def start(self, header: Header) -> None:
        super().start(header)
        self._file.start(header.root)

    def finish(self, report: Report) -> None:
        limit = None if report.limit is None else asdict(report.limit)
        self._write(document(END, {"elapsed": self.elapsed, "limit": limit}))

    def _write(self, data: bytes) -> None:
        if self._file.is_open and self.header is not None:
            self._file.write(self.beginning() + data)
