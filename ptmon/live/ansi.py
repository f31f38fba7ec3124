# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program writes -> lines that can be shown: colours are kept, whatever else moves or asks a terminal is not."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

from rich.ansi import AnsiDecoder
from rich.text import Text

from ptmon.text import printable

LINE_MOST = 4096
"""Letters of a line that are shown."""
_COLOUR = r"\x1b\[[0-9;:]{0,64}m"
_OTHER = (
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: cursor, screen, modes (ECMA-48 5.4)
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS and other strings
    r"|\x1b[ -/]*[0-~]"
)
_SEQUENCE = re.compile(f"({_COLOUR})|{_OTHER}")


def clean(line: str) -> str:
    """A line with its colours and without any other control: sequences are left out, characters shown as escapes."""
    line = line.rstrip("\r").rpartition("\r")[2]  # of a line that was written anew the last state
    line = line.replace("\t", "    ")
    parts: list[str] = []
    place = 0
    for match in _SEQUENCE.finditer(line):
        parts += (printable(line[place : match.start()]), match[1] or "")
        place = match.end()
    return "".join([*parts, printable(line[place:])])


class Lines:
    """A stream of bytes -> its lines. ``part`` is what its last, unfinished line is by now."""

    def __init__(self, most: int) -> None:
        """``most``: of more lines at once only the last ones are made; the others scroll by unseen."""
        self._most = most
        self._decode = getincrementaldecoder("utf-8")("backslashreplace").decode
        self._rest = ""
        self._ansi = AnsiDecoder()

    def feed(self, data: bytes) -> list[Text]:
        """The lines that are complete now."""
        *lines, self._rest = (self._rest + self._decode(data)).split("\n")
        self._rest = self._rest[-LINE_MOST:]
        return [self._ansi.decode_line(clean(line[:LINE_MOST])) for line in lines[-self._most :]]

    @property
    def part(self) -> Text:
        return Text.from_ansi(clean(self._rest))
