# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 04 is graded: tracer.py on a program that moves bytes by calls which hide how many."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from ptmon.labs.grading import Check, Work, WrongError


def counts(mode: str) -> Callable[[Work], None]:
    """A check that the tracer's last line is what the program says itself."""

    def check(work: Work) -> None:
        lengths = [str(random.randrange(1, 100)) for _ in range(random.randrange(2, 6))]
        done = work.python(work.own("tracer.py"), work.given("hidden.c"), mode, *lengths)
        told = done.stdout.strip()
        if not re.fullmatch(r"sent \d+, received \d+", told) or done.status != 0:
            raise WrongError("that the program runs, and ends, as without a tracer", done.stderr or done.stdout)
        if done.last != told:
            raise WrongError(f"{told} (as the last line on stderr)", done.last)

    return check


CHECKS = (
    Check("plain calls are counted still", 1, "what lab 02 has counted must not change", counts("plain")),
    Check("peeked bytes are not received", 2, "GAP 1: call.arguments[...].value & socket.MSG_PEEK", counts("peek")),
    Check("sendmmsg and recvmmsg count bytes", 3, "GAP 2: MMSGHDR bytes apart, MSG_LEN into each", counts("messages")),
    Check("sendfile into a socket is sent", 2, "GAP 3: the fd that is written to is argument 0", counts("file")),
    Check("splice is sent or received, or neither", 2, "GAP 3: ask is_socket for each of the two", counts("pipe")),
)
