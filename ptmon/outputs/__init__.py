# SPDX-License-Identifier: GPL-2.0-only
"""Outputs: whatever consumes records, snapshots or the report. They never see an engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol

from ptmon.records import Record
from ptmon.report import Report, Snapshot


class Output(Protocol):
    """One output. An output that cannot do its work says so itself, on stderr: it never ends the run."""

    wants_records: bool
    """False: ``write`` is never called."""

    def __enter__(self) -> Output:
        """Before the program starts. Raises PtmonError where the output is sure to fail."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, pid: int) -> None:
        """The program runs (or the first target is attached), and this is its pid."""

    def write(self, record: Record) -> None:
        """One record, in the order in which the engine told them."""

    def snapshot(self, snapshot: Snapshot) -> None:
        """The ledger now, every --interval."""

    def finish(self, report: Report) -> None:
        """The ledger at the end."""


class SilentOutput:
    """An output that does nothing: outputs are made of it by overriding what they care for."""

    wants_records = False

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def start(self, pid: int) -> None:
        """Nothing."""

    def write(self, record: Record) -> None:
        """Nothing."""

    def snapshot(self, snapshot: Snapshot) -> None:
        """Nothing."""

    def finish(self, report: Report) -> None:
        """Nothing."""


class Outputs(SilentOutput):
    """Several outputs as one. Only those that want records pay for records."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        self._writers = [output.write for output in outputs if output.wants_records]
        self.wants_records = bool(self._writers)
        self._stack = ExitStack()

    def __enter__(self) -> Outputs:
        with ExitStack() as stack:
            for output in self._outputs:
                stack.enter_context(output)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def start(self, pid: int) -> None:
        for output in self._outputs:
            output.start(pid)

    def write(self, record: Record) -> None:
        for write in self._writers:
            write(record)

    def snapshot(self, snapshot: Snapshot) -> None:
        for output in self._outputs:
            output.snapshot(snapshot)

    def finish(self, report: Report) -> None:
        for output in self._outputs:
            output.finish(report)
