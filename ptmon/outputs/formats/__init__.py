# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as lines of text: what the log, the server and syslog write.

Each form is in a module beside this one, and has a row in ptmon/formats.py.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ptmon.events import Event
from ptmon.formats import EVENTS
from ptmon.records import Transfers
from ptmon.report import Header, Report


class Formatter(Protocol):
    """Makes lines of what happens. It may remember what it was told, so each stream of events has one of its own.

    All of these return complete lines, each with its newline and with no other control character in it, or an empty
    string where this form has nothing to say. Bytes that are not UTF-8 are shown as escapes, so the text can be
    encoded.
    """

    def begin(self, header: Header) -> str:
        """What stands first."""

    def lines(self, event: Event) -> str:
        """What happened."""

    def note(self, text: str) -> str:
        """A line to the reader itself, about no event."""

    def dropped(self, count: int) -> str:
        """So many events are missing here: the reader was too slow."""

    def end(self, report: Report) -> str:
        """What stands last."""


@runtime_checkable
class RunFormatter(Formatter, Protocol):
    """A form in which a transfer is a line of ASCII that nothing but its record goes into: many are made at once."""

    def run(self, transfers: Transfers) -> bytes:
        """Their lines, each as :meth:`lines` would make it. Raises MemoryError."""


def create(name: str) -> Formatter:
    """The formatter called ``name``, of those in ptmon/formats.py."""
    row = EVENTS[name]
    formatter: Formatter = getattr(__import__(row.module, fromlist=[row.formatter]), row.formatter)()
    return formatter
