# SPDX-License-Identifier: GPL-2.0-only
"""Code that changes while calls are counted inside the tracee: it is looked at anew, or the process stays at stops."""

from __future__ import annotations

import pytest

from tests.fast import Fast

WAYS = ["moved", "plugin", "dropped", "generated"]


@pytest.mark.parametrize("way", WAYS)
def test_code_that_changes_is_counted(fast: Fast, way: str) -> None:
    fast("changing", way)


@pytest.mark.parametrize("way", WAYS)
def test_code_that_changes_is_counted_after_an_attach(fast: Fast, way: str) -> None:
    fast.attached("changing", way)
