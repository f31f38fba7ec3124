# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks: calls by which the process of the tests tells ptmon where in its stream of calls it is."""

from __future__ import annotations

import os

VARIABLE = "PTMON_TESTING"
"""In the environment of the traced pytest: the fd from which it reads answers."""
CALL = "removexattr"
"""Rare, and without effect on what can't be there."""
_FOLDER = "/dev/null/ptmon"
"""Nothing can be in what is no folder (ENOTDIR)."""
BEGIN, END, ASK, SUM = "begin", "end", "ask", "sum"
"""Test N begins, and ends. Question N: what did this test move until now, or all of them; these are answered."""


def make(word: str, number: int) -> None:
    """Makes a mark. ptmon has dealt with all that was before it when this returns."""
    try:
        os.removexattr(f"{_FOLDER}/{word}/{number}", "user.ptmon")
    except OSError:
        return  # as it has to be


def read(path: bytes) -> tuple[str, int] | None:
    """The word and the number of a mark; None for a call that is none."""
    folder, _, rest = path.decode(errors="replace").rpartition("/")
    folder, _, word = folder.rpartition("/")
    if folder != _FOLDER or word not in (BEGIN, END, ASK, SUM) or not (rest.isascii() and rest.isdigit()):
        return None
    return word, int(rest)
