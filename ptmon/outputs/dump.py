# SPDX-License-Identifier: GPL-2.0-or-later
"""--dump: what calls have moved, as text on stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from datetime import datetime, timedelta

from ptmon import addresses
from ptmon.errors import kernel_word
from ptmon.outputs import stderr
from ptmon.outputs.files import PATIENCE
from ptmon.outputs.sinks import FileSink, Sink, StreamSink, sink
from ptmon.packets import hexdump
from ptmon.packets.talks import Talk
from ptmon.records import Content, Direction
from ptmon.report import Header
from ptmon.text import counted, printable

WAITING_MOST = 1 << 26
"""Bytes of text that wait for a slow reader: the tracees do not."""


class Dump:
    """A line for each call, and its bytes as ``hexdump -C`` has them. Lines that stderr does not take are counted."""

    def __init__(self) -> None:
        self._began = datetime.fromtimestamp(0)
        self._parts: list[bytes] = []
        self._sink: Sink | None = None

    def start(self, header: Header) -> None:
        """The program runs."""
        self._began = datetime.fromisoformat(header.started).astimezone()
        try:
            number = sys.stderr.fileno() if sys.stderr is not None else -1
            os.fstat(number)
        except (OSError, ValueError):
            return  # ptmon was started without one
        self._sink = _sink(number)

    def write(self, record: Content, talk: Talk, name: str) -> None:
        """What a call has moved."""
        moment = self._began + timedelta(seconds=record.time)
        way, to = ("send", "to") if record.direction is Direction.SENT else ("receive", "from")
        peer = printable(addresses.address_text(talk.seen.peer) or "?")
        head = f"{moment:%H:%M:%S.%f} {record.pid} {name} {way} {counted(record.moved, 'byte')} {to} {peer}"
        if len(record.data) < record.moved:
            head += f", of which {len(record.data)} are here"
        text = "\n".join((head, *hexdump.lines(record.data), ""))
        self._parts.append(text.encode("ascii", "backslashreplace"))

    def flush(self) -> None:
        """At the end of a batch; there may be nothing."""
        parts, self._parts = self._parts, []
        if self._sink is None:
            return
        try:
            self._sink.put(parts)
        except OSError as error:
            self._fail(error)

    def finish(self) -> None:
        """At the end."""
        if self._sink is None:
            return
        try:
            self._sink.finish(PATIENCE)
        except OSError as error:
            self._fail(error)
        if self._sink is not None and self._sink.lost:
            stderr.say(f"{counted(self._sink.lost, 'line')} of the dump could not be written")

    def close(self) -> None:
        """Nothing is written any more."""
        found, self._sink = self._sink, None
        if found is not None:
            with contextlib.suppress(OSError):  # a file on a network, on a full disk: the dump has ended all the same
                found.close()

    def _fail(self, error: OSError) -> None:
        if not stderr.would_wait():
            stderr.say(f"cannot write the dump: {kernel_word(error.errno or 0)}; the program goes on")
        self.close()


def _sink(number: int) -> Sink:
    found = sink(number, _missing, "ascii", own=False)
    if isinstance(found, FileSink):
        return found
    found.close()
    return StreamSink(number, _missing, "ascii", own=False, most=WAITING_MOST)


def _missing(count: int) -> str:
    return f"... {counted(count, 'line')} missing: nobody took them\n"
