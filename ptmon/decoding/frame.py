# SPDX-License-Identifier: GPL-2.0-or-later
"""What a formatter is given of a call, and what an argument is to the decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ptmon.decoding.memory import Reader
from ptmon.frozen import dataclass
from ptmon.watches import Capture

NOTHING = Capture()
SHOWN = 32
"""Bytes of a buffer, and members of an array, that are shown."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A call at one of its stops."""

    name: str
    args: tuple[int, ...]
    """Six at least; of the 32-bit ABI, no wider than 32 bits."""
    read: Reader
    result: int | None
    """None at the entry."""
    word: int
    """Bytes of a pointer and of a long: 4 or 8."""
    most: int
    """Bytes of a buffer that are read."""

    @property
    def returned(self) -> int | None:
        """What the call returned, or None if it has not returned or has failed: then it has written nothing."""
        return self.result if self.result is not None and self.result >= 0 else None


Formatter = Callable[[Frame, int], tuple[Any, str]]
"""The value and the text of an argument, by its index. Raises OSError where the memory is not there."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a system call, as its prototype and the ABI make it."""

    name: str
    format: Formatter
    capture: Capture


@dataclass(frozen=True, slots=True)
class Kind:
    """What arguments of a sort have in common."""

    format: Formatter
    capture: Capture = NOTHING
