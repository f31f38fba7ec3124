# SPDX-License-Identifier: GPL-2.0-or-later
"""System calls of this machine by name and number.

The tables are python-ptrace's (its ``ptrace.syscall.linux``), with what ``ptmon.syscall_tables`` adds and corrects.
They are loaded when they are first asked for: a run that names no call does without them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache

from ptmon.errors import UsageError
from ptmon.syscall_tables import CLASSES, CORRECTIONS, PAST_END
from ptmon.text import did_you_mean

_COMPAT = {"x86_64": "i386"}
"""The 32-bit ABI beside a 64-bit one. aarch64 has one too (AArch32), but ptmon has no names for it."""


def name(number: int, compat: bool) -> str:
    """The name of a system call, by the kernel's headers; ``syscall_999`` where it is not known.

    ``compat``: the number is one of the 32-bit ABI.
    """
    return _names(compat).get(number) or f"syscall_{number}"


def numbers(name: str) -> tuple[tuple[int, bool], ...]:
    """(number, compat) of a system call in each ABI of this machine; empty if there is none of that name.

    An i386 program may make its socket calls by ``socketcall`` too; the engine takes that for the call it stands for.
    """
    return _numbers().get(name, ())


def resolve(words: Sequence[str], option: str = "--trace") -> tuple[str, ...]:
    """Names and classes (%network, %process, %file) -> names, each once, in the order given.

    Raises UsageError, which begins with ``option``, for a word that is neither; it suggests the nearest name.
    """
    names: dict[str, None] = {}
    for word in words:
        if word in CLASSES:
            names.update(dict.fromkeys(member for member in CLASSES[word] if member in _numbers()))
        elif word in _numbers():
            names[word] = None
        else:
            raise UsageError(f"{option}: {_unknown(word)}")
    return tuple(names)


@cache
def table(abi: str) -> dict[int, str]:
    """The names of an ABI by number: x86_64, i386 or aarch64."""
    import importlib
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is older than some of what newer versions of Python warn of
        module = importlib.import_module(f"ptrace.syscall.linux.{abi}")
    names = {number: name for number, name in module.SYSCALL_NAMES.items() if number < PAST_END}
    return names | CORRECTIONS[abi]


@cache
def _names(compat: bool) -> dict[int, str]:
    machine = os.uname().machine
    abi = _COMPAT.get(machine) if compat else machine
    return table(abi) if abi in CORRECTIONS else {}


@cache
def _numbers() -> dict[str, tuple[tuple[int, bool], ...]]:
    found: dict[str, tuple[tuple[int, bool], ...]] = {}
    for compat in (False, True):
        for number, name in _names(compat).items():
            found[name] = (*found.get(name, ()), (number, compat))
    return found


def _unknown(word: str) -> str:
    classes = "%network, %process and %file"
    if not word:
        return f"name a system call or a class of them ({classes})"
    if word.startswith("%"):
        return f"there is no class {word!r} of system calls, only {classes}"
    return f"there is no system call {word!r} on this machine{did_you_mean(word.lower(), _numbers(), 0.5)}"
