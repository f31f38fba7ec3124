# SPDX-License-Identifier: GPL-2.0-or-later
"""What an engine is asked to do at a system call beside counting it: tell of it, hold it for a hook, refuse it."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from ptmon.frozen import dataclass
from ptmon.records import Called


class CaptureKind(IntEnum):
    """Which memory behind an argument is kept. The values are those of ``enum pt_capture_kind``, which says more."""

    NOTHING = 0
    STRING = 1
    STRINGS = 2
    BYTES = 3
    SIZED = 4
    RESULT = 5
    POINTED = 6
    MSGHDR = 7
    MMSGHDR = 8
    IOVEC = 9


@dataclass(frozen=True, slots=True)
class Capture:
    """What is kept of the memory behind one argument."""

    kind: CaptureKind = CaptureKind.NOTHING
    at_entry: bool = False
    at_exit: bool = False
    most: int = 0
    """Bytes of one string or buffer that are kept at most."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A call to be told of (``tell``: Entered and Returned), or held for a hook (``hold``)."""

    number: int
    compat: bool
    tell: bool
    hold: bool
    captures: tuple[Capture, ...] = ()
    """By argument; missing ones are NOTHING."""


NOTED = 0
"""In place of an errno: the call is told, and made."""


class Condition(IntEnum):
    """When a rule refuses. The values are those of ``enum pt_condition``, which says more."""

    ALWAYS = 0
    VALUE = 1
    ADDRESS = 2
    MESSAGE = 3
    MESSAGES = 4


@dataclass(frozen=True, slots=True)
class Prefix:
    """The addresses of a family that begin with these bits; ``bits`` 0: all of the family."""

    family: int
    address: bytes = b""
    bits: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A call that is to be refused, or noted."""

    text: str
    """As the user wrote it."""
    number: int
    compat: bool
    error: int
    """An errno; NOTED: the call is made, and a Denied tells of it."""
    condition: Condition = Condition.ALWAYS
    argument: int = 0
    value: int = 0
    prefixes: tuple[Prefix, ...] = ()
    outside: bool = False
    """An address matches if its family is among the prefixes' and it is in none of them."""
    told: bool = True
    """Each refusal is a Denied. False: nobody asks, so that the filter may answer without a stop."""


@dataclass(frozen=True, slots=True)
class Held:
    """A tracee that stands before a call or behind it, until its hook has answered."""

    time: float
    pid: int
    tid: int
    call: Called
    result: int | None
    """None at the entry."""
    read: Callable[[int, int], bytes]
    """Reads the tracee's memory: address, length in bytes. Raises OSError with the kernel's word."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The call is not made, and returns this. Only at the entry."""

    result: int
    """A value, or -errno."""
    rule: str | None = None
    """Who refused it, if this is a refusal; then a Denied is told."""


Hold = Callable[[Held], Answer | None]
"""Answers for a held tracee; None: it goes on. Must not raise."""
