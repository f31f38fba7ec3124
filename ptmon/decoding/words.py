# SPDX-License-Identifier: GPL-2.0-or-later
"""Text of numbers, flags and strings, in the manner of strace(1). All of it is safe to print."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from ptmon.decoding.frame import SHOWN
from ptmon.text import printable

Bits = Sequence[tuple[int, str]]
"""Masks and their names; one of several bits stands before its parts."""

_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_BYTES = {code: _SHORT.get(chr(code)) or (chr(code) if 32 <= code < 127 else f"\\x{code:02x}") for code in range(256)}
_MARKS = {ord(letter): text for letter, text in _SHORT.items()}


def pointer(address: int) -> str:
    """An address as C writes it."""
    return f"{address:#x}" if address else "NULL"


def plain(value: int) -> str:
    """A number of unknown meaning: an address, if it is large."""
    return str(value) if value < 0x10000 else f"{value:#x}"


def octal(value: int) -> str:
    """The mode of a file: 0644."""
    return f"0{value:03o}"


def quoted(data: bytes, total: int | None = None) -> str:
    """Bytes in quotes; the first SHOWN of them and an ellipsis where there are, of ``total``, more."""
    text = data[:SHOWN].decode("latin-1").translate(_BYTES)
    return f'"{text}"...' if (len(data) if total is None else total) > min(len(data), SHOWN) else f'"{text}"'


def quoted_name(data: bytes, whole: bool = True) -> str:
    """A path or a word in quotes, in full."""
    text = printable(os.fsdecode(data).translate(_MARKS))
    return f'"{text}"' if whole else f'"{text}"...'


def members(texts: Sequence[str], whole: bool = True) -> str:
    """An array: its first SHOWN members, and an ellipsis where there are more."""
    if len(texts) > SHOWN:
        texts, whole = texts[:SHOWN], False
    return f"[{', '.join([*texts] if whole else [*texts, '...'])}]"


def fields(**texts: str) -> str:
    """A struct: {name=text, ...}."""
    return "{" + ", ".join(f"{name}={text}" for name, text in texts.items()) + "}"


def flags(bits: Bits, empty: str = "0") -> Callable[[int], str]:
    """A function that says a number by the names of its bits: A|B|0x80."""

    @lru_cache(maxsize=512)
    def text(value: int) -> str:
        names = []
        for mask, name in bits:
            if value & mask == mask:
                names.append(name)
                value &= ~mask
        if value:
            names.append(f"{value:#x}")
        return "|".join(names) or empty

    return text


def chosen(names: Mapping[int, str], bits: Bits = (), mask: int = 0) -> Callable[[int], str]:
    """A function that says a number by its name, and those of its bits in ``mask`` by theirs."""
    rest = flags(bits)

    def text(value: int) -> str:
        head, tail = value & ~mask, value & mask
        word = names.get(head) or plain(head)
        return f"{word}|{rest(tail)}" if tail else word

    return text
