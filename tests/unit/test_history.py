# SPDX-License-Identifier: GPL-2.0-or-later
"""What was moved over time."""

from __future__ import annotations

import itertools

import pytest

from ptmon.ledger.history import MOST, History


def test_points_are_sums_from_the_start_on() -> None:
    history = History()
    history.add(0.1, 5, 0)
    history.add(0.2, 5, 7)
    assert history.points() == ((0.0, 0, 0), (0.1, 5, 0), (0.2, 5, 7))


def test_an_idle_time_is_two_points_however_long_it_is() -> None:
    history = History()
    history.add(0.1, 5, 0)
    for tick in range(1000):
        history.add(1.0 + tick, 5, 0)
    history.add(2000.0, 6, 0)
    assert history.points() == ((0.0, 0, 0), (0.1, 5, 0), (1000.0, 5, 0), (2000.0, 6, 0))


@pytest.mark.parametrize("ticks", [MOST - 2, MOST, 10 * MOST, 100 * MOST + 17])
def test_a_long_run_has_no_more_points_and_keeps_its_sums(ticks: int) -> None:
    history = History()
    for tick in range(1, ticks + 1):
        history.add(tick / 10, 3 * tick, 5 * tick)
        assert len(history.points()) <= MOST
    points = history.points()
    assert points[-1] == (ticks / 10, 3 * ticks, 5 * ticks)
    assert all(sent == round(30 * moment) and received == round(50 * moment) for moment, sent, received in points)
    assert list(points) == sorted(set(points))
    assert len(points) >= MOST // 3


def test_after_a_long_run_points_are_evenly_far_apart() -> None:
    history = History(most=100)
    for tick in range(1, 5000):
        history.add(tick / 10, tick, 0)
    moments = [moment for moment, _sent, _received in history.points()]
    gaps = [after - before for before, after in itertools.pairwise(moments[:-1])]
    assert max(gaps) < 3 * min(gaps)
