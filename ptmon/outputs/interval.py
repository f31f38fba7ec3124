# SPDX-License-Identifier: GPL-2.0-only
"""--interval: the totals on stderr, a line each time."""

from __future__ import annotations

from ptmon.outputs import SilentOutput, stderr
from ptmon.report import Snapshot
from ptmon.text import counted, duration, size


class IntervalOutput(SilentOutput):
    """Writes a line a snapshot. A slow reader misses some, and is told how many; the tracee never waits."""

    def __init__(self, units: str) -> None:
        self._units = units
        self._missed = 0

    def snapshot(self, snapshot: Snapshot) -> None:
        if stderr.would_wait():
            self._missed += 1
            return
        totals, units = snapshot.totals, self._units
        line = (
            f"{duration(snapshot.time)}:"
            f" sent {size(totals.sent, units)} ({size(snapshot.sent_per_second, units)}/s),"
            f" received {size(totals.received, units)} ({size(snapshot.received_per_second, units)}/s),"
            f" {counted(snapshot.processes, 'process', 'processes')}, {counted(snapshot.sockets, 'socket')}"
        )
        if not snapshot.complete:
            line += ", not complete"
        if self._missed:
            line += f" ({counted(self._missed, 'line')} missed)"
            self._missed = 0
        stderr.say(line)
