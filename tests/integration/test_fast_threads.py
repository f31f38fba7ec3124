# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that are cancelled in the middle of a counted call."""

from __future__ import annotations

import pytest

from tests.fast import Fast

LIBCS = ("glibc", "static", "musl")


@pytest.mark.parametrize("libc", LIBCS)
@pytest.mark.parametrize("how", ["deferred", "async"])
def test_a_thread_blocked_in_a_call_is_cancelled_and_its_handlers_run(fast: Fast, how: str, libc: str) -> None:
    fast("cancelled", how, "10", libc=libc)


@pytest.mark.parametrize("libc", LIBCS)
@pytest.mark.parametrize("how", ["tight", "tight_async"])
def test_a_thread_cancelled_between_calls_loses_no_byte(fast: Fast, how: str, libc: str) -> None:
    fast("cancelled", how, "200", libc=libc, same=False, calls=False)  # a busy machine lets the code change late


@pytest.mark.parametrize("libc", LIBCS)
def test_a_thread_that_may_not_be_cancelled_goes_on(fast: Fast, libc: str) -> None:
    fast("cancelled", "disabled", "2", libc=libc)


@pytest.mark.parametrize("libc", LIBCS)
@pytest.mark.parametrize("how", ["deferred", "async", "disabled"])
def test_threads_are_cancelled_after_an_attach(fast: Fast, how: str, libc: str) -> None:
    fast.attached("cancelled", how, "3", libc=libc)


def test_threads_are_cancelled_between_calls_after_an_attach(fast: Fast) -> None:
    fast.attached("cancelled", "tight", "20", calls=False)


def test_threads_that_end_by_themselves_while_all_are_ended_leave_nothing_unknown(fast: Fast) -> None:
    fast("ending", "15")
