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


HOOKS = ["once", "first", "again"]


@pytest.mark.parametrize("way", HOOKS)
def test_a_program_that_hooks_its_own_calls_sees_all_of_them(fast: Fast, way: str) -> None:
    fast("rewriting", way, patched=way != "first")


@pytest.mark.parametrize("way", HOOKS)
def test_a_program_that_hooks_its_own_calls_sees_all_of_them_after_an_attach(fast: Fast, way: str) -> None:
    fast.attached("rewriting", way)
