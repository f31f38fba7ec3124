# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 02 is graded: tracer.py on a program that tells itself what it has moved."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from ptmon.labs.grading import Check, Done, Work, WrongError

SENDING_HINT = "GAP 1: the fd of which process? and OSError; GAP 2: names.py shows what they are called"
LINE = re.compile(r"sent \d+, received \d+")


def _run(work: Work, mode: str) -> tuple[Done, int]:
    """The tracer's run, and how many rounds there were."""
    lengths = [str(random.randrange(1, 100)) for _ in range(random.randrange(3, 8))]
    return work.python(work.own("tracer.py"), work.given("traffic.c"), mode, *lengths), len(lengths)


def _agree(done: Done) -> None:
    """What the tracer says last is what the program says itself."""
    if not LINE.fullmatch(done.stdout.strip()):
        raise WrongError("that the program runs as without a tracer", done.stdout or done.last)
    if done.last != done.stdout.strip():
        raise WrongError(f"{done.stdout.strip()} (as the last line on stderr)", done.last)


def counts(mode: str) -> Callable[[Work], None]:
    """A check of one way to move bytes."""

    def check(work: Work) -> None:
        _agree(_run(work, mode)[0])

    return check


def signals(work: Work) -> None:
    done, rounds = _run(work, "signalled")
    if done.status != rounds:
        why = "" if LINE.fullmatch(done.last) else f", {done.last}"
        wanted = f"exit status {rounds}: so many signals came to the program"
        raise WrongError(wanted, f"exit status {done.status}{why}")
    _agree(done)


CHECKS = (
    Check("send and recv on sockets are counted", 2, SENDING_HINT, counts("send")),
    Check("write and read on sockets are counted", 2, "GAP 2: both lists, SENDING and RECEIVING", counts("write")),
    Check("writev, readv, sendmsg and recvmsg are counted", 1, "their result is the bytes, too", counts("parts")),
    Check("files and pipes are not counted", 2, "GAP 1: the link has to begin with socket:", counts("files")),
    Check(
        "failed calls move nothing", 1, "GAP 2: a result below 0 is -errno; an fd may not be there", counts("failing")
    ),
    Check("the program gets its signals", 2, "GAP 3: process.syscall(signal) delivers it, by its number", signals),
)
