# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments of socket calls: addresses, messages, vectors, options. Layouts: socket(2), recvmsg(2), recvmmsg(2)."""

from __future__ import annotations

import struct
import sys
from typing import Any

from ptmon import addresses
from ptmon.decoding import constants, memory
from ptmon.decoding.frame import SHOWN, Frame, Kind
from ptmon.decoding.pointers import buffer, integer
from ptmon.decoding.values import signed
from ptmon.decoding.words import fields, members, pointer, quoted
from ptmon.text import printable
from ptmon.watches import Capture, CaptureKind

ADDRESS_MOST = 128
"""sizeof(struct sockaddr_storage)."""
_OPTION_MOST = 64
_VECTOR_MOST = 8 * SHOWN
"""Bytes kept of all the buffers of a vector."""
_MMSG_SHOWN = 8
MSGHDR_OF = {8: struct.Struct("=QI4xQQQQI4x"), 4: struct.Struct("=7I")}
"""By the size of a word: name, namelen, iov, iovlen, control, controllen, flags."""
_LINGER, _RECEIVE_TIMEOUT, _SEND_TIMEOUT = 13, 20, 21


def sockaddr(data: bytes) -> tuple[str, str]:
    """127.0.0.1:80; a unix socket's path in quotes; {AF_UNSPEC} where there is no address."""
    family = int.from_bytes(data[:2], sys.byteorder)
    text = addresses.address_text(data)
    if text is None:
        return "", f"{{{constants.family(family)}}}" if len(data) >= 2 else '""'
    shown = printable(text.replace("\\", "\\\\").replace('"', '\\"')) if family == 1 else printable(text)
    return text, f'"{shown}"' if family == 1 else shown


def _address(frame: Frame, at: int, length: int) -> tuple[Any, str]:
    if not at:
        return None, "NULL"
    if length <= 0:
        return "", '""'
    return sockaddr(memory.beginning(frame.read, at, min(length, ADDRESS_MOST)))


def _to(frame: Frame, index: int) -> tuple[Any, str]:
    return _address(frame, frame.args[index], signed(frame.args[index + 1]))


def _from(frame: Frame, index: int) -> tuple[Any, str]:
    at, length_at = frame.args[index], frame.args[index + 1]
    if not at or not length_at or frame.returned is None:
        return None, pointer(at)
    return _address(frame, at, integer(frame, length_at))


def _vector(frame: Frame, at: int, count: int, total: int | None) -> tuple[list[bytes], str]:
    """An array of struct iovec. ``total``: bytes in all of the buffers, if not all are full."""
    size = 2 * frame.word
    wanted = min(count, SHOWN)
    table = memory.beginning(frame.read, at, wanted * size) if wanted else b""
    pairs = struct.Struct("=QQ" if frame.word == 8 else "=II")
    values, texts = [], []
    for base, length in pairs.iter_unpack(table[: len(table) // size * size]):
        if total is not None:
            length = min(length, total)
            total -= length
        try:
            value, text = buffer(frame, base, length)
        except OSError:
            value, text = b"", f"{pointer(base)}[{length}]"
        values.append(value or b"")
        texts.append(text)
    return values, members(texts, len(texts) == count)


def _iovec_in(frame: Frame, index: int) -> tuple[Any, str]:
    return _vector(frame, frame.args[index], frame.args[index + 1], None)


def _iovec_out(frame: Frame, index: int) -> tuple[Any, str]:
    if frame.returned is None:
        return None, pointer(frame.args[index])
    return _vector(frame, frame.args[index], frame.args[index + 1], frame.returned)


def _message(frame: Frame, at: int, total: int | None) -> tuple[dict[str, Any], dict[str, str]]:
    layout = MSGHDR_OF[frame.word]
    name, namelen, iov, count, control, controllen, flags = layout.unpack(frame.read(at, layout.size))
    value: dict[str, Any] = {}
    texts = {}
    try:
        value["name"], texts["name"] = _address(frame, name, signed(namelen))
    except OSError:
        value["name"], texts["name"] = None, pointer(name)
    try:
        value["iov"], texts["iov"] = _vector(frame, iov, count, total)
    except OSError:
        value["iov"], texts["iov"] = None, pointer(iov)
    value.update(controllen=controllen, flags=flags)
    if control and controllen:
        texts["controllen"] = str(controllen)
    if flags:
        texts["flags"] = constants.message_flags(flags)
    return value, texts


def _msghdr_in(frame: Frame, index: int) -> tuple[Any, str]:
    if not frame.args[index]:
        return None, "NULL"
    value, texts = _message(frame, frame.args[index], None)
    return value, fields(**texts)


def _msghdr_out(frame: Frame, index: int) -> tuple[Any, str]:
    if not frame.args[index] or frame.returned is None:
        return None, pointer(frame.args[index])
    value, texts = _message(frame, frame.args[index], frame.returned)
    return value, fields(**texts)


def _messages(frame: Frame, index: int, out: bool) -> tuple[Any, str]:
    at = frame.args[index]
    if not at or (out and frame.returned is None):
        return None, pointer(at)
    asked = frame.args[index + 1] & 0xFFFFFFFF
    count = asked if frame.returned is None else min(frame.returned, asked)
    size = MSGHDR_OF[frame.word].size
    values, texts = [], []
    for position in range(min(count, _MMSG_SHOWN)):
        here = at + position * (size + frame.word)  # an unsigned int behind the msghdr, padded to a word
        length = integer(frame, here + size) & 0xFFFFFFFF
        value, text = _message(frame, here, length if out else None)
        if frame.returned is not None:
            value["len"] = length
            text["len"] = str(length)
        values.append(value)
        texts.append(fields(**text))
    return values, members(texts, len(texts) == count)


def _mmsghdr_in(frame: Frame, index: int) -> tuple[Any, str]:
    return _messages(frame, index, out=False)


def _mmsghdr_out(frame: Frame, index: int) -> tuple[Any, str]:
    return _messages(frame, index, out=True)


def _option_in(frame: Frame, index: int) -> tuple[Any, str]:
    return _option(frame, index, signed(frame.args[index + 1]))


def _option_out(frame: Frame, index: int) -> tuple[Any, str]:
    if not frame.args[index] or not frame.args[index + 1] or frame.returned is None:
        return None, pointer(frame.args[index])
    return _option(frame, index, integer(frame, frame.args[index + 1]))


def _option(frame: Frame, index: int, length: int) -> tuple[Any, str]:
    """[1]; {l_onoff=1, l_linger=5}; else the bytes."""
    at = frame.args[index]
    if not at or length <= 0:
        return None, pointer(at)
    data = memory.beginning(frame.read, at, min(length, _OPTION_MOST))
    name = signed(frame.args[index - 1]) if signed(frame.args[index - 2]) == 1 else 0
    if name in (_RECEIVE_TIMEOUT, _SEND_TIMEOUT) and len(data) == 2 * frame.word:
        seconds, micros = struct.unpack("=qq" if frame.word == 8 else "=ii", data)
        return (seconds, micros), fields(tv_sec=str(seconds), tv_usec=str(micros))
    if name == _LINGER and len(data) == 8:
        on, linger = struct.unpack("=ii", data)
        return (on, linger), fields(l_onoff=str(on), l_linger=str(linger))
    if length == 4 and len(data) == 4:
        (number,) = struct.unpack("=i", data)
        return number, f"[{number}]"
    return data, quoted(data, length)


TO = Kind(_to, Capture(CaptureKind.SIZED, True, False, ADDRESS_MOST))
FROM = Kind(_from, Capture(CaptureKind.POINTED, False, True, ADDRESS_MOST))
IOVEC = Kind(_iovec_in, Capture(CaptureKind.IOVEC, True, False, _VECTOR_MOST))
IOVEC_OUT = Kind(_iovec_out, Capture(CaptureKind.IOVEC, False, True, _VECTOR_MOST))
MSGHDR = Kind(_msghdr_in, Capture(CaptureKind.MSGHDR, True, False, _VECTOR_MOST))
MSGHDR_OUT = Kind(_msghdr_out, Capture(CaptureKind.MSGHDR, False, True, _VECTOR_MOST))
# sendmmsg writes each msg_len: so at its exit too.
MMSGHDR = Kind(_mmsghdr_in, Capture(CaptureKind.MMSGHDR, True, True, SHOWN))
MMSGHDR_OUT = Kind(_mmsghdr_out, Capture(CaptureKind.MMSGHDR, False, True, SHOWN))
OPTION = Kind(_option_in, Capture(CaptureKind.SIZED, True, False, _OPTION_MOST))
OPTION_OUT = Kind(_option_out, Capture(CaptureKind.POINTED, False, True, _OPTION_MOST))
