# SPDX-License-Identifier: GPL-2.0-or-later
"""From the prototype of a system call to the way in which each of its arguments is kept and shown."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from functools import cache
from typing import Any

from ptmon.decoding import constants, values
from ptmon.decoding.frame import Frame, Kind, Parameter
from ptmon.decoding.kinds import ADDRESS, BY_CALL, BY_NAME, BY_TYPE, OTHER_POINTERS, SIZES
from ptmon.decoding.prototypes import prototype
from ptmon.decoding.words import members, pointer
from ptmon.watches import Capture, CaptureKind

_CREATES = os.O_CREAT | getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY
_WITHOUT_ARGUMENT = {"F_GETFD", "F_GETFL", "F_GETOWN", "F_GETSIG", "F_GETLEASE", "F_GETPIPE_SZ", "F_GET_SEALS"}
_PARTS = 6


@cache
def parameters(name: str, compat: bool) -> tuple[Parameter, ...] | None:
    """The arguments of a system call; None where they are not known."""
    known = prototype(name, compat)
    if known is None:
        return None
    found = []
    for kind, argument in known:
        chosen = _kind(name, kind, argument)
        found.append(Parameter(argument, chosen.format, chosen.capture))
    return tuple(found)


@cache
def unknown(count: int = 6) -> tuple[Parameter, ...]:
    """The arguments of a call of which there is no prototype."""
    return tuple(Parameter(f"arg{index + 1}", values.register, Capture()) for index in range(count))


def decode(frame: Frame, wanted: Sequence[Parameter]) -> list[tuple[str, Any, str]]:
    """(name, value, text) of each argument that the call looks at. Never raises: a tracee passes what it likes."""
    decoded = []
    for index, parameter in enumerate(wanted[: _count(frame, len(wanted))]):
        try:
            value, text = parameter.format(frame, index)
        except OSError:  # the memory was not kept, or is not there
            value, text = None, pointer(frame.args[index])
        except Exception:  # whatever the rest may be, it is the tracee's doing, and no reason to stop
            value, text = None, f"{frame.args[index]:#x}"
        decoded.append((parameter.name, value, text))
    return decoded


def _kind(name: str, kind: str, argument: str) -> Kind:
    found = _OF_SOCKETCALL.get((name, argument)) or BY_CALL.get((name, argument)) or BY_NAME.get(argument)
    if found:
        return found
    if kind == "unsigned long" and argument in SIZES:
        return Kind(values.size)
    found = BY_TYPE.get(kind)
    if found:
        return found
    return ADDRESS if kind.endswith(("*", "]")) or kind in OTHER_POINTERS else Kind(values.word)


def _count(frame: Frame, count: int) -> int:
    """How many of the arguments are looked at: what else is in the registers is left over from before."""
    args = frame.args
    match frame.name:
        case "open" if not args[1] & _CREATES:
            return 2
        case "openat" if not args[2] & _CREATES:
            return 3
        case "fcntl" | "fcntl64" if constants.FCNTL.get(args[1] & 0xFFFFFFFF) in _WITHOUT_ARGUMENT:
            return 2
        case "futex" | "futex_time64":
            return _FUTEX.get(args[1] & 0x7F, count)
    return count


# futex(2). WAIT, WAKE, FD, REQUEUE, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, LOCK_PI2; the others take all six.
_FUTEX = {0: 4, 1: 3, 2: 3, 3: 5, 6: 4, 7: 2, 8: 2, 13: 4}


def _subcall(frame: Frame, index: int) -> tuple[Any, str]:
    number = frame.args[index]
    name = constants.SOCKETCALLS.get(number)
    return number, f"SYS_{name.upper()}" if name else str(number)


def _subcall_arguments(frame: Frame, index: int) -> tuple[Any, str]:
    """The arguments of i386's socketcall, an array: decoded as those of the call that it stands for."""
    at, name = frame.args[index], constants.SOCKETCALLS.get(frame.args[0], "")
    inner = parameters(name, True)
    if not at or not inner:
        return None, pointer(at)
    words = struct.unpack(f"={len(inner)}I", frame.read(at, 4 * len(inner)))
    args = (*words, *[0] * (_PARTS + 1 - len(words)))
    decoded = decode(Frame(name, args, frame.read, frame.result, 4, frame.most), inner)
    return [value for _, value, _ in decoded], members([text for _, _, text in decoded])


_OF_SOCKETCALL = {
    ("socketcall", "call"): Kind(_subcall),
    ("socketcall", "args"): Kind(_subcall_arguments, Capture(CaptureKind.BYTES, True, True, 4 * _PARTS)),
}
