# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ptmon.report import ProcessReport


def in_order(processes: Sequence[ProcessReport]) -> Iterator[tuple[int, ProcessReport]]:
    """Each with its depth, parents before their children.

    A pid may be used again: the parent is the last one before that had it. What is no tree (as a tracee's word would
    have it) is none here either: nobody is the parent of one that comes before it.
    """
    last: dict[tuple[int | None, int], int] = {}
    children: list[list[int]] = [[] for _ in processes]
    roots: list[int] = []
    for index, process in enumerate(processes):
        parent = None if process.ppid is None else last.get((process.source, process.ppid))
        (roots if parent is None else children[parent]).append(index)
        last[process.source, process.pid] = index
    ahead = [(0, index) for index in reversed(roots)]  # no recursion: it may be as deep as there are pids
    while ahead:
        depth, index = ahead.pop()
        yield depth, processes[index]
        ahead.extend((depth + 1, child) for child in reversed(children[index]))
