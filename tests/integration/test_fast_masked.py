# SPDX-License-Identifier: GPL-2.0-or-later
"""int3 stands in a program's code for a moment, breakpoints for longer: what its threads have blocked stays blocked."""

from __future__ import annotations

from tests.fast import Fast


def test_threads_that_block_all_signals_keep_them_blocked(fast: Fast) -> None:
    for _ in range(5):  # whether a thread meets int3 is not the same each time
        fast("masked")


def test_threads_that_block_all_signals_keep_them_blocked_after_an_attach(fast: Fast) -> None:
    fast.attached("masked", patched=True)
