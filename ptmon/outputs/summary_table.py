# SPDX-License-Identifier: GPL-2.0-or-later
"""How the summary is laid out: tables with names on the left and numbers on the right, and lines that are broken.

No name is ever cut: a peer's address must be read whole, and copied. One that does not fit has a line of its own,
however long, and its numbers are below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

NUMBER = 11
"""Columns that a number takes: 1023.9 KiB, and a space."""
LEAST = 80
"""Columns that tables take where the terminal has them; more only where a name wants them, for the eye has to find the
numbers that belong to it."""


@dataclass(slots=True)
class Table:
    """``title`` stands over the names, ``numbers`` over the other columns."""

    title: str
    numbers: tuple[str, ...]
    rows: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    """A name, its numbers, and the style of both."""

    def add(self, name: str, *numbers: str, style: str = "") -> None:
        """One row more."""
        self.rows.append((name, numbers, style))

    def lines(self, width: int) -> Iterator[Text]:
        """What is to be printed, within ``width`` columns but for names that are longer."""
        from rich.text import Text

        widths = self._widths()
        room = width - sum(widths)
        heads = [(" " * (wide - len(name)), name) for name, wide in zip(self.numbers, widths, strict=True)]
        parts = [part for blank, name in heads for part in (blank, (name, "underline"))]
        yield Text.assemble((self.title, "underline"), " " * max(room - len(self.title), 0), *parts)
        for name, numbers, style in self.rows:
            figures = "".join(number.rjust(wide) for number, wide in zip(numbers, widths, strict=True))
            free = room - _columns(name)
            if free >= 0:
                yield Text(f"{name}{' ' * free}{figures}", style)
            else:
                yield Text(name, style)
                yield Text(f"{' ' * room}{figures}", style)

    def needs(self) -> int:
        """Columns in which each row is one line."""
        return max((_columns(name) for name, _numbers, _style in self.rows), default=0) + sum(self._widths())

    def _widths(self) -> list[int]:
        """Of the numbers' columns, each with a space in front."""
        columns = zip(self.numbers, *(numbers for _name, numbers, _style in self.rows), strict=True)
        return [max(NUMBER, *map(len, column)) + 1 for column in columns]


def table_width(tables: Iterable[Table], terminal: int) -> int:
    """Columns that all of them take, so that their numbers stand below each other."""
    return min(terminal, max(LEAST, *(table.needs() for table in tables)))


def broken(text: str, spaces: Sequence[int], width: int) -> str:
    """``text`` with line breaks in place of some of ``spaces``. A word that is longer than a line stays whole."""
    letters, start, last = list(text), 0, -1
    for place in (*spaces, len(text)):
        if last >= start and _columns(text[start:place]) > width:
            letters[last], start = "\n", last + 1
        last = place
    return "".join(letters)


def _columns(text: str) -> int:
    from rich.cells import cell_len  # letters may be two columns wide

    return cell_len(text)
