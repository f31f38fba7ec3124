# SPDX-License-Identifier: GPL-2.0-or-later
"""Whom the first bytes of a connection name: by HTTP's Host (RFC 9112), or TLS's server_name (RFC 6066)."""

from __future__ import annotations

import re
import struct

from ptmon.naming.streams import host_name

_REQUEST = re.compile(rb"[A-Z]{3,20} (/|\*)[^\r\n]* HTTP/1\.[01]\r?\n")
_HOST = re.compile(rb"\nhost:[ \t]*([^\r\n:\[\]]+?)(?::\d+)?[ \t]*\r?\n", re.IGNORECASE)
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0


def name(data: bytes) -> tuple[str, str] | None:
    """The name, and by what it was told: ``http`` or ``tls``. None: there is none.

    A request to a proxy (CONNECT, or an URL with its host) names another one than the peer.
    """
    if data[:1] == bytes((_HANDSHAKE,)):
        found = _server_name(data)
        return None if found is None else (found, "tls")
    if not _REQUEST.match(data):
        return None
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0] + b"\n"
    host = _HOST.search(head)
    found = None if host is None else host_name(host[1])
    return None if found is None else (found, "http")


def _server_name(data: bytes) -> str | None:
    try:
        return _of_extensions(_extensions(data))
    except (IndexError, struct.error):
        return None


def _extensions(data: bytes) -> bytes:
    """Those of a ClientHello (RFC 8446, 4.1.2), or so many of them as are there. It begins in the first record."""
    record = data[5 : 5 + int.from_bytes(data[3:5])]
    if record[0] != _CLIENT_HELLO:
        return b""
    offset = 4 + 2 + 32
    offset += 1 + record[offset]  # session id
    offset += 2 + struct.unpack_from("!H", record, offset)[0]  # cipher suites
    offset += 1 + record[offset]  # compression methods
    return record[offset + 2 :]


def _of_extensions(data: bytes) -> str | None:
    offset = 0
    while offset + 4 <= len(data):
        kind, size = struct.unpack_from("!HH", data, offset)
        body = data[offset + 4 : offset + 4 + size]
        offset += 4 + size
        if kind == _SERVER_NAME:
            name_kind, length = struct.unpack_from("!BH", body, 2)
            host = body[5 : 5 + length]
            return host_name(host) if name_kind == _HOST_NAME and len(host) == length else None
    return None
