# SPDX-License-Identifier: GPL-2.0-or-later
"""--capture and --dump: what calls have moved, as a file that Wireshark opens, and as text on stderr."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from types import TracebackType

from ptmon.errors import UsageError
from ptmon.options import Options
from ptmon.outputs import SilentOutput
from ptmon.outputs.dump import Dump
from ptmon.outputs.files import STDOUT, expand, same_file
from ptmon.outputs.packet_file import PacketFile
from ptmon.outputs.private import PrivateFile
from ptmon.packets.talks import Talk, Talks
from ptmon.records import Clone, Content, Exec, Exit, Record, SocketClosed, SocketSeen
from ptmon.report import Header, Report
from ptmon.text import printable


def make(options: Options, host: str) -> CaptureOutput:
    """The output that ``options`` ask for. Raises UsageError."""
    path = options.capture
    if path == STDOUT:
        raise UsageError("--capture wants a file, not stdout")
    others = {"-o ": options.output, "--log=": options.log, "--html ": options.html, "--record ": options.record}
    for flag, other in others.items():
        if path and other and same_file(expand(other, host), expand(path, host)):
            raise UsageError(f"{flag}{other} and --capture {path} are the same file")
    file = None if path is None else PacketFile(PrivateFile(path, host, "the capture"))
    return CaptureOutput(file, Dump() if options.dump else None)


class CaptureOutput(SilentOutput):
    """Takes content out of batches, before anybody else gets them."""

    def __init__(self, file: PacketFile | None, dump: Dump | None) -> None:
        self._file = file
        self._dump = dump
        self._talks = Talks()
        self._names: dict[int, str] = {}
        """Of processes."""

    def __enter__(self) -> CaptureOutput:
        if self._file is not None:
            self._file.file.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._dump is not None:
            self._dump.close()
        if self._file is not None:
            self._file.file.close()

    def start(self, header: Header) -> None:
        if self._file is not None:
            self._file.start(header, shlex.join(header.command))
        if self._dump is not None:
            self._dump.start(header)

    def take(self, records: Sequence[Record]) -> Sequence[Record]:
        """A batch without content."""
        kept = []
        for record in records:
            if isinstance(record, Content):
                self._write(record)
            else:
                self._note(record)
                kept.append(record)
        if self._dump is not None:
            self._dump.flush()
        return kept

    def finish(self, report: Report) -> None:
        if self._dump is not None:
            self._dump.finish()

    def _write(self, record: Content) -> None:
        talk, begins = self._talks.find(record)
        name = self._names.get(record.pid) or "?"
        if self._file is not None:
            self._file.write(record, talk, begins, printable(name))
        if self._dump is not None:
            self._dump.write(record, talk, printable(name))

    def _note(self, record: Record) -> None:
        match record:
            case SocketSeen():
                self._talks.note(record)
            case SocketClosed():
                self._end(record.time, self._talks.closed(record))
            case Exec():
                self._names[record.pid] = record.name
            case Clone() if record.pid == record.tid:
                self._talks.forked(record)
                self._names[record.pid] = self._names.get(record.parent, "")
            case Exit() if record.pid == record.tid:
                self._end(record.time, *self._talks.gone(record.pid))
                self._names.pop(record.pid, None)

    def _end(self, time: float, *talks: Talk | None) -> None:
        for talk in talks:
            if talk is not None and self._file is not None:
                self._file.end(time, talk)
