# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that change what surrounds their calls once these are being counted: filters, dispatch, children, fds."""

from __future__ import annotations

import pytest

from tests.counting import inodes_moved, moved
from tests.fast import Fast

CHILDREN = ["fork", "vfork", "spawn", "vm", "files", "unshare", "nested"]
FILTERS = ["list", "errno", "pointer"]
PARTS = 3


@pytest.mark.parametrize("mode", FILTERS)
def test_a_program_locks_itself_in_after_many_calls(fast: Fast, mode: str) -> None:
    fast("sandboxed", mode)


def test_a_program_locks_all_its_threads_in_while_they_transfer(fast: Fast) -> None:
    fast("sandboxed", "tsync", same=False)


@pytest.mark.parametrize("mode", [*FILTERS, "tsync"])
def test_a_program_locks_itself_in_after_an_attach(fast: Fast, mode: str) -> None:
    fast.attached("sandboxed", mode)


@pytest.mark.parametrize("mode", ["selector", "range"])
def test_calls_that_the_program_emulates_itself(fast: Fast, mode: str) -> None:
    fast("dispatched", mode)


@pytest.mark.parametrize("libc", ["glibc", "static", "musl"])
@pytest.mark.parametrize("mode", CHILDREN)
def test_children_of_every_kind_are_counted_after_many_calls(fast: Fast, mode: str, libc: str) -> None:
    fast("forking", mode, libc=libc)


def test_children_of_a_process_whose_threads_transfer_are_counted(fast: Fast) -> None:
    fast("forking", "threads", same=False)


@pytest.mark.parametrize("mode", [*CHILDREN, "threads"])
def test_children_of_every_kind_are_counted_after_an_attach(fast: Fast, mode: str) -> None:
    fast.attached("forking", mode)


def expected(mode: str, threads: int, rounds: int) -> list[tuple[int, int]]:
    """(sent, received) of each socket of reopened.c, sorted."""
    sizes = [PARTS * (number + 1) for number in range(threads * rounds)]
    channels = [(rounds, 0), (0, rounds)] * threads if mode == "rights" else []
    return sorted([(size, 0) for size in sizes] + [(0, size) for size in sizes] + channels)


@pytest.mark.parametrize("mode", ["accept", "dup2", "kinds", "rights"])
def test_a_number_that_means_one_socket_after_another_has_a_row_for_each(fast: Fast, mode: str) -> None:
    traced = fast("reopened", mode, "4", "60")
    assert inodes_moved(traced.report) == moved(traced.report["sockets"]) == expected(mode, 4, 60)


@pytest.mark.parametrize("mode", ["accept", "dup2", "kinds", "rights"])
def test_a_number_that_means_one_socket_after_another_after_an_attach(fast: Fast, mode: str) -> None:
    report = fast.attached("reopened", mode, "4", "60")
    assert inodes_moved(report) == expected(mode, 4, 60)
