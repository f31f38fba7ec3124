# SPDX-License-Identifier: GPL-2.0-only
"""The formats of reports and of events: a row for each, of which options, help and outputs are made."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ptmon.frozen import dataclass


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A way to write a report."""

    module: str
    """Its ``write_report()`` is an ``outputs.report_output.Render``."""
    ending: str
    """A file whose name ends so is written in it."""


@dataclass(frozen=True, slots=True)
class EventFormat:
    """A way to write events."""

    module: str
    formatter: str
    """The class in it: an ``outputs.formats.Formatter``."""
    about: str
    """For --help."""
    clients: str | None = None
    """What the event server's help says of it. None: no client can have it, for it can't begin in the middle."""
    programs: bool = False
    """Programs read it: --interval has its lines in it, too."""


REPORTS = {
    "summary": ReportFormat("ptmon.outputs.summary", ".txt"),
    "json": ReportFormat("ptmon.outputs.json", ".json"),
    "csv": ReportFormat("ptmon.outputs.csv", ".csv"),
}
"""The first is that of a file with another ending, and of stderr."""

EVENTS = {
    "text": EventFormat("ptmon.outputs.formats.text", "TextFormatter", "for people, the default", "events for people"),
    "jsonl": EventFormat(
        "ptmon.outputs.formats.jsonl",
        "JsonlFormatter",
        "ptmon.event/1",
        "events for programs, a JSON object a line",
        programs=True,
    ),
    "dmesg": EventFormat(  # the totals that it tells want all events from the first on
        "ptmon.outputs.formats.dmesg",
        "DmesgFormatter",
        "the lines of two kernel modules that ptmon stands in for",
    ),
}
"""The first is the one that is written if none is named."""


def default(formats: Iterable[str]) -> str:
    """The name of the first."""
    return next(iter(formats))


def report_format(path: str | None) -> str:
    """The format of a report by the end of its file's name."""
    ending = os.path.splitext(path or "")[1].lower()
    return next((name for name, row in REPORTS.items() if row.ending == ending), default(REPORTS))


def listed(names: Iterable[str], word: str) -> str:
    """``json or csv``, ``summary, json and csv``."""
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last
