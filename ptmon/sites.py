# SPDX-License-Identifier: GPL-2.0-or-later
"""--fast-explain: what became of the places in a program that make system calls, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ptmon import syscalls
from ptmon.frozen import replace
from ptmon.records import Inside, Site, Verdict
from ptmon.report import ExplainedReport, InsideReport, Report, SiteReport

REPLACED, WITHDRAWN, REFUSED, LEFT = "replaced", "withdrawn", "refused", "left"

WORDS = {
    Verdict.REPLACED: (REPLACED, ""),
    Verdict.WITHDRAWN: (WITHDRAWN, "it was replaced, and later its calls were made to stop again: {fallback}"),
    Verdict.FELL_BACK: (REFUSED, "{fallback}"),
    Verdict.CHOSEN: (REFUSED, "each time that ptmon tried to, a thread was in the middle of it"),
    Verdict.BUSY: (REFUSED, "each time that ptmon tried to, a thread was in the middle of it"),
    Verdict.FOREIGN: (REFUSED, "it makes 32-bit calls (int 0x80 or sysenter)"),
    Verdict.DATA: (REFUSED, "it can't be told for sure which of the bytes around it are code"),
    Verdict.ENTERED: (REFUSED, "the program may jump into the middle of the bytes that a jump would replace"),
    Verdict.FLAGS: (REFUSED, "the program looks, behind it, at flags of the processor that a jump would change"),
    Verdict.SHORT: (REFUSED, "a jump takes 7 bytes, and too few of the instructions around it work elsewhere"),
    Verdict.CHANGED: (REFUSED, "its bytes are no more what they were when ptmon looked at them"),
    Verdict.FULL: (REFUSED, "ptmon's memory in the process has no room for more of them"),
    Verdict.WRITABLE: (REFUSED, "its code can be written while it runs, so it may change at any time"),
    Verdict.OTHER: (LEFT, "it makes calls that always stop, for they are never counted inside"),
    Verdict.ANY: (LEFT, "it makes more than one call, and none of them has stopped there"),
    Verdict.EARLY: (LEFT, "its calls stopped before counting inside began (--fast-after {after}), and not since"),
    Verdict.OFF: (LEFT, "nothing is counted inside (--fast off)"),
}
"""What became of a site, and why."""

NO_FALLBACK = "the process is counted at stops"


def explained(records: Iterable[Site | Inside], report: Report, after: int) -> Report:
    """``report`` with what an engine has told of sites. ``after``: as EngineSettings.fast has it."""
    fallbacks: dict[int, str] = {}
    for row in report.fallbacks:
        fallbacks[row.pid] = f"{fallbacks[row.pid]}; {row.reason}" if row.pid in fallbacks else row.reason
    sites: dict[tuple[object, ...], SiteReport] = {}
    inside: Counter[tuple[int, str]] = Counter()
    for record in records:
        if isinstance(record, Inside):
            inside[record.pid, record.syscall] += record.calls
        else:
            _add(sites, _site(record, fallbacks.get(record.pid, NO_FALLBACK), after))
    rows = tuple(InsideReport(pid, syscall, calls) for (pid, syscall), calls in inside.items())
    return replace(report, explained=ExplainedReport(tuple(sites.values()), rows, not after))


def _add(sites: dict[tuple[object, ...], SiteReport], site: SiteReport) -> None:
    """A process that executes several programs meets the same library again, at another address."""
    key = (site.pid, site.file, site.offset, site.verdict, site.reason, *(() if site.file else (site.address,)))
    before = sites.get(key)
    if before is not None:
        calls = tuple(dict.fromkeys((*before.calls, *site.calls)))
        site = replace(site, stops=before.stops + site.stops, calls=calls)
    sites[key] = site


def _site(record: Site, fallback: str, after: int) -> SiteReport:
    verdict, why = WORDS[record.verdict]
    reason = why.format(fallback=fallback, after=after) or None
    calls = tuple(syscalls.name(number, record.compat) for number in record.numbers)
    calls += ("others",) if record.more else ()
    return SiteReport(record.pid, record.file, record.offset, record.address, calls, record.stops, verdict, reason)
