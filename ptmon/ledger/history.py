# SPDX-License-Identifier: GPL-2.0-or-later
"""What was moved over time, as points. Bounded memory however long the run: the longer, the further they are apart."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 2000
Point = tuple[float, int, int]
"""Seconds since the start; bytes sent and bytes received up to then."""


class History:
    """Sums are kept, not rates: whatever is left out, the rest stays true."""

    __slots__ = ("_most", "_points", "_step")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._points: list[Point] = [(0.0, 0, 0)]
        self._step = 0.0
        """Seconds between points, at least."""

    def add(self, moment: float, sent: int, received: int) -> None:
        """The sums at ``moment``. Times do not go back."""
        points, point = self._points, (moment, sent, received)
        if len(points) > 1 and self._joins(points[-2], points[-1], point):
            points[-1] = point
            return
        points.append(point)
        if len(points) >= self._most:
            self._thin()

    def points(self) -> Sequence[Point]:
        """From the start on, in order."""
        return tuple(self._points)

    def _joins(self, before: Point, last: Point, point: Point) -> bool:
        """The last point says nothing that the new one does not: too near, or nothing is moved for longer."""
        return point[0] - before[0] < self._step or before[1:] == last[1:] == point[1:]

    def _thin(self) -> None:
        """About half of the points are left."""
        points = self._points
        self._step = 2 * points[-1][0] / self._most
        kept = points[:1]
        for point in points[1:-1]:
            if point[0] - kept[-1][0] >= self._step:
                kept.append(point)
        self._points = [*kept, points[-1]]
