# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m ptmon.testing.parent COMMAND...``: runs the command, a pytest with the plugin, and watches its tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ptmon import rules, syscalls
from ptmon.cli import exit_status
from ptmon.errors import PtmonError
from ptmon.frozen import replace
from ptmon.outputs import stderr
from ptmon.preparing import prepare
from ptmon.session import Session
from ptmon.testing import marks
from ptmon.testing.tally import Tally
from ptmon.watches import NOTED, Answer, Capture, CaptureKind, Held, Watch

PATH_MOST = 64
"""Bytes of a mark that are looked at."""


def main(command: Sequence[str]) -> int:
    """Runs it and returns its exit status; dies by the signal that killed it."""
    theirs, ours = os.pipe()
    os.set_inheritable(theirs, True)
    os.set_blocking(ours, False)
    # Whatever names a peer out there is told, and made.
    noted = [replace(rule, error=NOTED) for rule in rules.parse("connect:global")]
    environment = {**os.environb, marks.VARIABLE.encode(): str(theirs).encode()}
    try:
        settings = prepare(command=command, noted=noted, env=environment)
        settings = replace(settings, watches=(*settings.watches, *_marks()), hold=_go_on)
        session = Session(settings, [Tally(ours, theirs)], say=stderr.say)
        session.run()
        return exit_status(session)
    except PtmonError as error:
        stderr.say(str(error))
        return error.exit_status


def _marks() -> list[Watch]:
    """Held, so that a batch ends there: the answer comes at once."""
    kept = Capture(CaptureKind.STRING, at_entry=True, most=PATH_MOST)
    return [
        Watch(number, compat, tell=True, hold=True, captures=(kept,))
        for number, compat in syscalls.numbers(marks.CALL)
        if not compat
    ]


def _go_on(held: Held) -> Answer | None:
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
