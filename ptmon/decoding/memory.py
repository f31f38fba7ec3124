# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading a tracee's memory: from a live one, or from what was kept with the record of a call."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence

Reader = Callable[[int, int], bytes]
"""Reads memory: address, length in bytes. Raises OSError (EFAULT) where there is none, or not so much."""

STRING_MOST = 4096
"""Bytes of a string that are kept: PATH_MAX."""
_PAGE = 4096


class CapturedMemory:
    """A Reader of the memory that was kept with a call, and of nothing else."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: Sequence[tuple[int, bytes]]) -> None:
        self._chunks = chunks

    def __call__(self, address: int, length: int) -> bytes:
        if length <= 0:
            return b""
        data = self.beginning(address, length)
        if len(data) < length:
            raise _fault()
        return data

    def beginning(self, address: int, most: int) -> bytes:
        """What there is from ``address`` on, at most ``most`` bytes. Raises OSError where there is nothing."""
        found = b""
        while len(found) < most:
            piece = self._piece(address + len(found), most - len(found))
            if not piece:
                break
            found += piece  # and perhaps the next chunk begins where this one ends
        if not found:
            raise _fault()
        return found

    def _piece(self, address: int, most: int) -> bytes:
        best = b""
        for base, data in self._chunks:
            start = address - base
            if 0 <= start < len(data):
                piece = data[start : start + most]
                if len(piece) == most:
                    return piece
                best = max(best, piece, key=len)
        return best


def beginning(read: Reader, address: int, most: int) -> bytes:
    """What can be read from ``address`` on, at most ``most`` bytes. Raises OSError where there is nothing."""
    if isinstance(read, CapturedMemory):
        return read.beginning(address, most)
    found = b""
    step = most
    while len(found) < most and step:
        at = address + len(found)
        step = min(step, most - len(found), _PAGE - at % _PAGE)
        try:
            piece = read(at, step)
        except OSError:
            step //= 2  # it ends somewhere in here
            continue
        if not piece:
            break
        found += piece
        step = max(step, most)
    if not found:
        raise _fault()
    return found


def string(read: Reader, address: int, most: int = STRING_MOST) -> tuple[bytes, bool]:
    """The string at ``address`` without its NUL, and whether it is whole. Raises OSError where there is nothing."""
    if isinstance(read, CapturedMemory):
        data, nul, _ = read.beginning(address, most).partition(b"\0")
        return data, bool(nul)
    found = b""
    while len(found) < most:
        at = address + len(found)
        try:  # to the next multiple, so that nothing is asked for of a page that the string does not reach
            piece = beginning(read, at, min(256 - at % 256, most - len(found)))
        except OSError:
            if not found:
                raise
            break
        data, nul, _ = piece.partition(b"\0")
        found += data
        if nul:
            return found, True
    return found, False


def _fault() -> OSError:
    return OSError(errno.EFAULT, os.strerror(errno.EFAULT))
