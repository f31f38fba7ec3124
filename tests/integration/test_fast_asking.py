# SPDX-License-Identifier: GPL-2.0-or-later
"""Attached: calls that the tracer has to look at each time, made by many threads, while signals come all the time."""

from __future__ import annotations

import pytest

from tests.fast import Fast

MODES = ["storm", "nested", "jump", "forks", "own", "waited", "quota"]


@pytest.mark.parametrize("mode", MODES)
def test_a_thread_that_asks_while_signals_come_makes_each_call_once_and_is_counted(fast: Fast, mode: str) -> None:
    fast.attached("asking", mode, patched=True)
