# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients of the event server say: bytes from anyone -> lines that can be shown, no more of them than is good."""

from __future__ import annotations

import re

from ptmon.frozen import dataclass
from ptmon.outputs import stderr
from ptmon.text import counted, printable

LINE_MOST = 1024
"""Bytes of a line that are kept, and letters of it that are shown."""
SHOWN_PER_CLIENT = 10
SHOWN_PER_SECOND = 50
"""Of all clients: one that connects anew for each line is no better than one that floods."""

# Telnet's commands (RFC 854): IAC, and then an option's negotiation, a subnegotiation to its end, or one byte. telnet
# sends some at Ctrl-C. A lone IAC SB, as in junk, takes no more than the rest of its line.
_TELNET = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?(?:\xff\xf0|\Z)|\xff|.|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end."""

    data: bytes
    cut: bool
    """It was longer; the rest is thrown away."""

    @property
    def text(self) -> str:
        """As text without control characters. Bytes that are not UTF-8 are shown as escapes."""
        return printable(without_telnet(self.data).decode("utf-8", "backslashreplace"))


class Lines:
    """Splits a stream at its newlines (LF or CRLF), and keeps no more of it than was fed at once and one line."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._over = False
        """The line was cut: what follows, up to its end, is thrown away."""

    def feed(self, data: bytes) -> None:
        """Takes more of the stream."""
        self._data += data

    def next(self) -> Line | None:
        """The next line, or None where none is there yet. A line that is too long comes as soon as it is."""
        data = self._data
        while (end := data.find(b"\n")) >= 0:
            line = bytes(data[: min(end, LINE_MOST + 1)])
            del data[: end + 1]
            if not self._over:
                return Line(line.removesuffix(b"\r")[:LINE_MOST], end > LINE_MOST + 1)
            self._over = False
        if len(data) <= LINE_MOST + 1:  # one more: it may be a CR
            if self._over:
                data.clear()
            return None
        line, over = bytes(data[:LINE_MOST]), self._over
        data.clear()
        self._over = True
        return None if over else Line(line, True)


def without_telnet(data: bytes) -> bytes:
    """A line without telnet's commands."""
    if b"\xff" not in data:
        return data
    return _TELNET.sub(lambda match: b"\xff" if match[0] == b"\xff\xff" else b"", data)


class Quota:
    """So many a second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._second = -1
        self._taken = 0

    def take(self, now: float) -> bool:
        """Whether one more may be at ``now`` (seconds of any clock that does not go back)."""
        if int(now) != self._second:
            self._second, self._taken = int(now), 0
        self._taken += 1
        return self._taken <= self._most


class Teller:
    """Says on stderr what clients say. A line that would have to wait for stderr's reader is left out."""

    def __init__(self) -> None:
        self._quota = Quota(SHOWN_PER_SECOND)

    def say(self, line: str, now: float) -> bool:
        """Whether it was said."""
        # poll(2) says that a pipe can be written to when it has room for PIPE_BUF bytes, and a line is shorter.
        if not self._quota.take(now) or stderr.would_wait():
            return False
        stderr.say(line)
        return True


class Voice:
    """One client's lines on stderr. What is left out is counted, and told with the next line or at the end."""

    def __init__(self, teller: Teller, peer: str) -> None:
        self._teller = teller
        self._peer = peer
        self._quota = Quota(SHOWN_PER_CLIENT)
        self._missed = 0

    def say(self, line: Line, now: float) -> None:
        """``client-> 127.0.0.1:60836, says: …``"""
        text = line.text
        more = " …" if line.cut or len(text) > LINE_MOST else ""
        missed = f" ({counted(self._missed, 'line')} before it not shown)" if self._missed else ""
        said = f"client-> {self._peer}, says: {text[:LINE_MOST]}{more}{missed}"
        if self._quota.take(now) and self._teller.say(said, now):
            self._missed = 0
        else:
            self._missed += 1

    def tell(self, what: str, now: float) -> None:
        """Something about the client."""
        self._teller.say(f"client-> {self._peer}: {what}", now)

    def end(self, now: float) -> None:
        """The client is gone."""
        if self._missed:
            self.tell(f"{counted(self._missed, 'line')} more not shown", now)
            self._missed = 0
