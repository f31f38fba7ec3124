# SPDX-License-Identifier: GPL-2.0-or-later
"""The arguments and results of system calls as values and as text, in the manner of strace(1).

Prototypes and most names are python-ptrace's. They are loaded when the first call is decoded.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import Any

from ptmon import syscalls
from ptmon.decoding.frame import SHOWN, Frame
from ptmon.decoding.memory import CapturedMemory, Reader
from ptmon.frozen import dataclass
from ptmon.records import Called
from ptmon.watches import Capture, Watch

__all__ = ["Argument", "Reader", "arguments", "captures", "reader_of", "result_text", "watches"]

# include/linux/errno.h: between the kernel and itself. A tracer sees them, the program does not.
_RESTARTS = {
    512: "ERESTARTSYS",
    513: "ERESTARTNOINTR",
    514: "ERESTARTNOHAND",
    516: "ERESTART_RESTARTBLOCK",
}
_LAST_ERRNO = 4095
_ADDRESSES = frozenset({"mmap", "mmap2", "mremap", "brk", "shmat", "map_shadow_stack"})
_OCTAL = frozenset({"umask"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call."""

    name: str
    """As in the call's prototype, which is python-ptrace's where it has one: ``sockfd``, ``filename``."""
    value: Any
    """For a program. A number, a flag or an address that is not followed: int. A path: str (PEP 383). argv: list of
    str. A socket address: str, ``127.0.0.1:80``. A buffer: bytes; a vector of them: list of bytes. A struct: dict, or
    list of dicts. None where what it should be read from is NULL, or was not there to read."""
    text: str
    """For people. Safe to print."""


def captures(name: str, compat: bool = False) -> tuple[Capture, ...]:
    """Which memory of a call is to be kept for :func:`arguments`, by argument."""
    from ptmon.decoding.parameters import parameters

    return tuple(parameter.capture for parameter in parameters(name, compat) or ())


def watches(names: Sequence[str], *, tell: bool, hold: bool) -> tuple[Watch, ...]:
    """What an engine is asked for, to be told of these calls (``tell``) or to hold them (``hold``), in each ABI."""
    return tuple(
        Watch(number, compat, tell=tell, hold=hold, captures=captures(name, compat))
        for name in names
        for number, compat in syscalls.numbers(name)
    )


def reader_of(call: Called) -> Reader:
    """Reads the memory that was kept with ``call``; raises OSError (EFAULT) for any other."""
    return CapturedMemory(call.memory)


def arguments(
    name: str, call: Called, read: Reader, result: int | None = None, most: int = SHOWN
) -> tuple[Argument, ...]:
    """The arguments of ``call``, a call of ``name``, as far as the kernel looks at them. Raises nothing.

    ``result`` is what the call returned, and None at its entry: then what it is to write is not yet there. ``most`` is
    how many bytes of each buffer ``value`` holds; the text shows SHOWN of them.
    """
    from ptmon.decoding.parameters import decode, parameters, unknown

    wide = 0xFFFFFFFF if call.compat else 0xFFFFFFFFFFFFFFFF
    args = (*(value & wide for value in call.args), 0, 0, 0, 0, 0, 0, 0)
    if result == 0 and name in ("execve", "execveat") and not isinstance(read, CapturedMemory):
        read = _gone
    frame = Frame(name, args, read, result, 4 if call.compat else 8, most)
    wanted = parameters(name, call.compat)
    return tuple(Argument(*part) for part in decode(frame, unknown() if wanted is None else wanted))


def result_text(name: str, result: int, compat: bool) -> str:
    """What a call returned: ``3``, ``-1 ENOENT (No such file or directory)``, ``? ERESTARTSYS``, ``0x7f…``."""
    if -_LAST_ERRNO <= result < 0:
        return _error(-result)
    if name in _ADDRESSES:
        return f"{result & (0xFFFFFFFF if compat else 0xFFFFFFFFFFFFFFFF):#x}"
    return f"0{result:03o}" if name in _OCTAL else str(result)


def _error(number: int) -> str:
    if number in _RESTARTS:
        return f"? {_RESTARTS[number]}"
    name = errno.errorcode.get(number)
    return f"-1 {name} ({os.strerror(number)})" if name else f"-1 (errno {number})"


def _gone(address: int, length: int) -> bytes:
    """After an execve the memory is another program's."""
    raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
