# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments that point to strings, buffers and numbers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from ptmon.decoding import memory
from ptmon.decoding.frame import SHOWN, Formatter, Frame, Kind
from ptmon.decoding.values import wait_status
from ptmon.decoding.words import members, pointer, quoted, quoted_name
from ptmon.watches import Capture, CaptureKind

ARRAY_MOST = 256
"""Pointers of argv that are read."""
WORD_MOST = 512
"""Bytes of one string of argv that are kept."""


def _string(frame: Frame, index: int) -> tuple[Any, str]:
    at = frame.args[index]
    if not at:
        return None, "NULL"
    data, whole = memory.string(frame.read, at)
    return os.fsdecode(data), quoted_name(data, whole)


def _strings(frame: Frame, index: int) -> tuple[Any, str]:
    at, size = frame.args[index], frame.word
    if not at:
        return None, "NULL"
    table = memory.beginning(frame.read, at, ARRAY_MOST * size)
    values: list[str] = []
    texts: list[str] = []
    for start in range(0, len(table) - size + 1, size):
        item = int.from_bytes(table[start : start + size], sys.byteorder)
        if not item:
            return values, members(texts)
        try:
            data, whole = memory.string(frame.read, item)
        except OSError:
            values.append(pointer(item))
            texts.append(pointer(item))
        else:
            values.append(os.fsdecode(data))
            texts.append(quoted_name(data, whole))
    return values, members(texts, whole=False)


def _sent(frame: Frame, index: int) -> tuple[Any, str]:
    """A buffer for the kernel; the next argument is its length."""
    return buffer(frame, frame.args[index], frame.args[index + 1])


def _received(frame: Frame, index: int) -> tuple[Any, str]:
    """A buffer that the kernel has filled, as far as the call returned."""
    if frame.returned is None:
        return None, pointer(frame.args[index])
    return buffer(frame, frame.args[index], frame.returned, index)


def buffer(frame: Frame, at: int, length: int, index: int | None = None) -> tuple[Any, str]:
    """``length`` bytes, of which the first are read. With ``index``: no more than the argument after it says."""
    if not at:
        return None, "NULL"
    if index is not None:
        length = min(length, frame.args[index + 1])  # recv with MSG_TRUNC returns more than it has written
    if not length:
        return b"", '""'
    data = memory.beginning(frame.read, at, min(length, max(frame.most, SHOWN)))
    return data[: frame.most], quoted(data, length)


def integer(frame: Frame, at: int, size: int = 4) -> int:
    """A signed number in memory."""
    return int.from_bytes(frame.read(at, size), sys.byteorder, signed=True)


def integers(size: int, count: int, out: bool, text: Callable[[int], str] | None = None, both: bool = False) -> Kind:
    """A pointer to ``count`` numbers of ``size`` bytes (0: a long) that the kernel reads, writes (``out``) or both."""

    def format(frame: Frame, index: int) -> tuple[Any, str]:
        at = frame.args[index]
        if not at or (out and not both and frame.returned is None):
            return None, pointer(at)
        width = size or frame.word
        numbers = [integer(frame, at + i * width, width) for i in range(count)]
        if text:
            return numbers[0], text(numbers[0])
        return numbers[0] if count == 1 else numbers, members([str(number) for number in numbers])

    return Kind(format, Capture(CaptureKind.BYTES, not out or both, out, (size or 8) * count))


def _length(frame: Frame, index: int) -> tuple[Any, str]:
    """The socklen_t behind the address or option before it: kept together with that one."""
    at = frame.args[index]
    if not at or frame.returned is None:
        return None, pointer(at)
    length = integer(frame, at)
    return length, f"[{length}]"


def _path(frame: Frame, index: int) -> tuple[Any, str]:
    """What readlink(2) or getcwd(2) has written; the latter counts its NUL."""
    at = frame.args[index]
    if not frame.returned:
        return None, pointer(at)
    data = memory.beginning(frame.read, at, min(frame.returned, memory.STRING_MOST)).rstrip(b"\0")
    return os.fsdecode(data), quoted_name(data)


def _kept(kind: CaptureKind, most: int, entry: bool, format: Formatter) -> Kind:
    return Kind(format, Capture(kind, entry, not entry, most))


STRING = _kept(CaptureKind.STRING, memory.STRING_MOST, True, _string)
STRINGS = _kept(CaptureKind.STRINGS, WORD_MOST, True, _strings)
SENT = _kept(CaptureKind.SIZED, SHOWN, True, _sent)
RECEIVED = _kept(CaptureKind.RESULT, SHOWN, False, _received)
PATH = _kept(CaptureKind.RESULT, memory.STRING_MOST, False, _path)
PAIR = integers(4, 2, out=True)
LONG = integers(0, 1, out=True, both=True)
OFFSET = integers(8, 1, out=True, both=True)
STATUS = integers(4, 1, out=True, text=wait_status)
LENGTH = Kind(_length)
