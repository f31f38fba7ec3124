# SPDX-License-Identifier: GPL-2.0-or-later
"""--fast-explain: a table of the places in the program that make system calls, on stderr, behind the report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.report import ExplainedReport, Report, SiteReport
from ptmon.text import counted, printable

WIDTH = 80
SITE, STOPS = 38, 14
"""Columns."""
SITES_MOST = 20
"""Lines of sites of one kind in one process."""
UNUSED_MOST = 60
"""Sites that are only named, since no call stopped there."""
PROCESSES_MOST = 20
MACHINE = "x86_64"
TITLES = {
    "replaced": "replaced by a jump, to count inside",
    "withdrawn": "replaced for a time",
    "refused": "refused",
    "left": "left as it was",
}


class FastExplainOutput(SilentOutput):
    """Writes the table when counting has ended. Nothing where no call was seen, and none was to be."""

    def finish(self, report: Report) -> None:
        if report.explained is not None:
            said = list(lines(report, report.explained, os.uname().machine))
            stderr.put(lambda file: file.writelines(f"{line}\n" for line in said))


def make(options: Options, host: str) -> FastExplainOutput:
    """What ``--fast-explain`` asks for."""
    return FastExplainOutput()


def lines(report: Report, explained: ExplainedReport, machine: str) -> Iterator[str]:
    """The table, under 80 columns but for names that are longer; nothing in it moves a cursor."""
    import textwrap

    if machine != MACHINE:
        yield from textwrap.wrap(f"ptmon: no calls are counted inside programs here, on {machine}: all stop", WIDTH - 1)
        return
    if explained.off:
        yield "ptmon: --fast off: nothing was counted inside the program, and no code changed"
    elif explained.sites or explained.inside:
        yield "ptmon: where system calls are made, and how they were counted (--fast-explain)"
    names = {process.pid: process.name for process in report.processes}
    pids = list(dict.fromkeys([row.pid for row in explained.sites] + [row.pid for row in explained.inside]))
    for pid in pids[:PROCESSES_MOST]:
        yield from ("", *_process(pid, names.get(pid, "?"), explained))
    if (more := len(pids) - PROCESSES_MOST) > 0:
        yield from ("", f"… and {counted(more, 'more process', 'more processes')} (see the JSON report)")


def _process(pid: int, name: str, explained: ExplainedReport) -> Iterator[str]:
    import textwrap

    yield f"process {pid} ({printable(name)})"
    for verdict, title in TITLES.items():
        kinds: dict[str | None, list[SiteReport]] = {}
        for row in explained.sites:
            if (row.pid, row.verdict) == (pid, verdict):
                kinds.setdefault(row.reason, []).append(row)
        for reason, rows in kinds.items():
            said = f"{title}: {printable(reason)}" if reason else title
            yield from textwrap.wrap(said, WIDTH - 1, initial_indent="  ", subsequent_indent="    ")
            yield from _sites(rows)
    if inside := [f"{row.calls:,} {row.syscall}" for row in explained.inside if row.pid == pid]:
        said = f"calls counted inside: {', '.join(inside)}"
        yield from textwrap.wrap(said, WIDTH - 1, initial_indent="  ", subsequent_indent="    ")


def _sites(rows: Sequence[SiteReport]) -> Iterator[str]:
    ordered = sorted(rows, key=lambda row: (-row.stops, row.file, row.offset))
    named = [row for row in ordered if row.stops or row.verdict != "replaced"]
    for row in named[:SITES_MOST]:
        yield from _site(row)
    if rest := named[SITES_MOST:]:
        yield f"    … and {len(rest):,} more, with {counted(sum(row.stops for row in rest), 'stop')}"
    yield from _unused([row for row in ordered if not (row.stops or row.verdict != "replaced")])


def _unused(rows: Sequence[SiteReport]) -> Iterator[str]:
    """A C library has dozens of them."""
    import textwrap

    if not rows:
        return
    words, file = [], ""
    for row in rows[:UNUSED_MOST]:
        name = site_name(row) if _file(row) != file else f"+{row.offset:#x}"
        words.append(f"{name}\xa0{', '.join(row.calls) or 'any call'}".replace(" ", "\xa0"))
        file = _file(row)
    more = f", and {len(rows) - UNUSED_MOST:,} more" if len(rows) > UNUSED_MOST else ""
    said = f"no stops: {', '.join(words)}{more}"
    for line in textwrap.wrap(said, WIDTH - 1, initial_indent="    ", subsequent_indent="      "):
        yield line.replace("\xa0", " ")


def _site(row: SiteReport) -> Iterator[str]:
    import textwrap

    stops = "1 stop" if row.stops == 1 else f"{row.stops:,} stops"
    calls = textwrap.wrap(", ".join(row.calls) or "any call", WIDTH - 1 - 4 - SITE - STOPS - 2)
    name = site_name(row)
    if len(name) > SITE:
        yield f"    {name}"
        name = ""
    yield f"    {name:{SITE}}{stops:>{STOPS}}  {calls[0]}"
    for line in calls[1:]:
        yield " " * (4 + SITE + STOPS + 2) + line


def site_name(row: SiteReport) -> str:
    """``libc.so.6+0x114a2b``: the file's name, and where in it the instruction is."""
    return f"{_file(row)}+{row.offset:#x}" if row.address else "elsewhere, in too many places"


def _file(row: SiteReport) -> str:
    return printable(row.file.rpartition("/")[2] or row.file) if row.file else "memory of no file"
