# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes for people, as ``hexdump -C`` shows them."""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 16
_HALF = 8
_SHOWN = bytes(value if 32 <= value < 127 else ord(".") for value in range(256))


def lines(data: bytes) -> Iterator[str]:
    """The lines, without their ends. Rows that repeat the one before are one ``*``; the last line is the length."""
    last, starred = b"", False
    for at in range(0, len(data), WIDTH):
        row = data[at : at + WIDTH]
        if row == last and len(row) == WIDTH:
            if not starred:
                yield "*"
            starred = True
            continue
        last, starred = row, False
        yield f"{at:08x}  {row[:_HALF].hex(' '):<23}  {row[_HALF:].hex(' '):<23}  |{row.translate(_SHOWN).decode()}|"
    if data:
        yield f"{len(data):08x}"
