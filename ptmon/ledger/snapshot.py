# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger at an instant: frozen, ready for an output. Bytes are payload bytes, times seconds since the start."""

from __future__ import annotations

from ptmon.frozen import dataclass
from ptmon.report import Totals


@dataclass(frozen=True, slots=True)
class Since:
    """What was moved since the snapshot before, or since the start."""

    seconds: float
    """0 where both were taken at the same moment."""
    sent: int
    received: int

    @property
    def sent_per_second(self) -> int:
        return _rate(self.sent, self.seconds)

    @property
    def received_per_second(self) -> int:
        return _rate(self.received, self.seconds)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger at an instant."""

    time: float
    totals: Totals
    sent_per_second: int
    """Of the last full second."""
    received_per_second: int
    processes: int
    """Alive now."""
    sockets: int
    """Seen so far."""
    complete: bool
    since: Since


def _rate(count: int, span: float) -> int:
    return round(count / span) if span > 0 else 0
