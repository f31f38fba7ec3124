# SPDX-License-Identifier: GPL-2.0-or-later
"""Stacks that are not where a thread library puts them, while the code of the program is changed."""

from __future__ import annotations

import json

import pytest

from tests.fast import Fast, built
from tests.support import DEADLINE

LONGEST_PAUSE = 200
"""Milliseconds that all threads may stand at most, however many they are."""

ROUNDS = 3
"""One of so many must do it: the machine may be busy with other things."""


@pytest.mark.parametrize("libc", ["glibc", "static"])
@pytest.mark.parametrize("flags", ["restart", "plain"])
def test_a_handler_that_left_its_stack_comes_back_to_code_that_was_changed(fast: Fast, flags: str, libc: str) -> None:
    fast("stacks", "switched", flags, libc=libc)


@pytest.mark.parametrize("flags", ["restart", "plain"])
def test_a_handler_that_left_its_stack_comes_back_after_an_attach(fast: Fast, flags: str) -> None:
    fast.attached("stacks", "switched", flags)


def test_where_more_handlers_are_under_way_than_are_remembered_calls_stop(fast: Fast) -> None:
    fast("stacks", "handled", "restart", patched=False)


def test_more_handlers_than_are_remembered_after_an_attach(fast: Fast) -> None:
    fast.attached("stacks", "handled", "restart")


def test_what_userfaultfd_guards_above_a_stack_is_not_touched(fast: Fast) -> None:
    fast("stacks", "guarded")


def test_what_userfaultfd_guards_above_a_stack_is_not_touched_after_an_attach(fast: Fast) -> None:
    fast.attached("stacks", "guarded", patched=True)


def test_an_address_that_userfaultfd_guards_is_left_to_the_thread_that_answers(fast: Fast) -> None:
    fast("stacks", "asked")


def test_an_address_that_userfaultfd_guards_is_left_alone_after_an_attach(fast: Fast) -> None:
    fast.attached("stacks", "asked")


def test_many_threads_with_stacks_side_by_side_do_not_stand_for_long(fast: Fast) -> None:
    pauses: list[float] = []
    while len(pauses) < ROUNDS and (not pauses or min(pauses) > LONGEST_PAUSE):
        program = built(fast.targets, "stacks", "glibc")
        with fast.ready(program, "beside", "400") as (process, ptmon):
            out, _ = process.communicate("\n", timeout=DEADLINE)
            ptmon.finish()
        told = json.loads(out.splitlines()[-1])
        fast.assert_told(ptmon.report, told, calls=False)
        fast.assert_path(ptmon.report, patched=True)
        pauses.append(told["pause"])
    assert min(pauses) <= LONGEST_PAUSE, pauses
