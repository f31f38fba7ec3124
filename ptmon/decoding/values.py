# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments that are what the register holds: numbers, flags, file descriptors, addresses."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ptmon.decoding import constants
from ptmon.decoding.frame import Formatter, Frame
from ptmon.decoding.python_ptrace import AT_FDCWD
from ptmon.decoding.words import octal, plain, pointer


def signed(value: int) -> int:
    """An int."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def number(frame: Frame, index: int) -> tuple[Any, str]:
    """int, and fds."""
    value = signed(frame.args[index])
    return value, str(value)


def unsigned(frame: Frame, index: int) -> tuple[Any, str]:
    """unsigned int."""
    value = frame.args[index] & 0xFFFFFFFF
    return value, str(value)


def long(frame: Frame, index: int) -> tuple[Any, str]:
    """long, off_t."""
    value = frame.args[index]
    bits = 8 * frame.word
    value -= (value >> (bits - 1)) << bits
    return value, str(value)


def size(frame: Frame, index: int) -> tuple[Any, str]:
    """size_t."""
    value = frame.args[index]
    return value, str(value)


def word(frame: Frame, index: int) -> tuple[Any, str]:
    """unsigned long: a number or an address, who knows."""
    value = frame.args[index]
    return value, plain(value)


def address(frame: Frame, index: int) -> tuple[Any, str]:
    """A pointer to what is not read."""
    value = frame.args[index]
    return value, pointer(value)


def register(frame: Frame, index: int) -> tuple[Any, str]:
    value = frame.args[index]
    return value, f"{value:#x}"


def hexadecimal(frame: Frame, index: int) -> tuple[Any, str]:
    value = frame.args[index] & 0xFFFFFFFF
    return value, f"{value:#x}"


def mode(frame: Frame, index: int) -> tuple[Any, str]:
    """umode_t."""
    value = frame.args[index] & 0xFFFF
    return value, octal(value)


def directory(frame: Frame, index: int) -> tuple[Any, str]:
    """The fd of a directory, or AT_FDCWD."""
    value = signed(frame.args[index])
    return value, "AT_FDCWD" if value == AT_FDCWD else str(value)


def named(text: Callable[[int], str]) -> Formatter:
    """An unsigned int, said by ``text``: flags, mostly."""

    def format(frame: Frame, index: int) -> tuple[Any, str]:
        value = frame.args[index] & 0xFFFFFFFF
        return value, text(value)

    return format


def named_int(text: Callable[[int], str]) -> Formatter:
    """An int, said by ``text``; as a number where it is negative."""

    def format(frame: Frame, index: int) -> tuple[Any, str]:
        value = signed(frame.args[index])
        return value, text(value) if value >= 0 else str(value)

    return format


def protocol(frame: Frame, index: int) -> tuple[Any, str]:
    """Of socket(2): what it means is up to the family, two arguments before it."""
    value, family = signed(frame.args[index]), frame.args[index - 2]
    names = constants.INET if family in (2, 10) else constants.NETLINK if family == 16 else {}
    return value, names.get(value) or str(value)


def option(frame: Frame, index: int) -> tuple[Any, str]:
    """Of setsockopt(2): what it means is up to the level, the argument before it."""
    value = signed(frame.args[index])
    return value, constants.OPTION.get(signed(frame.args[index - 1]), {}).get(value) or str(value)


def fcntl_argument(frame: Frame, index: int) -> tuple[Any, str]:
    """Of fcntl(2), by the command before it."""
    command = constants.FCNTL.get(frame.args[index - 1] & 0xFFFFFFFF, "")
    value = frame.args[index]
    if command == "F_SETFL":
        return value, constants.open_flags(value)
    if command == "F_SETFD":
        return value, "FD_CLOEXEC" if value == 1 else str(value)
    if "LK" in command or command.endswith("_EX"):
        return value, pointer(value)
    return (signed(value), str(signed(value))) if command else (value, plain(value))


def wait_status(status: int) -> str:
    """What wait4(2) has written: [exited 1], [killed by SIGSEGV]."""
    if os.WIFEXITED(status):
        return f"[exited {os.WEXITSTATUS(status)}]"
    if os.WIFSIGNALED(status):
        return f"[killed by {constants.signal_name(os.WTERMSIG(status))}]"
    if os.WIFSTOPPED(status):
        return f"[stopped by {constants.signal_name(os.WSTOPSIG(status))}]"
    return "[continued]" if os.WIFCONTINUED(status) else f"[{status & 0xFFFFFFFF:#x}]"
