# SPDX-License-Identifier: GPL-2.0-or-later
"""--interval: the totals, and what came since the line before, on stderr."""

from __future__ import annotations

from ptmon.events import Event
from ptmon.formats import EVENTS, default
from ptmon.ledger.snapshot import Snapshot
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.outputs.formats import create
from ptmon.outputs.formats.parts import snapshot_text
from ptmon.report import Header
from ptmon.text import counted, duration


def make(options: Options, host: str) -> IntervalOutput:
    """The output that ``options`` ask for."""
    return IntervalOutput(options.units, options.log_format or default(EVENTS))


class IntervalOutput(SilentOutput):
    """Writes a line a snapshot. A slow reader misses some, and is told how many; the tracee never waits.

    ``format``: if it is one for programs, its lines, with the first one; else for people, in ``units``.
    """

    def __init__(self, units: str, format: str = default(EVENTS)) -> None:
        self._units = units
        self._formatter = create(format) if EVENTS[format].programs else None
        self._missed = 0

    def start(self, header: Header) -> None:
        if self._formatter is not None and not stderr.would_wait():
            text = self._formatter.begin(header)
            stderr.put(lambda file: file.write(text))

    def snapshot(self, snapshot: Snapshot) -> None:
        if stderr.would_wait():
            self._missed += 1
            return
        missed, self._missed = self._missed, 0
        if self._formatter is None:
            stderr.say(self._line(snapshot, missed))
            return
        text = self._formatter.dropped(missed) if missed else ""
        text += self._formatter.lines(Event("snapshot", snapshot, "", None))
        stderr.put(lambda file: file.write(text))

    def _line(self, snapshot: Snapshot, missed: int) -> str:
        line = f"{duration(snapshot.time)}: {snapshot_text(snapshot, self._units)}"
        return f"{line} ({counted(missed, 'line')} missed)" if missed else line
