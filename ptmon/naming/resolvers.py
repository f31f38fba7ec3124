# SPDX-License-Identifier: GPL-2.0-or-later
"""Who asks DNS on behalf of programs, on the same machine: nscd(8), and systemd-resolved(8) by nss-resolve(8).

What they have answered from memory that they share (nscd's cache) is not seen.
"""

from __future__ import annotations

import _socket as socket
import json
import struct
from collections import deque
from collections.abc import Iterable, Iterator

from ptmon.naming.streams import Answer, Buffer, host_name
from ptmon.static import Any

_SIZES = {socket.AF_INET: 4, socket.AF_INET6: 16}


class Nscd:
    """A connection with glibc's nscd: one request, one answer (nscd/nscd-client.h of glibc).

    A request is a version, a type, the key's length and the key; GETAI's answer is a version, whether there is any, how
    many addresses, their bytes, the canonical name's and an error, then the addresses, their families, the name.
    """

    VERSION, GETAI = 2, 14
    _REQUEST = struct.Struct("=iii")
    _ANSWER = struct.Struct("=iiiiii")

    def __init__(self) -> None:
        self._sent = Buffer()
        self._received = Buffer()
        self._name: str | None = None

    def sent(self, data: bytes, whole: bool) -> Iterable[Answer]:
        self._sent.add(data, whole)
        head = self._sent.bytes
        if len(head) < self._REQUEST.size:
            return ()
        version, kind, length = self._REQUEST.unpack_from(head)
        key = head[self._REQUEST.size :][: max(length, 0)]
        if (version, kind) == (self.VERSION, self.GETAI) and len(key) == length:
            self._name = host_name(key.rstrip(b"\0"))
        return ()

    def received(self, data: bytes, whole: bool) -> Iterable[Answer]:
        self._received.add(data, whole)
        head = self._received.bytes
        if self._name is None or len(head) < self._ANSWER.size:
            return ()
        version, found, count, size, _, _ = self._ANSWER.unpack_from(head)
        body = head[self._ANSWER.size :]
        if version != self.VERSION or found != 1 or count <= 0 or size < 0 or len(body) < size + count:
            return ()
        name, self._name = self._name, None
        return list(self._answers(name, body[:size], body[size : size + count]))

    @staticmethod
    def _answers(name: str, packed: bytes, families: bytes) -> Iterator[Answer]:
        offset = 0
        for family in families:
            size = _SIZES.get(family, 0)
            part = packed[offset : offset + size]
            if not size or len(part) < size:
                return
            offset += size
            yield Answer(name, socket.inet_ntop(family, part), "nscd")


class Resolved:
    """A connection with systemd-resolved: messages of JSON, each with a NUL behind it (varlink)."""

    METHOD = "io.systemd.Resolve.ResolveHostname"

    def __init__(self) -> None:
        self._sent = Buffer()
        self._received = Buffer()
        self._names: deque[str | None] = deque(maxlen=64)

    def sent(self, data: bytes, whole: bool) -> Iterable[Answer]:
        self._sent.add(data, whole)
        for message in _documents(self._sent):
            asked = message.get("parameters")
            name = asked.get("name") if message.get("method") == self.METHOD and isinstance(asked, dict) else None
            self._names.append(host_name(name) if isinstance(name, str) else None)
        return ()

    def received(self, data: bytes, whole: bool) -> Iterable[Answer]:
        self._received.add(data, whole)
        answers: list[Answer] = []
        for message in _documents(self._received):
            name = self._names.popleft() if self._names else None
            told = message.get("parameters")
            if name is not None and isinstance(told, dict):
                answers += (Answer(name, address, "resolved") for address in _addresses(told.get("addresses")))
        return answers


def _documents(buffer: Buffer) -> Iterator[dict[str, Any]]:
    while (size := buffer.bytes.find(b"\0") + 1) > 0:
        try:
            document = json.loads(buffer.take(size)[:-1])
        except (ValueError, RecursionError):
            document = None
        yield document if isinstance(document, dict) else {}


def _addresses(rows: object) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        family, address = row.get("family"), row.get("address")
        try:
            packed = bytes(address) if isinstance(address, list) else b""
        except (TypeError, ValueError):
            continue
        if isinstance(family, int) and packed and _SIZES.get(family) == len(packed):
            yield socket.inet_ntop(family, packed)
