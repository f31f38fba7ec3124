# SPDX-License-Identifier: GPL-2.0-or-later
"""What readers of payload have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ptmon.frozen import dataclass
from ptmon.static import Protocol

BUFFER_MOST = 1 << 17
"""Bytes of a message that has not ended; a longer one is given up, and with it its stream."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """An address that somebody was told to be that of a name."""

    name: str
    address: str
    source: str


class Reader(Protocol):
    """Of one socket, what was sent and received on it. ``whole`` False: of these bytes the end is missing."""

    def sent(self, data: bytes, whole: bool) -> Iterable[Answer]: ...

    def received(self, data: bytes, whole: bool) -> Iterable[Answer]: ...


class Buffer:
    """One direction of a stream: bytes that wait for more."""

    def __init__(self) -> None:
        self.bytes = b""
        self._lost = False

    def add(self, data: bytes, whole: bool) -> None:
        """What came next. If anything is missing there is no telling where the next message begins: it stays empty."""
        self.bytes += data
        if not whole or len(self.bytes) > BUFFER_MOST:
            self._lost = True
        if self._lost:
            self.bytes = b""

    def take(self, size: int) -> bytes:
        """The first ``size`` bytes, which go."""
        taken, self.bytes = self.bytes[:size], self.bytes[size:]
        return taken


def host_name(text: str | bytes) -> str | None:
    """The name as DNS compares it, in small letters and without its last dot; None: it is no name of a host.

    Addresses are none, and neither is what has other characters than names of hosts and services (RFC 1123, RFC 2782):
    a terminal may obey them.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name) or name.rpartition(".")[2].isdigit():
        return None
    return name
