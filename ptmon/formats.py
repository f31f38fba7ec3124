# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats of reports and of events: a row for each, of which options, help and outputs are made."""

from __future__ import annotations

import os
from collections.abc import Iterable


class ReportFormat:
    """A way to write a report. (No record of ptmon.frozen, nor is the next: to make those takes a while at each start.)

    ``module``: its ``write_report()`` is an ``outputs.report_output.Render``. ``ending``: a file whose name ends so is
    written in it. ``history``: it shows what was moved over time, for which points are kept during the run.
    """

    __slots__ = ("ending", "history", "module")

    def __init__(self, module: str, ending: str, history: bool = False) -> None:
        self.module = module
        self.ending = ending
        self.history = history


class EventFormat:
    """A way to write events.

    ``formatter``: the class in ``module``, an ``outputs.formats.Formatter``. ``about``: for --help. ``clients``: what
    the event server's help says of it; None: no client can have it, for it can't begin in the middle. ``programs``:
    programs read it, so --interval has its lines in it, too. ``ending``: a log whose name ends so is written in it, and
    -o FILE of that name means the same.
    """

    __slots__ = ("about", "clients", "ending", "formatter", "module", "programs")

    def __init__(
        self,
        module: str,
        formatter: str,
        about: str,
        clients: str | None = None,
        programs: bool = False,
        ending: str | None = None,
    ) -> None:
        self.module = module
        self.formatter = formatter
        self.about = about
        self.clients = clients
        self.programs = programs
        self.ending = ending


REPORTS = {
    "summary": ReportFormat("ptmon.outputs.summary", ".txt"),
    "json": ReportFormat("ptmon.outputs.json", ".json"),
    "csv": ReportFormat("ptmon.outputs.csv", ".csv"),
    "peers": ReportFormat("ptmon.outputs.peers", ".peers"),
    "html": ReportFormat("ptmon.outputs.html", ".html", history=True),
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
    "perfetto": EventFormat(
        "ptmon.outputs.formats.perfetto",
        "PerfettoFormatter",
        "a timeline for ui.perfetto.dev",
        ending=".perfetto-trace",
    ),
    "parquet": EventFormat(  # a table of what is in these
        "ptmon.outputs.formats.jsonl",
        "JsonlFormatter",
        "a table for DuckDB and its like, which makes it: pip install 'ptmon[parquet]'",
        ending=".parquet",
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


def event_format(path: str | None) -> str | None:
    """The format of a log by the end of its file's name; None: that says nothing."""
    ending = os.path.splitext(path or "")[1].lower()
    return next((name for name, row in EVENTS.items() if ending and row.ending == ending), None)


def listed(names: Iterable[str], word: str) -> str:
    """``json or csv``, ``summary, json and csv``."""
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last
