# SPDX-License-Identifier: GPL-2.0-or-later
"""One client of the event server: how it comes, what it is sent, how it goes. Runs in the server's thread.

What waits for a client that does not read is bounded; beyond, it misses events, and is told how many when it reads on.
"""

from __future__ import annotations

import asyncio
import contextlib

from ptmon.outputs.server import access, commands
from ptmon.outputs.server.host import Host, Stage
from ptmon.outputs.server.lines import Line, Lines, Voice

BUFFER_HIGH = 256 * 1024
"""Bytes that wait for a client, beside what the kernel's socket holds, above which it misses events."""
BUFFER_LOW = 64 * 1024
"""Below this it gets events again."""

TOKEN_SECONDS = 3.0
GRACE = 0.1
"""Seconds in which a client may ask for a form before the first line is sent: a script's output is then pure."""
FLUSH_SECONDS = 2.0
"""What a client that is to go has not taken after this is thrown away."""
LINGER = 0.1
"""Seconds for which a client that is to go may close first."""
LOOK = 0.02

LINES_AT_ONCE = 16
BYTES_AT_ONCE = 4096
PAUSE = 0.05
"""Seconds for which a client that says so much at once is not listened to: its flood waits in its own socket."""


class Client(asyncio.Protocol):
    """A connection."""

    def __init__(self, host: Host[Client], peer: str) -> None:
        self.host = host
        self.stage = Stage.COMING
        self.format = commands.FORMATS[0]
        self.full = False
        """It does not take what it is sent: it gets no more until it does."""
        self.quiet = False
        """It has closed its side, or is gone altogether: TCP does not tell which until something is sent."""
        self.missed = 0
        """Events since it was told last."""
        self.voice = Voice(host.teller, peer)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._lines = Lines()
        self._greeted = False
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._left = 0.0

    # What the server and the commands do with it.

    def join(self) -> None:
        """From now on it gets events, if it is admitted and does not get them already."""
        if self.stage is Stage.ADMITTED:
            self.stage = Stage.JOINED
            self.host.joined(self)
            self.catch_up()

    def send(self, data: bytes) -> None:
        """Sends lines to a client that is not ``full``."""
        self.catch_up()
        self._write(data)

    def answer(self, lines: str) -> None:
        """Sends lines that it has asked for. Not to one that does not read: they would pile up."""
        if self.full:
            self.missed += 1
        else:
            self.send(encoded(lines))

    def miss(self, count: int) -> None:
        """So many events are not sent to it."""
        self.missed += count
        self.catch_up()

    def choose(self, name: str) -> None:
        """Sends another form from now on."""
        if name != self.format:
            self.format = name
            self._greeted = False
            self.catch_up()

    def catch_up(self) -> None:
        """Sends what stands first in its form, if that has yet to come, and what it has missed."""
        header = self.host.header
        if self.stage is not Stage.JOINED or self.full or header is None:
            return
        formatter = self.host.formatter(self.format)
        if not self._greeted:
            self._greeted = True
            self._write(encoded(formatter.begin(header)))
        if self.missed:
            missed, self.missed = self.missed, 0
            self._write(encoded(formatter.dropped(missed)))

    def note(self, text: str) -> str:
        """A line to the client itself, in its form."""
        return self.host.formatter(self.format).note(text)

    def totals(self) -> str | None:
        """The totals now, in its form; None before the start."""
        event = self.host.snapshot()
        return None if event is None else self.host.formatter(self.format).lines(event)

    def leave(self, lines: str) -> None:
        """Sends what was missed and these last lines, and closes, whether the client takes them or not."""
        transport = self._transport
        if transport is None or self.stage in (Stage.LEAVING, Stage.GONE):
            return
        if self.stage is Stage.JOINED and self.missed:
            lines = self.host.formatter(self.format).dropped(self.missed) + lines
        self._write(encoded(lines))
        self.stage = Stage.LEAVING
        self._stop_timers()
        if not self.host.leaves(self):
            self.abort()
            return
        # What was received and not read would make the kernel send RST instead of FIN (RFC 2525, 2.17), and the
        # client might lose its last lines: the input is read on, and thrown away.
        transport.resume_reading()
        if transport.can_write_eof():  # not with TLS
            with contextlib.suppress(OSError):
                transport.write_eof()
        self._left = self._loop.time()
        self._linger()

    def abort(self) -> None:
        """Closes at once."""
        if self._transport is not None:
            self._transport.abort()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(BUFFER_HIGH, BUFFER_LOW)
        if self.host.token is None:
            self._admit()
        elif self.host.is_full():
            self.leave(self.host.refusal())
        else:
            late = f"ptmon: no token within {TOKEN_SECONDS:.0f} seconds\n"
            self._timer = self._loop.call_later(TOKEN_SECONDS, self.leave, late)

    def connection_lost(self, error: Exception | None) -> None:
        self.stage = Stage.GONE
        self._stop_timers()
        self.voice.end(self._loop.time())
        self.host.gone(self)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self.catch_up()

    def data_received(self, data: bytes) -> None:
        if self.stage is not Stage.LEAVING:
            self._lines.feed(data)
            self._read(len(data))

    def eof_received(self) -> bool:
        """Whether to keep it. A script may close its side and read on, as ``nc -N`` does; not with TLS."""
        self.quiet = True
        can_stay = self._transport is not None and self._transport.can_write_eof()
        return can_stay and self.stage in (Stage.ADMITTED, Stage.JOINED)

    # The rest is its own.

    def _admit(self) -> None:
        if not self.host.admit(self):
            self.leave(self.host.refusal())
            return
        self.stage = Stage.ADMITTED
        self._timer = self._loop.call_later(GRACE, self.join)

    def _check_token(self, line: Line) -> None:
        self._stop_timers()
        if not line.cut and access.is_token(line.data, self.host.token or b""):
            self._admit()
        else:
            self.voice.tell("wrong token", self._loop.time())
            self.leave("ptmon: wrong token\n")

    def _read(self, size: int) -> None:
        """Takes lines that are there. ``size``: bytes that have just come."""
        taken = 0
        while taken < LINES_AT_ONCE and (line := self._lines.next()) is not None:
            taken += 1
            if self.stage is Stage.COMING:
                self._check_token(line)
            else:
                commands.obey(self, line, self._loop.time())
            if self.stage in (Stage.LEAVING, Stage.GONE):
                return
        if (taken == LINES_AT_ONCE or size >= BYTES_AT_ONCE) and self._transport is not None:
            self._transport.pause_reading()
            self._reading = self._loop.call_later(PAUSE, self._read_on)

    def _read_on(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()
            self._read(0)

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if data and transport is not None and self.stage is not Stage.LEAVING and not transport.is_closing():
            transport.write(data)

    def _linger(self) -> None:
        """Closes when all is sent, or when that takes too long."""
        transport = self._transport
        if transport is None or self.stage is Stage.GONE:
            return
        waited = self._loop.time() - self._left
        if waited >= FLUSH_SECONDS:
            transport.abort()
            return
        # A transport that is closed sends what it has, but one with TLS drops what it has yet to encrypt.
        if not transport.get_write_buffer_size() and (self.quiet or waited >= LINGER):
            transport.close()
        self._timer = self._loop.call_later(LOOK, self._linger)

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._reading):
            if timer is not None:
                timer.cancel()


def encoded(lines: str) -> bytes:
    """As it is sent."""
    return lines.encode("utf-8", "backslashreplace")
