# SPDX-License-Identifier: GPL-2.0-or-later
"""What each exporter is, and what they share: which program a record is of, and what its socket is."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ptmon import addresses
from ptmon.errors import PtmonError
from ptmon.records import Clone, Connect, Exec, Exit, Record, SocketClosed, SocketSeen, Transfers
from ptmon.report import Header
from ptmon.text import printable

KINDS = {"metrics": ("ptmon.export.metrics", "metrics"), "otlp": ("ptmon.export.otlp", "otlp")}
"""The module of each, and the extra that has its library."""


INTERNET = (socket.AF_INET, socket.AF_INET6)


class Exporter(AbstractContextManager["Exporter"], Protocol):
    """Tells others of one run."""

    def begin(self, header: Header, started: float) -> None:
        """``started``: in seconds since the epoch."""

    def add(self, records: Sequence[Record], told: float) -> None:
        """A batch; ``told``: seconds since the start until which all has been told."""

    def dropped(self, count: int) -> None:
        """So many batches are missing until now."""


def create(kind: str, words: Sequence[str]) -> Exporter:
    """Raises PtmonError."""
    module, extra = KINDS[kind]
    try:
        make: Callable[[Sequence[str]], Exporter] = __import__(module, fromlist=["make"]).make
    except ImportError as error:
        raise PtmonError(f"a library is missing ({error}): pip install 'ptmon[{extra}]'") from None
    return make(words)


class Place(NamedTuple):
    """Whose a socket's traffic is."""

    comm: str
    transport: str
    scope: str


class Places:
    """Programs by pid, and sockets by the engine's numbers."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._sockets: dict[int, tuple[str, str]] = {}

    def told(self, records: Sequence[Record]) -> Iterator[Record]:
        """The records, one after the other, each while it is known whose it is; of equal transfers their sum."""
        for record in records:
            if isinstance(record, Transfers):
                yield from (group.sum for group in record.groups)
                continue
            self.note(record)
            yield record
            self.forget(record)

    def note(self, record: Record) -> None:
        """What a record says of who is who."""
        if isinstance(record, Exec):
            self._names[record.pid] = printable(record.name)  # it may be no UTF-8, which their libraries refuse
        elif isinstance(record, Clone):
            if record.pid == record.tid:
                self._names[record.pid] = self._names.get(record.parent, "")
        elif isinstance(record, SocketSeen):
            self._sockets[record.socket] = (transport(record), addresses.scope(record.family, record.peer))

    def forget(self, record: Record) -> None:
        """What has ended."""
        if isinstance(record, Exit) and record.pid == record.tid:
            self._names.pop(record.pid, None)
        elif isinstance(record, SocketClosed) and not record.maybe:
            self._sockets.pop(record.socket, None)

    def of(self, pid: int, socket: int) -> Place:
        """The place of a call."""
        return Place(self.name(pid), *self._sockets.get(socket, ("unknown", "unknown")))

    def name(self, pid: int) -> str:
        return self._names.get(pid, "")


def transport(record: SocketSeen | Connect) -> str:
    """``tcp``, ``udp``; elsewhere the family: ``unix``."""
    if record.family in INTERNET:
        return addresses.protocol_name(record.family, record.protocol) or "ip"
    return addresses.family_name(record.family)
