# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes per second, over buckets of one second. Constant memory however long the run."""

from __future__ import annotations

from ptmon.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes per second over a run."""

    max: int | None
    """The busiest second; None, as ``min``: not known, as in a merged report."""
    average: int
    """All bytes by the whole duration."""
    min: int | None
    """The quietest full second, idle ones included."""

    @property
    def even(self) -> bool:
        """The average says it all: the three are one figure, as in a run that is shorter than a second."""
        return self.min == self.max


class Meter:
    """Sums bytes into seconds. Times are seconds since the start and hardly ever go back."""

    __slots__ = ("_bucket", "_current", "_max", "_min", "_previous", "total")

    def __init__(self) -> None:
        self.total = 0
        self._bucket = 0
        self._current = 0
        self._previous = 0
        self._max = 0
        self._min: int | None = None

    def add(self, moment: float, count: int) -> None:
        """``count`` bytes at ``moment``. What comes late counts into the second that is open."""
        if moment >= self._bucket + 1:
            self._advance(int(moment))
        self._current += count
        self.total += count

    def last_second(self, moment: float) -> int:
        """The bytes of the last full second before ``moment``."""
        self._advance(int(moment))
        return self._previous

    def rate(self, duration: float) -> Rate:
        """The run's rates, if it has lasted ``duration`` seconds.

        The last second, not full yet, can be the busiest but not the quietest. The three are always in order; where
        a run is shorter than one second they are the same.
        """
        average = round(self.total / duration) if duration > 0 else self.total
        if duration < 1:
            return Rate(average, average, average)
        self._advance(int(duration))
        quietest = self._current if self._min is None else self._min
        return Rate(max(self._max, self._current, average), average, min(quietest, average))

    def _advance(self, bucket: int) -> None:
        if bucket <= self._bucket:
            return
        idle = bucket - self._bucket > 1
        self._max = max(self._max, self._current)
        quietest = 0 if idle else self._current
        self._min = quietest if self._min is None else min(self._min, quietest)
        self._previous = 0 if idle else self._current
        self._bucket, self._current = bucket, 0
