# SPDX-License-Identifier: GPL-2.0-or-later
"""What the page is made of: text that is nothing but text, and tables that can be sorted."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ptmon.text import printable

TEXT_MOST = 400
"""Letters of a cell; of an argv there may be a million."""


class Cell:
    """A table's cell: ``text`` as it is shown; ``value``: a number, by which it is sorted."""

    __slots__ = ("note", "text", "value", "way")

    def __init__(self, text: str, value: float | None = None, note: str = "", way: str = "") -> None:
        """``note``: stands below, less loud. ``way``: a class of the style sheet."""
        self.text = text
        self.value = value
        self.note = note
        self.way = way

    def html(self) -> str:
        """As a cell of a row."""
        note = tag("small", plain(self.note)) if self.note else ""
        if self.value is None:
            return tag("td", plain(self.text) + note, self.way)
        return f'<td class="n {self.way}" data-v="{self.value:g}">{plain(self.text)}{note}</td>'


def plain(text: str, most: int = TEXT_MOST) -> str:
    """Text, of which the browser makes nothing but text."""
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    return html.escape(printable(text))


def tag(name: str, inner: str, way: str = "") -> str:
    """An element; ``inner`` is HTML."""
    return f'<{name} class="{way}">{inner}</{name}>' if way else f"<{name}>{inner}</{name}>"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], most: int, what: str, way: str = "") -> str:
    """A table as long as ``most`` bytes of HTML. A head with a ``#`` before it stands over numbers.

    ``what``: what the rows are, many: for the line that says how many of them were left out.
    """
    made: list[str] = []
    length = left = 0
    for row in rows:
        line = tag("tr", "".join(cell.html() for cell in row))
        length += len(line.encode())
        if left or length > most:
            left += 1
        else:
            made.append(line)
    if not made and not left:
        return ""
    if left:
        said = f"… and {left:,} more {what}: a report as JSON or CSV has them all"
        made.append(f'<tr class="rest"><td colspan="{len(heads)}">{said}</td></tr>')
    head = "".join(_head(name) for name in heads)
    body = "\n".join(made)
    return (
        f'<div class="scroll" tabindex="0"><table class="{way}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _head(name: str) -> str:
    """No button: with one in it Chromium prints a table's head on its first page alone."""
    way = ' class="n"' if name.startswith("#") else ""
    return f'<th scope="col"{way}><span role="button" tabindex="0">{html.escape(name.lstrip("#"))}</span></th>'


def section(name: str, title: str, inner: str) -> str:
    """A part of the page with a heading; nothing if there is nothing in it."""
    return f'<section id="{name}"><h2>{title}</h2>\n{inner}</section>\n' if inner else ""
