# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon inside another program says nothing on its stderr, where the command line does; there are other ways to hear.

``run`` looks at fd 2 of the program: it fails where anything has been written there.
"""

from __future__ import annotations

import textwrap

import pytest

from tests.attaching import busy, threads_of
from tests.scripting import run
from tests.support import PTMON, Targets, run_plain

LISTENED = """
import logging
class Keep(logging.Handler):
    def emit(self, record): tell(record.levelname, record.getMessage())
if words[0] == "listen":
    logging.getLogger("ptmon").addHandler(Keep())
if words[0] == "raise":
    logging.getLogger("ptmon").emit = logging.getLogger("ptmon").handle = lambda record: 1 / 0
words = words[1:]
"""
HOOK = """
import warnings

@ptmon.hook("getppid", when="entry")
def broken(call):
    raise ValueError("not\x1b[2J so")
"""
MISSING = 2**22 + 1
"""Above every pid (PID_MAX_LIMIT)."""


@pytest.mark.parametrize("how", ["silent", "listen", "raise"])
def test_one_of_several_targets_is_missing(targets: Targets, how: str) -> None:
    code = """
    with ptmon.attach([int(words[0]), int(words[1])]) as session:
        report = session.detach()
    tell(report.complete, [notice.pid for notice in report.warnings])
    """
    with busy(targets("busy"), 1) as target:
        *logged, told = run(LISTENED + textwrap.dedent(code), how, target.pid, MISSING)
        said = run_plain(*PTMON, "-q", "--duration", "0.1", "-p", f"{target.pid},{MISSING}").stderr
        target.quit()
    assert told == [False, [MISSING]]
    assert said.startswith(f"ptmon: cannot attach to process {MISSING}: ")
    assert logged == ([["WARNING", said.removeprefix("ptmon: ").rstrip("\n")]] if how == "listen" else [])


@pytest.mark.parametrize("how", ["silent", "listen"])
def test_a_target_is_but_a_thread(targets: Targets, how: str) -> None:
    code = """
    with ptmon.attach(int(words[0])) as session:
        tell(session.pid)
    """
    with busy(targets("busy"), 1) as target:
        tid = max(int(task.name) for task in threads_of(target.pid))
        *logged, pid = run(LISTENED + textwrap.dedent(code), how, tid)
        target.quit()
    assert pid == target.pid
    said = f"{tid} is a thread of process {pid}: attaching to {pid}"
    assert logged == ([["WARNING", said]] if how == "listen" else [])


@pytest.mark.parametrize("how", ["silent", "listen", "raise"])
def test_a_hook_raises(targets: Targets, how: str) -> None:
    code = """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = ptmon.run(words, hooks=[broken], capture_output=True)
    tell(report.stdout.decode(), report.stderr.decode())
    tell(*(f"{one.category.__name__}: {one.message}" for one in caught))
    """
    *logged, outcome, warned = run(LISTENED + HOOK + textwrap.dedent(code), how, targets("callers"), 4, 50)
    assert outcome == ["200 0\n", ""], "the program runs as without it"
    assert warned.startswith("RuntimeWarning: hook broken failed at the entry of getppid in process ")
    assert warned.endswith("it is not called again: ValueError: not\\x1b[2J so")
    assert len(logged) == (how == "listen")
    for level, lines in logged:
        assert level == "ERROR" and "Traceback" in lines and ", in broken\nValueError: not" in lines


def test_a_warning_that_is_made_an_error_reaches_the_caller_when_the_program_has_ended(targets: Targets) -> None:
    code = """
    warnings.simplefilter("error")
    try:
        ptmon.run(words, hooks=[broken], capture_output=True)
    except RuntimeWarning as error:
        tell(str(error).split(" in process")[0])
    """
    assert run(LISTENED + HOOK + textwrap.dedent(code), "silent", targets("callers"), 4, 50) == [
        "hook broken failed at the entry of getppid"
    ]
