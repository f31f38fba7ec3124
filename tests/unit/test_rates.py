# SPDX-License-Identifier: GPL-2.0-or-later
"""Rates."""

from __future__ import annotations

from ptmon.ledger.rates import Meter, Rate


def metered(*bursts: tuple[float, int]) -> Meter:
    meter = Meter()
    for moment, count in bursts:
        meter.add(moment, count)
    return meter


def test_max_average_and_min_of_full_seconds() -> None:
    assert metered((0.1, 100), (0.9, 50), (1.5, 30), (2.0, 90)).rate(3.0) == Rate(150, 90, 30)


def test_an_idle_second_is_the_quietest() -> None:
    assert metered((0.1, 100), (2.5, 20)).rate(3.0) == Rate(100, 40, 0)


def test_idle_seconds_at_the_end_count() -> None:
    assert metered((0.1, 100)).rate(10.0) == Rate(100, 10, 0)


def test_the_last_second_can_be_the_busiest_but_not_the_quietest() -> None:
    assert metered((0.5, 10), (1.2, 70)).rate(1.6) == Rate(70, 50, 10)
    assert metered((0.5, 80), (1.2, 1)).rate(1.5) == Rate(80, 54, 54)


def test_a_run_shorter_than_a_second_has_one_rate() -> None:
    assert metered((0.01, 35)).rate(0.5) == Rate(70, 70, 70)


def test_nothing_moved() -> None:
    assert Meter().rate(2.5) == Rate(0, 0, 0)
    assert Meter().rate(0) == Rate(0, 0, 0)


def test_what_comes_late_is_not_lost() -> None:
    meter = metered((2.5, 10), (1.5, 7))
    assert meter.total == 17
    assert meter.rate(3.0).max == 17


def test_the_last_full_second() -> None:
    meter = metered((0.2, 5), (1.2, 6))
    assert meter.last_second(1.9) == 5
    assert meter.last_second(2.1) == 6
    assert meter.last_second(3.1) == 0


def test_counters_are_not_bound_to_32_or_64_bits() -> None:
    assert metered((0.1, 2**64)).rate(1.0).max == 2**64
