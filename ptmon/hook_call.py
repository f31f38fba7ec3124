# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hook is called with, and what it may answer."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ptmon import decoding, syscalls
from ptmon.errors import ERRNOS
from ptmon.frozen import dataclass
from ptmon.watches import Held

PAGE = 4096
MOST = 1 << 16
"""Bytes of a buffer in ``Call.arguments``."""


@dataclass(frozen=True, slots=True)
class Deny:
    """The call is refused: it is not made, and fails with this errno, a name or a number. Raises ValueError."""

    errno: str | int = "EACCES"

    def __post_init__(self) -> None:
        if not isinstance(self.errno, str | int) or self.errno not in (*ERRNOS, *ERRNOS.values()):
            raise ValueError(f"Deny({self.errno!r}): there is no such errno")

    @property
    def number(self) -> int:
        return ERRNOS[self.errno] if isinstance(self.errno, str) else self.errno


@dataclass(frozen=True, slots=True)
class Return:
    """The call is not made, and returns this value (below 0: -errno). Raises ValueError, TypeError."""

    value: int

    def __post_init__(self) -> None:
        if not isinstance(self.value, int):
            raise TypeError(f"Return({self.value!r}): a system call returns a number")
        if not -(2**63) <= self.value < 2**63:
            raise ValueError(f"Return({self.value}): a register holds 64 bits")


class Call:
    """A system call that a tracee has entered, or from which it is about to return.

    Its memory can be read as long as the hook runs: the tracee stands still then, though other threads may write to it.
    """

    def __init__(self, held: Held) -> None:
        self._held = held
        self._over = False
        self._arguments: tuple[decoding.Argument, ...] | None = None
        self._process: str | None = None

    @property
    def pid(self) -> int:
        """The thread group."""
        return self._held.pid

    @property
    def tid(self) -> int:
        return self._held.tid

    @property
    def time(self) -> float:
        """Seconds since the start."""
        return self._held.time

    @property
    def process(self) -> str:
        """The process's name (comm: at most 15 bytes); empty where it can't be read."""
        if self._process is None:
            try:
                self._process = os.fsdecode(Path(f"/proc/{self.pid}/comm").read_bytes().removesuffix(b"\n"))
            except OSError:
                self._process = ""
        return self._process

    @property
    def name(self) -> str:
        """The system call's."""
        return syscalls.name(self._held.call.number, self._held.call.compat)

    @property
    def compat(self) -> bool:
        """Made by the 32-bit ABI."""
        return self._held.call.compat

    @property
    def args(self) -> tuple[int, ...]:
        """The six registers, as unsigned numbers."""
        return self._held.call.args

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments by name, decoded when they are first asked for; see :class:`ptmon.decoding.Argument`.

        Of a buffer they hold the first 64 KiB; :meth:`read` reads what is beyond. What the call is to write is there
        at its return.
        """
        return MappingProxyType({argument.name: argument.value for argument in self._decoded()})

    @property
    def entering(self) -> bool:
        """True at the entry, False at the return."""
        return self._held.result is None

    @property
    def result(self) -> int | None:
        """What the call returned, or -errno; None at the entry."""
        return self._held.result

    @property
    def errno(self) -> str | None:
        """The name of the errno with which the call failed; None if it did not fail, and at the entry.

        ERESTARTSYS and its like: a signal has interrupted the call, and the kernel may make it again.
        """
        result = self._held.result
        if result is None or not -4096 < result < 0:
            return None
        return decoding.result_text(self.name, result, self.compat).split()[1]  # "-1 ENOENT (...)", "? ERESTARTSYS"

    @property
    def text(self) -> str:
        """The call as strace would write it: ``openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3``."""
        text = f"{self.name}({', '.join(argument.text for argument in self._decoded())})"
        if self._held.result is None:
            return text
        return f"{text} = {decoding.result_text(self.name, self._held.result, self.compat)}"

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the tracee's memory. Raises OSError: EFAULT where there is none; ESRCH when the hook is over."""
        if self._over:
            raise ProcessLookupError(errno.ESRCH, "the call is over: its memory can be read while its hook runs")
        return self._held.read(address, length)

    def read_string(self, address: int, most: int = 1 << 20) -> str:
        """A string up to its NUL, ``most`` bytes at most; bytes that are not UTF-8 as surrogate escapes (PEP 383).

        Raises OSError as :meth:`read` does.
        """
        found = b""
        while len(found) < most:
            here = address + len(found)
            part = self.read(here, min(PAGE - here % PAGE, most - len(found)))  # the next page may not be there
            head, nul, _ = part.partition(b"\0")
            found += head
            if nul:
                break
        return os.fsdecode(found)

    def release(self) -> None:
        """The tracee goes on."""
        self._over = True

    def __repr__(self) -> str:
        return f"<Call {self.name} in {self.pid}/{self.tid}>"

    def _decoded(self) -> tuple[decoding.Argument, ...]:
        if self._arguments is None:
            self._arguments = decoding.arguments(self.name, self._held.call, self.read, self._held.result, MOST)
        return self._arguments
