# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine that traces nothing: it reads a recording, and tells what the engine told that was recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import BinaryIO

from ptmon.engines import EngineSettings, Past
from ptmon.engines.native.batches import BatchReader
from ptmon.engines.native.packing import Unpacked, layout, unpack_refusal
from ptmon.errors import AttachError, PtmonError, kernel_word
from ptmon.recording import DENY, END, HEAD, LOST, ROWS
from ptmon.recording.blocks import MALFORMED, DamagedError, blocks
from ptmon.records import Exit, Incomplete, Inside, Reason, Record, Site
from ptmon.report import Header, LimitReport, Waited
from ptmon.static import Any
from ptmon.text import printable
from ptmon.watches import Rule

STEP = 0.1
"""Seconds after which a batch comes at the latest, if it is an empty one."""


class ReplayEngine:
    """Reads ``settings.replay``. See :class:`ptmon.engines.Engine`.

    Of a recording that is cut off or damaged it tells what is whole, and then that something is missing.
    """

    name = "native"

    def __init__(self, settings: EngineSettings) -> None:
        self.settings = settings
        self.root = 0
        self.started = 0.0
        self.counting = True
        self.exit: Exit | None = None
        self.refused: Sequence[AttachError] = ()
        self.explained: Sequence[Site | Inside] = ()
        self.told = 0.0
        self.past: Past | None = None
        self.lost = 0
        """Batches that are missing until now: the pipe through which it comes was full."""
        self._path = settings.replay or ""
        self._shown = printable(self._path)
        self._stack = ExitStack()
        self._blocks: Iterator[tuple[bytes, bytes]] = iter(())
        self._reader = BatchReader(0)
        self._elapsed: float | None = None
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def send_signal(self, number: int) -> None:
        """There is nobody to get it."""

    def elapsed(self) -> float:
        return self.told if self._elapsed is None else self._elapsed

    def __enter__(self) -> ReplayEngine:
        with ExitStack() as stack:
            try:
                file: BinaryIO = stack.enter_context(open(self._path, "rb"))
                self._blocks = blocks(file)
                kind, body = next(self._blocks, (b"", b""))
                if kind != HEAD:
                    raise DamagedError("its first block is no head")
                self._begin(_document(body))
            except OSError as error:
                raise PtmonError(f"cannot read {self._shown}: {kernel_word(error.errno or 0)}") from None
            except DamagedError as error:
                raise PtmonError(f"{self._shown} is no recording of ptmon, or a damaged one: {error}") from None
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[list[Record]]:
        begun = time.monotonic()
        if self._missing:
            yield self._missing
        try:
            for kind, body in self._blocks:
                if self._stopped:
                    return
                if kind == ROWS:
                    yield from self._batch(body, begun)
                elif kind == DENY:
                    yield [unpack_refusal(_document(body))]
                elif kind == LOST:
                    self.lost += _number(_document(body), "batches")
                    yield [Incomplete(self.told, self.root, Reason.RECORDING, None, 0)]
                elif kind == END:
                    self._end(_document(body))
                    return
                else:
                    raise DamagedError("there is a block of an unknown kind")
            raise DamagedError("it has no end: the ptmon that wrote it was killed, or writes on")
        except OSError as error:
            yield [self._incomplete(kernel_word(error.errno or 0))]
        except DamagedError as error:
            yield [self._incomplete(str(error))]

    def _batch(self, body: bytes, begun: float) -> Iterator[list[Record]]:
        unpacked = Unpacked(body)
        try:
            records = self._reader.read(unpacked.batch)
        except (LookupError, ValueError, PtmonError, UnicodeError) as error:
            raise DamagedError(f"a batch cannot be understood: {error!r}") from None
        moment = max(self.told, (unpacked.batch.time - self._reader.start) / 1e9)
        yield from self._pause(begun, moment)
        self.told = moment
        for record in records:
            if isinstance(record, Exit) and record.pid == record.tid == self.root:
                self.exit = record
        yield records

    def _pause(self, begun: float, moment: float) -> Iterator[list[Record]]:
        """Until that moment has come again. Empty batches come meanwhile, as of an engine that waits."""
        speed = self.settings.speed
        if not speed:
            return
        while not self._stopped and (left := begun + moment / speed - time.monotonic()) > 0:
            self.told = max(self.told, moment - left * speed)
            yield []
            time.sleep(min(left, STEP))

    def _begin(self, head: Mapping[str, Any]) -> None:
        try:
            if head["layout"] != layout():
                raise PtmonError(
                    f"{self._shown} was recorded by ptmon {head['ptmon']}, which keeps its records in another form"
                )
            self.past = Past(_header(head["header"]))
            self.root, self.started = self.past.header.root, float(head["started"])
            self.name = self.past.header.engine
            rules = [Rule(str(text), 0, compat=False, error=0) for text in head["rules"]]
            names = dict(enumerate(map(str, head["syscalls"])))
            self._reader = BatchReader(int(head["start"]), rules, names)
            self._missing: list[Record] = [
                Incomplete(0.0, int(pid), Reason.UNATTACHED, None, int(number)) for pid, number in head["refused"]
            ]
        except MALFORMED as error:
            raise DamagedError(f"its head does not say what it should: {error!r}") from None

    def _end(self, end: Mapping[str, Any]) -> None:
        try:
            self._elapsed = float(end["elapsed"])
            if end["limit"] is not None and self.past is not None:
                limit = LimitReport(int(end["limit"]["bytes"]), bool(end["limit"]["passed"]))
                self.past = Past(self.past.header, limit)
        except MALFORMED as error:
            raise DamagedError(f"its end does not say what it should: {error!r}") from None

    def _incomplete(self, why: str) -> Record:
        if self.past is not None:
            self.past = Past(self.past.header, self.past.limit, f"{self._shown}: {why}; what stands before is told")
        return Incomplete(self.told, self.root, Reason.RECORDING, None, 0)


def _number(document: Mapping[str, Any], member: str) -> int:
    try:
        return int(document[member])
    except MALFORMED as error:
        raise DamagedError(f"a block does not say what it should: {error!r}") from None


def _header(told: Mapping[str, Any]) -> Header:
    waited = told["waited"]
    return Header(
        host=str(told["host"]),
        command=tuple(map(str, told["command"])),
        mode=str(told["mode"]),
        engine=str(told["engine"]),
        started=str(told["started"]),
        root=int(told["root"]),
        ppid=None if told["ppid"] is None else int(told["ppid"]),
        waited=None if waited is None else Waited(str(waited["name"]), float(waited["attach_delay_s"])),
        only=None if told["only"] is None else str(told["only"]),
        rank=None if told.get("rank") is None else int(told["rank"]),
    )


def _document(body: bytes) -> Mapping[str, Any]:
    document = None
    with suppress(ValueError):
        document = json.loads(body)
    if not isinstance(document, dict):
        raise DamagedError("a block is no JSON object")
    return document
