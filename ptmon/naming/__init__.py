# SPDX-License-Identifier: GPL-2.0-or-later
"""The names by which a program knows its peers: what it was told, never what ptmon would find out.

They are read from the payload that an engine tells (records.Payload): answers of DNS to questions that the program has
asked, what nscd and systemd-resolved have answered, and whom the first bytes of a connection name, by HTTP or TLS. All
of that is what somebody has sent: a name that could not be one of a host is none.
"""

from __future__ import annotations

import _socket as socket
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from ptmon import addresses
from ptmon.naming import dns, hello
from ptmon.naming.streams import Answer, Reader
from ptmon.records import Direction, Named, Payload, Record

SOCKETS_MOST = 1024
"""Sockets with questions under way; beyond, that which was heard of longest ago is forgotten."""


class Namer:
    """Puts what it reads from payload in the payload's place."""

    def __init__(self) -> None:
        self._readers: OrderedDict[int, Reader] = OrderedDict()
        """By inode."""

    def read(self, records: Sequence[Record]) -> Sequence[Record]:
        """A batch with ``Named`` in the place of ``Payload``."""
        return [made for record in records for made in self._made(record)]

    def _made(self, record: Record) -> Iterator[Record]:
        if not isinstance(record, Payload):
            yield record
            return
        if record.family == socket.AF_UNIX or addresses.port(record.peer) == dns.PORT:
            for answer in self._answers(record):
                yield Named(record.time, record.pid, record.tid, answer.address, answer.name, answer.source, None)
            return
        address = addresses.host(record.peer)
        found = hello.name(record.data)
        if address is not None and found is not None:
            yield Named(record.time, record.pid, record.tid, address, *found, record.socket)

    def _answers(self, record: Payload) -> Iterator[Answer]:
        reader = self._readers.pop(record.inode, None)
        if reader is None:
            reader = _reader(record)
            if len(self._readers) >= SOCKETS_MOST:
                self._readers.popitem(last=False)
        self._readers[record.inode] = reader
        whole = len(record.data) == record.moved
        yield from (
            reader.sent(record.data, whole)
            if record.direction is Direction.SENT
            else reader.received(record.data, whole)
        )


def _reader(record: Payload) -> Reader:
    if record.family == socket.AF_UNIX:
        from ptmon.naming import resolvers

        path = addresses.address_text(record.peer) or ""
        return resolvers.Nscd() if path.endswith("/nscd/socket") else resolvers.Resolved()
    return dns.Stream() if record.type == socket.SOCK_STREAM else dns.Datagrams()
