# SPDX-License-Identifier: GPL-2.0-or-later
"""Words and numbers."""

from __future__ import annotations

import pytest

from ptmon.text import counted, duration, printable, size


@pytest.mark.parametrize(
    ("count", "iec", "si"),
    [
        (0, "0 B", "0 B"),
        (175, "175 B", "175 B"),
        (1000, "1000 B", "1.00 kB"),
        (1024, "1.00 KiB", "1.02 kB"),
        (10_240, "10.0 KiB", "10.2 kB"),
        (1_048_575, "1.00 MiB", "1.05 MB"),
        (999_999, "976.6 KiB", "1.00 MB"),
        (2**32, "4.00 GiB", "4.29 GB"),
        (2**80, "1048576.0 EiB", "1208925.8 EB"),
    ],
)
def test_sizes(count: int, iec: str, si: str) -> None:
    assert (size(count, "iec"), size(count, "si"), size(count, "raw")) == (iec, si, f"{count} B")


def test_raw_sizes_are_exact_whatever_they_are() -> None:
    assert size(2**63 + 1, "raw") == "9223372036854775809 B"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "0.012 s"), (1.25, "1.25 s"), (59.994, "59.99 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_could_move_the_cursor_is_escaped() -> None:
    assert printable("plain äöü 漢字") == "plain äöü 漢字"
    assert printable("\x1b[31m\r\n\t\0") == "\\x1b[31m\\x0d\\x0a\\x09\\x00"
    assert printable("a\u202eb\U000e0001") == "a\\u202eb\\U000e0001"


def test_a_byte_that_is_not_utf8_is_shown_as_that_byte() -> None:
    assert printable(b"x\xff".decode(errors="surrogateescape")) == "x\\xff"


def test_plurals() -> None:
    assert [counted(1, "socket"), counted(2, "socket"), counted(0, "process", "processes")] == [
        *("1 socket", "2 sockets", "0 processes"),
    ]
