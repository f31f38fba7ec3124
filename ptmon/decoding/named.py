# SPDX-License-Identifier: GPL-2.0-or-later
"""The socket addresses that a call names, as the kernel gets them: connect, sendto, sendmsg, sendmmsg."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

from ptmon.decoding.memory import CapturedMemory
from ptmon.decoding.sockets import ADDRESS_MOST, MSGHDR_OF
from ptmon.decoding.values import signed
from ptmon.records import Called

MESSAGES_MOST = 16
"""Of a sendmmsg, so many messages are kept (native/calls/capture.c)."""
_IPV4 = socket.AF_INET.to_bytes(2, sys.byteorder)
_ARGUMENTS = {"connect": 1, "sendto": 4}


def addresses_of(name: str, call: Called) -> tuple[tuple[bytes, ...], bool]:
    """The addresses (struct sockaddr) that ``call``, a call of ``name``, goes to, and whether these are all of them.

    What was not kept with the call, since the kernel could not read it either, is none.
    """
    read = CapturedMemory(call.memory)
    if name in _ARGUMENTS:
        at = _ARGUMENTS[name]
        found = [_address(read, call.args[at], call.args[at + 1])]
        whole = True
    else:
        found = list(_names(read, call, name == "sendmmsg"))
        whole = name == "sendmsg" or call.args[2] & 0xFFFFFFFF <= MESSAGES_MOST
    if name != "connect":  # where datagrams go, no family is that of IPv4 (net/ipv4/udp.c, udp_sendmsg)
        found = [_IPV4 + address[2:] if address.startswith(b"\0\0") else address for address in found]
    return tuple(address for address in found if address), whole


def _names(read: CapturedMemory, call: Called, several: bool) -> Iterator[bytes]:
    word = 4 if call.compat else 8
    layout = MSGHDR_OF[word]
    count = min(call.args[2] & 0xFFFFFFFF, MESSAGES_MOST) if several else 1
    for position in range(count):
        try:
            name, length, *_ = layout.unpack(read(call.args[1] + position * (layout.size + word), layout.size))
        except OSError:
            return
        yield _address(read, name, length)


def _address(read: CapturedMemory, at: int, length: int) -> bytes:
    length = signed(length)
    if not at or length <= 0:
        return b""
    try:
        return read.beginning(at, min(length, ADDRESS_MOST))
    except OSError:
        return b""
