# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 06 is graded: serve.py, with a source that does what it is told, and clients that read, sleep and leave."""

from __future__ import annotations

import json
from collections.abc import Callable

from ptmon.labs.grading import Check, Work, WrongError


def scenario(name: str) -> Callable[[Work], None]:
    """A check that a scenario of inputs/driver.py goes well."""

    def check(work: Work) -> None:
        done = work.python(work.given("driver.py"), name, work.own("serve.py"))
        try:
            told = json.loads(done.stdout)
        except ValueError:
            raise WrongError("a server that goes on until its source has ended", done.last) from None
        if told:
            raise WrongError(told["expected"], told["got"])

    return check


CHECKS = (
    Check("serve.py says its port, and ends as its source", 1, "as what was copied out does", scenario("alone")),
    Check(
        "a client gets all lines, in order, from its connect on", 1, "as what was copied out does", scenario("fast")
    ),
    Check(
        "a client that does not read keeps nobody waiting", 2, "GAP 1: offer() only appends; who waits is write()",
        scenario("sleeper"),
    ),
    Check(
        "what is dropped is told where it is missing; lines are whole", 3,
        "GAP 2: tell before the next line that has room, and in end()", scenario("dropped"),
    ),
    Check("a client that leaves does no harm", 1, "GAP 1: OSError, in write()", scenario("gone")),
    Check("nothing but text reaches a client", 2, "GAP 3: ESC is one of many: '\\x9b'.isprintable()", scenario("text")),
)  # fmt: skip
