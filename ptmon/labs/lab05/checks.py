# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 05 is graded: policy.py around a program that says what came of its calls."""

from __future__ import annotations

import random
from collections.abc import Callable

from ptmon.labs.grading import Check, Work, WrongError


def _run(work: Work, *words: str) -> list[str]:
    """The lines on stdout; of hooks and program alike."""
    done = work.python("-m", "ptmon", "-q", "--hooks", work.own("policy.py"), work.given("calls.c"), *words)
    if done.status != 6 or done.stderr:
        said = done.last or f"exit status {done.status}"
        raise WrongError("that policy.py is loaded, raises nothing, and the program ends as without it", said)
    return done.stdout.splitlines()


def _name() -> str:
    return f"file{random.randrange(1000)}"


def runs(work: Work) -> None:
    _run(work)


def kept(call: str) -> Callable[[Work], None]:
    """A check of one call that deletes."""

    def check(work: Work) -> None:
        names = [f"{_name()}.keep", f"{_name()}.tmp", f"keep{_name()}"]
        for name in names:
            (work.folder / name).touch()
        _same(["EPERM", "done", "done"], _run(work, call, *names), f"as results of {call} of {', '.join(names)}")

    return check


def uid(work: Work) -> None:
    _same(["1234"], _run(work, "uid"), "as what the program says of getuid")


def opens(work: Work) -> None:
    name = _name()
    lines = [line for line in _run(work, "open", name) if line not in ("done", "ENOENT")]
    _same([f"opened to write: {name}"] * 2, lines, "for two opens to write, one to read, and one that fails")


def _same(expected: list[str], got: list[str], what: str) -> None:
    if expected != got:
        raise WrongError(f"{expected} {what}", got)


CHECKS = (
    Check("policy.py is loaded, and the program runs", 1, "ptmon --hooks policy.py true shows what is wrong", runs),
    Check("unlinkat can't delete x.keep, and other files it can", 2, "GAP 1: ptmon.Deny('EPERM')", kept("unlinkat")),
    Check("nor can unlink", 2, "GAP 1: a hook may name several calls, as ptmon.hook('a', 'b', ...)", kept("unlink")),
    Check("the program is user 1234", 2, "GAP 2: ptmon.Return(1234), at the entry", uid),
    Check("files that were opened to write are told", 3, "GAP 3: call.result, and flags & os.O_ACCMODE", opens),
)
