# SPDX-License-Identifier: GPL-2.0-or-later
"""Where lines of events go. Neither a slow reader nor a full disk holds the tracer up: what does not fit is counted.

A sink takes parts: the text of one event each, complete lines, which is written as a whole or dropped as a whole; or as
bytes the lines of many events, one each, in ASCII.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

MOST = 1 << 20
"""Bytes that wait for a slow reader at most."""

Part = str | bytes
Told = Callable[[int], str]
"""The line that says how many events are missing."""


class Sink(Protocol):
    """``lost`` counts the events that were dropped."""

    lost: int

    def put(self, parts: Sequence[Part]) -> None:
        """Takes what happened, and writes as much as can be written now. Raises OSError: what failed is lost."""

    def finish(self, patience: float) -> None:
        """Writes what waits, for so many seconds at most. Raises OSError."""

    def close(self) -> None:
        """Raises OSError."""


def sink(number: int, told: Told, encoding: str, *, own: bool) -> Sink:
    """The sink for a file descriptor. ``own``: its open file description is ptmon's alone, and set O_NONBLOCK."""
    if stat.S_ISREG(os.fstat(number).st_mode):
        return FileSink(number, told, encoding, own=own)
    return StreamSink(number, told, encoding, own=own)


class FileSink:
    """A regular file: every event is in it, and at any time it ends with a whole one.

    Each batch is one write, so a reader never sees half a line, and a ptmon that is killed leaves none behind.
    """

    def __init__(self, number: int, told: Told, encoding: str, *, own: bool) -> None:
        self.lost = 0
        self._number = number
        self._told = told
        self._encoding = encoding
        self._own = own
        self._gap = 0
        """Events that are missing at the end of the file."""

    def put(self, parts: Sequence[Part]) -> None:
        head = _encoded(self._told(self._gap), self._encoding) if self._gap else b""
        data = head + b"".join([_encoded(part, self._encoding) for part in parts])
        written = 0
        try:
            while written < len(data):
                written += os.write(self._number, data[written:] if written else data)
        except OSError:  # a full disk takes a part
            self._cut(written, head, parts)
            raise
        self._gap = 0

    def finish(self, patience: float) -> None:
        if self._gap:
            self.put(())

    def move(self, number: int) -> None:
        """Goes on in another file, which is ptmon's own. It begins with a whole event, as this one ends with one."""
        old, self._number = self._number, number
        if self._own:
            os.close(old)

    def close(self) -> None:
        if self._own:
            os.close(self._number)

    def _cut(self, written: int, head: bytes, parts: Sequence[Part]) -> None:
        """Takes half an event off the end again, and counts those that are missing."""
        whole = len(head) if written >= len(head) else 0
        missing = [len(event) for event in _events(parts, self._encoding)]
        if whole or not head:
            self._gap = 0
            while missing and whole + missing[0] <= written:
                whole += missing.pop(0)
        self._gap += len(missing)
        self.lost += len(missing)
        if self._own and written > whole:  # a stderr is also written by others, whose lines may be the last now
            os.ftruncate(self._number, os.fstat(self._number).st_size - (written - whole))


class StreamSink:
    """A pipe, a terminal, a socket: its reader may be slow or asleep, and a write must not wait for it.

    O_NONBLOCK belongs to the open file description, which ptmon shares with the traced program if this is stderr; so
    the file is opened once more, where that is possible.
    """

    def __init__(self, number: int, told: Told, encoding: str, *, own: bool, most: int = MOST) -> None:
        self.lost = 0
        self._told = told
        self._encoding = encoding
        self._most = most
        self._gap = 0
        self._gaps: set[bytes] = set()
        """What was said of gaps: no events."""
        self._waiting = bytearray()
        self._error: OSError | None = None
        again = None if own else reopened(number)
        self._number = number if again is None else again
        self._own = own or again is not None
        self._write = self._writer()

    def put(self, parts: Sequence[Part]) -> None:
        if self._waiting:
            self._pump()
        for event in _events(parts, self._encoding):
            self._take(event)
        self._pump()
        self._raise()

    def finish(self, patience: float) -> None:
        end = time.monotonic() + patience
        if self._gap:
            self._tell_gap()
        poll = select.poll()
        poll.register(self._number, select.POLLOUT)
        self._pump()
        while self._waiting and self._error is None and (left := end - time.monotonic()) > 0:
            poll.poll(left * 1000)
            self._pump()
        self.lost += sum(line not in self._gaps for line in bytes(self._waiting).splitlines(keepends=True))
        self._waiting.clear()
        self._raise()

    def close(self) -> None:
        if self._own:
            os.close(self._number)

    def _take(self, data: bytes) -> None:
        if not self._gap:
            if len(self._waiting) + len(data) > self._most:
                self._pump()
            if len(self._waiting) + len(data) <= self._most:
                self._waiting += data
                return
        elif len(self._waiting) <= self._most // 2:  # one large gap is better than many small ones
            self._tell_gap()
            self._take(data)
            return
        self._gap += 1
        self.lost += 1

    def _tell_gap(self) -> None:
        line = _encoded(self._told(self._gap), self._encoding)
        self._waiting += line
        self._gaps.add(line)
        self._gap = 0

    def _pump(self) -> None:
        """Writes what can be written now: whole lines, so that those of other writers do not come between."""
        waiting = self._waiting
        while waiting:
            end = waiting.rfind(b"\n", 0, select.PIPE_BUF) + 1 or select.PIPE_BUF
            try:
                count = self._write(bytes(waiting[:end]))
            except BlockingIOError:
                return
            except OSError as error:  # kept for the end of the batch, for the rest of it must be counted
                self._error = error
                return
            if not count:
                return
            del waiting[:count]

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _writer(self) -> Callable[[bytes], int]:
        number = self._number
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            end = socket.socket(fileno=os.dup(number))
            return lambda data: end.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        if self._own:
            return lambda data: os.write(number, data)
        poll = select.poll()
        poll.register(number, select.POLLOUT)
        # pipe(7): where there is room at all there is room for PIPE_BUF bytes. It waits nevertheless if another writer
        # takes that room in between; that is why this is the last resort.
        return lambda data: os.write(number, data) if poll.poll(0) else 0


def _encoded(part: Part, encoding: str) -> bytes:
    return part if isinstance(part, bytes) else part.encode(encoding, "backslashreplace")


def _events(parts: Sequence[Part], encoding: str) -> Iterator[bytes]:
    """One by one."""
    for part in parts:
        if isinstance(part, bytes):
            yield from part.splitlines(keepends=True)
        elif part:
            yield _encoded(part, encoding)


def reopened(number: int) -> int | None:
    """The same pipe or terminal by another open file description, set O_NONBLOCK; None where that cannot be."""
    kind = os.fstat(number).st_mode
    if not (stat.S_ISFIFO(kind) or os.isatty(number)):
        return None
    try:
        return os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # another user's, or a pipe whose reader has gone: writing tells
        return None
