# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 03 is graded: everyone.c on a program that has threads and children, and tells what they have sent."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from ptmon.labs.grading import Check, Work, WrongError

LINE = re.compile(r"(\d+) threads: sent (\d+) bytes")


def counts(mode: str) -> Callable[[Work], None]:
    """A check that what the tracer says is what the program says itself."""

    def check(work: Work) -> None:
        words = (mode, str(random.randrange(2, 5)), str(random.randrange(1, 100)))
        done = work.run(work.own("everyone.c"), work.given("crowd.c"), *words)
        found = LINE.fullmatch(done.last)
        if found is None:
            raise WrongError("a last line on stderr like: 4 threads: sent 80 bytes", done.last)
        if not done.stdout.strip().isdigit() or done.status != 9:
            raise WrongError("that the program runs, and ends, as without a tracer", f"exit status {done.status}")
        if int(done.stdout) != int(found[2]):
            raise WrongError(f"{int(done.stdout)} bytes, of a program in which {SENDERS[mode]}", f"{found[2]} bytes")

    return check


SENDERS = {
    "alone": "the first thread sends all",
    "threads": "other threads send",
    "children": "children send",
    "grandchildren": "children of children send",
    "blocking": "a thread waits for room while another one makes calls",
}


def compiles(work: Work) -> None:
    work.own("everyone.c")


CHECKS = (
    Check("everyone.c compiles without a warning", 1, "cc -Wall -Wextra -o everyone everyone.c", compiles),
    Check("what the first thread sends is counted", 2, "no GAP marks this: think of stale.c", counts("alone")),
    Check("what other threads send is counted", 2, "GAP 1: PTRACE_O_TRACECLONE; GAP 2: __WALL", counts("threads")),
    Check("what children send is counted", 1, "GAP 1: PTRACE_O_TRACEFORK and _TRACEVFORK", counts("children")),
    Check("what their children send is counted", 1, "the options are inherited: ptrace(2)", counts("grandchildren")),
    Check("a call that waits is not forgotten", 3, "GAP 3: each thread has a call of its own", counts("blocking")),
)
