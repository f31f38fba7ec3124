# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes that are runs of ptmon: a small program that knows what it sends is launched and counted."""

from __future__ import annotations

import ctypes
import os
import sys

from ptmon.doctor.kernel import libc
from ptmon.doctor.probing import LIMITED, MISSING, OK, Answer
from ptmon.errors import kernel_word
from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from ptmon.report import Report

ROUNDS = 200
CODE = f"""
import socket
a, b = socket.socketpair()
for _ in range({ROUNDS}):
    a.send(b"x")
    b.recv(1)
"""
# native/fast/image/layout.h: FAST_DATA, and where the code ends
FIRST, END = 0x7C800000, 0x7D942000
PROT_NONE, MAP_PRIVATE, MAP_ANONYMOUS, MAP_NORESERVE, MAP_FIXED_NOREPLACE = 0, 0x2, 0x20, 0x4000, 0x100000


def _run(fast: str) -> Report:
    from ptmon import api  # late: it may not be there to load

    return api.run([sys.executable, "-I", "-S", "-c", CODE], fast=fast, fast_after=1)


def launch() -> Answer:
    """Launches a program, and counts what it sends and receives at stops."""
    report = _run("off")
    wrong = _wrong(report)
    if wrong is not None:
        return wrong
    return Answer(OK, f"a program was launched, and its {ROUNDS} bytes each way were counted at stops")


def _wrong(report: Report) -> Answer | None:
    totals = report.totals
    right = (totals.sent, totals.received) == (ROUNDS, ROUNDS)
    if right and report.complete:
        return None
    why = "; ".join(warning.message for warning in report.warnings) or "and it says that it is complete"
    said = f"of {ROUNDS} bytes each way ptmon counted {totals.sent} and {totals.received}: {why}"
    return Answer(LIMITED if right else MISSING, said, "see the lines memory, pidfd_getfd and proc")


def fast() -> Answer:
    """The same, counted inside of the program."""
    if os.uname().machine != "x86_64":
        return Answer(MISSING, f"calls are not counted inside programs on {os.uname().machine}: each stops")
    if taken := _taken():
        return taken
    report = _run("auto")
    wrong = _wrong(report)
    if wrong is not None:
        return wrong
    counted = f"{report.path.fast} of {report.path.fast + report.path.stop} calls were counted inside the program"
    if report.path.fast:
        return Answer(OK, f"{counted}, without a stop")
    why = "; ".join(row.reason for row in report.fallbacks) or "no reason was given"
    return Answer(LIMITED, f"{counted}: {why}", "nothing has to be done: what stops is counted as well, slowly")


def _taken() -> Answer | None:
    """Why the addresses that ptmon needs in the program can't be had, if so; this process's are laid out alike."""
    flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE
    length = ctypes.c_size_t(END - FIRST)
    got = libc.mmap(ctypes.c_void_p(FIRST), length, PROT_NONE, flags, -1, ctypes.c_long(0))
    if got == FIRST:
        return None
    word = kernel_word(ctypes.get_errno())
    said = f"{FIRST:#x} to {END:#x} can't be mapped ({word}): each call stops"
    return Answer(LIMITED, said, "see ulimit -v, and sysctl vm.mmap_min_addr, which has to be lower")
