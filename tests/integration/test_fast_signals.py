# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals that come in the middle of a counted call, and calls of the handlers."""

from __future__ import annotations

import pytest

from tests.fast import Fast

ALWAYS_SAME = ["behind", "jump", "pending", "blocked", "traps"]
"""What these do does not depend on when a timer's signal comes."""


@pytest.mark.parametrize("flags", ["restart", "plain"])
def test_timers_interrupt_blocked_calls(fast: Fast, flags: str) -> None:
    fast("signalled", "timers", flags, same=False)


def test_handlers_send_and_receive_one_within_another_on_a_stack_of_their_own(fast: Fast) -> None:
    fast("signalled", "nested", same=False)


@pytest.mark.parametrize("mode", ALWAYS_SAME)
def test_masks_handlers_and_jumps_are_as_without_ptmon(fast: Fast, mode: str) -> None:
    fast("signalled", mode)


@pytest.mark.parametrize("words", [["timers", "restart"], ["timers", "plain"], ["nested"], *([m] for m in ALWAYS_SAME)])
def test_signals_are_as_without_ptmon_after_an_attach(fast: Fast, words: list[str]) -> None:
    fast.attached("signalled", *words)


@pytest.mark.parametrize("libc", ["static", "musl"])
@pytest.mark.parametrize("words", [["timers", "plain"], ["nested"]])
def test_signals_are_as_without_ptmon_with_another_libc(fast: Fast, words: list[str], libc: str) -> None:
    fast("signalled", *words, libc=libc, same=False)
