# SPDX-License-Identifier: GPL-2.0-or-later
"""Words and numbers as people read them."""

from __future__ import annotations

from collections.abc import Iterable

_STEPS = {
    "iec": (1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")),
    "si": (1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB")),
}


def printable(text: str) -> str:
    """``text`` with whatever could move a cursor or is not text shown as an escape: \\x1b, \\u202e.

    A byte that was not UTF-8 (a surrogate escape, PEP 383) is shown as that byte: \\xff.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escape(ord(letter)) for letter in text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def size(count: float, units: str = "iec") -> str:
    """Bytes in ``units`` (iec, si, raw): three or four digits that matter."""
    if units == "raw":
        return f"{round(count)} B"
    step, names = _STEPS[units]
    value, index = float(count), 0
    while value >= step and index < len(names) - 1:
        value /= step
        index += 1
    if index and round(value, 2 if value < 10 else 1) >= step and index < len(names) - 1:
        value, index = 1.0, index + 1  # 1023.99 KiB is 1 MiB when rounded
    if not index:
        return f"{value:.0f} B"
    return f"{value:.2f} {names[index]}" if value < 10 else f"{value:.1f} {names[index]}"


def duration(seconds: float) -> str:
    """A time span: ``0.012 s``, ``1.25 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 1:
        return f"{seconds:.3f} s"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 socket``, ``2 sockets``, ``3 processes``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def did_you_mean(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """``; did you mean …?`` with the one that is most like ``word``; nothing if none is so much like it (0 to 1)."""
    import difflib  # only where something is wrong

    near = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return f"; did you mean {near[0]}?" if near else ""
