# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 01 is graded: count.c on programs that a student has not seen."""

from __future__ import annotations

import random
import re

from ptmon.labs.grading import Check, Done, Work, WrongError

LINE = re.compile(r"write: (\d+) calls, (\d+) bytes, (\d+) failed")


def _counted(done: Done) -> tuple[int, int, int]:
    """Calls, bytes, failed."""
    found = LINE.fullmatch(done.last)
    if found is None:
        raise WrongError("a last line on stderr like: write: 2 calls, 6 bytes, 1 failed", done.last)
    calls, bytes_, failed = map(int, found.groups())
    return calls, bytes_, failed


def _run(work: Work, name: str, *words: str) -> Done:
    return work.run(work.own("count.c"), work.given(name), *words)


def _same(expected: object, got: object, what: str) -> None:
    if expected != got:
        raise WrongError(f"{expected} {what}", got)


def compiles(work: Work) -> None:
    work.own("count.c")


def calls(work: Work) -> None:
    lengths = [random.randrange(1, 100) for _ in range(random.randrange(3, 9))]
    done = _run(work, "writes.c", *map(str, lengths))
    _same(len(lengths), _counted(done)[0], f"calls, of a program that writes {len(lengths)} times")


def moved(work: Work) -> None:
    done = _run(work, "partial.c")
    told = re.fullmatch(r"(\d+) (\d+) 1\n", done.stdout)
    if told is None:
        raise WrongError("that the program runs as without a tracer", done.stdout)
    _same(int(told[2]), _counted(done)[1], "bytes, of a program whose pipe has room for less than it offers")


def failures(work: Work) -> None:
    lengths = [random.randrange(1, 100) for _ in range(4)]
    done = _run(work, "writes.c", *map(str, lengths), "-17", "-19", "-23")
    counted = _counted(done)
    _same((7, sum(lengths), 3), counted, "(calls, bytes, failed), of a program of whose 7 writes 3 fail")


def others(work: Work) -> None:
    _same((1, 3, 0), _counted(_run(work, "others.c")), "(calls, bytes, failed): writev and read are other calls")


def signals(work: Work) -> None:
    done = _run(work, "handlers.c")
    _same(3, done.status, "as exit status: so many of the program's own signals came to it")
    _same((3, 21, 0), _counted(done), "(calls, bytes, failed): each of its handlers writes 7 bytes")


CHECKS = (
    Check("count.c compiles without a warning", 1, "compile it yourself: cc -Wall -Wextra -o count count.c", compiles),
    Check("write calls are counted", 2, "GAP 1 at the entry, where the number is; GAP 2 at the exit", calls),
    Check("bytes are what the calls return", 2, "info.exit.rval is the result; an argument is only a wish", moved),
    Check("failed calls are counted, and move no bytes", 2, "info.exit.is_error; rval is -errno then", failures),
    Check("other calls are not counted", 1, "GAP 1 has to say also when a call is not write", others),
    Check("the program gets its signals", 2, "GAP 3: set signal; its number is in status, by WSTOPSIG", signals),
)
