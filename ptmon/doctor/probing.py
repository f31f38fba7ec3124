# SPDX-License-Identifier: GPL-2.0-or-later
"""What a probe is: a function that really does the thing, in a child, so that whatever comes of it harms nobody."""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from ptmon.errors import PtmonError, kernel_word
from ptmon.frozen import dataclass
from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

OK, LIMITED, MISSING = "ok", "limited", "missing"
SECONDS = 15.0
"""After which a probe is given up."""
MOST = 65536
"""Bytes of a probe's answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe has found: ``state`` is OK, LIMITED or MISSING; ``remedy`` empty where there is nothing to do."""

    state: str
    said: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer, and the name of its probe."""

    name: str
    state: str
    said: str
    remedy: str


Probe = Callable[[], Answer]


class ProbeError(Exception):
    """The thing does not work; the message says what failed, and why."""


def works(result: int, what: str) -> int:
    """``result`` of a function of the C library, or ProbeError with its errno if it is negative."""
    import ctypes

    if result < 0:
        raise ProbeError(f"{what}: {kernel_word(ctypes.get_errno())}")
    return result


def ask(name: str, probe: Probe, remedy: str, seconds: float = SECONDS) -> Finding:
    """Runs a probe in a child. ``remedy``: for a probe that fails, hangs or crashes."""
    answer = _in_child(probe, seconds)
    return Finding(name, answer.state, answer.said, answer.remedy or (remedy if answer.state == MISSING else ""))


def _in_child(probe: Probe, seconds: float) -> Answer:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _answer(probe, reader, writer)
    os.close(writer)
    with suppress(OSError):  # the child does it, too: whoever comes first
        os.setpgid(child, child)
    try:
        told = _read(reader, seconds)
    finally:
        os.close(reader)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # and whatever it has started
        status = os.waitpid(child, 0)[1]
    if told is None:
        return Answer(MISSING, f"it did not come to an end within {seconds:g} s")
    try:
        return Answer(*json.loads(told))
    except ValueError:
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        ended = f"was killed by signal {number} ({signal.strsignal(number)})" if number else "ended without a word"
        return Answer(MISSING, f"who tried it {ended}")


def _read(reader: int, seconds: float) -> bytes | None:
    """A line, or what comes before the pipe's end; None if neither comes in time."""
    end, told = time.monotonic() + seconds, b""
    while len(told) < MOST and not told.endswith(b"\n"):
        if not select.select([reader], [], [], max(0.0, end - time.monotonic()))[0]:
            return None
        data = os.read(reader, MOST)
        if not data:
            break
        told += data
    return told


def _answer(probe: Probe, reader: int, writer: int) -> NoReturn:
    """The child's part."""
    try:
        os.setpgid(0, 0)
        os.close(reader)
        writer = fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 3)  # ptmon may have been started without a stdin
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        try:
            answer = probe()
        except (ProbeError, PtmonError) as error:
            answer = Answer(MISSING, str(error))
        except BaseException as error:
            answer = Answer(MISSING, f"{type(error).__name__}: {error}".rstrip(": "))
        os.write(writer, json.dumps([answer.state, answer.said, answer.remedy]).encode() + b"\n")
    finally:
        os._exit(0)
