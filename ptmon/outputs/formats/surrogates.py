# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON for readers that refuse lone surrogates, which stand in ptmon's for bytes that are not UTF-8."""

from __future__ import annotations

import re

_ESCAPES = re.compile(rb"(\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\udc([89a-f][0-9a-f])")
"""A backslash that is escaped, or a pair, which stay; or such a byte."""


def without_surrogates(text: bytes) -> bytes:
    """ASCII JSON in which such a byte is shown as :func:`ptmon.text.printable` shows it: ``\\xff``."""
    if b"\\udc" not in text:
        return text
    return _ESCAPES.sub(lambda found: found[1] or rb"\\x" + found[2], text)
