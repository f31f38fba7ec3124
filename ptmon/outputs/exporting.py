# SPDX-License-Identifier: GPL-2.0-or-later
"""What an exporter needs of the run: ``python -m ptmon.export`` is started, and gets the recording through a pipe."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType

from ptmon.errors import PtmonError, kernel_word
from ptmon.outputs import stderr
from ptmon.outputs.files import PATIENCE
from ptmon.outputs.keeping import KeepingOutput
from ptmon.recording import DENY, END, LOST, ROWS
from ptmon.recording.blocks import block, document
from ptmon.report import Report
from ptmon.static import Any
from ptmon.text import counted

MOST = 8 << 20
"""Bytes that wait for an exporter at most."""
START_SECONDS = 20.0


class ExportOutput(KeepingOutput):
    """Writes what the pipe takes; what waits longer than there is room for is dropped, and the exporter is told."""

    wants_every_call = False

    def __init__(self, flag: str, words: Sequence[str], listeners: Sequence[int] = ()) -> None:
        """``flag``: the option that asks for it; ``words``: of the exporter; ``listeners``: fds that it is to have."""
        super().__init__()
        self._flag = flag
        self._words = words
        self._listeners = listeners
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._told = 0
        """Of those that are lost."""

    def __enter__(self) -> ExportOutput:
        reader, self._pipe = os.pipe2(os.O_CLOEXEC)
        words = [sys.executable, "-m", "ptmon.export", *self._words]
        try:
            self._process = subprocess.Popen(
                words, stdin=reader, stdout=subprocess.PIPE, pass_fds=self._listeners, process_group=0
            )
        except OSError as error:
            raise PtmonError(f"{self._flag}: cannot start its process: {kernel_word(error.errno or 0)}") from None
        finally:
            os.close(reader)
        os.set_blocking(self._pipe, False)
        said = self._first_line()
        if said != "ready":
            self.__exit__(None, None, None)
            raise PtmonError(f"{self._flag}: {said or 'its process ended without a word'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        process = self._process
        if process is None:
            return
        with process:
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:  # a collector that does not answer must not keep anybody waiting
                process.kill()
                stderr.say(f"{self._flag}: not all could be told within {PATIENCE:.0f} seconds: the rest is lost")

    def add(self, body: bytes) -> None:
        self._put(block(ROWS, body), may_be_lost=True)

    def refuse(self, refusal: Mapping[str, Any]) -> None:
        self._put(document(DENY, refusal), may_be_lost=True)

    def finish(self, report: Report) -> None:
        self._put(document(END, {"elapsed": self.elapsed, "limit": None}))
        end = time.monotonic() + PATIENCE
        while self._waiting and self._pipe >= 0 and (left := end - time.monotonic()) > 0:
            select.select([], [self._pipe], [], left)
            self._pump()
        if self._lost:
            stderr.say(f"{self._flag}: {counted(self._lost, 'batch', 'batches')} could not be told: too slow a reader")
        self._close()

    def _put(self, data: bytes, may_be_lost: bool = False) -> None:
        if self._pipe < 0 or self.header is None:
            return
        if beginning := self.beginning():
            self._add(beginning)
        if self._size > MOST and may_be_lost:
            self._lost += 1
            return
        if self._lost > self._told:
            self._add(document(LOST, {"batches": self._lost - self._told}))
            self._told = self._lost
        self._add(data)
        self._pump()

    def _add(self, data: bytes) -> None:
        self._waiting.append(data)
        self._size += len(data)

    def _pump(self) -> None:
        try:
            while self._waiting:
                data = self._waiting[0]
                written = os.write(self._pipe, data)
                self._size -= written
                if written < len(data):
                    self._waiting[0] = data[written:]
                else:
                    self._waiting.popleft()
        except BlockingIOError:
            return
        except OSError as error:  # it has died
            stderr.say(f"{self._flag}: its process has ended: {kernel_word(error.errno or 0)}; the program goes on")
            self._close()

    def _close(self) -> None:
        pipe, self._pipe = self._pipe, -1
        self._waiting.clear()
        if pipe >= 0:
            os.close(pipe)

    def _first_line(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        said, end = b"", time.monotonic() + START_SECONDS
        number = self._process.stdout.fileno()
        with contextlib.suppress(OSError):
            while b"\n" not in said and (left := end - time.monotonic()) > 0:
                if not select.select([number], [], [], left)[0]:
                    break
                more = os.read(number, 4096)
                if not more:
                    break
                said += more
        return said.decode(errors="replace").partition("\n")[0]
