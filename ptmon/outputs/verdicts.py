# SPDX-License-Identifier: GPL-2.0-or-later
"""What a report for people says in words."""

from __future__ import annotations

import signal
from collections import Counter

from ptmon.report import Ended, Notice, Report
from ptmon.text import counted

ENDS_MOST = 3
"""Ways to end that are told of many runs."""


def how_it_ended(report: Report) -> str:
    """``exit 0``, ``killed by SIGSEGV``, ``detached`` or ``still running``; of many: ``3 exit 0, 1 exit 2``."""
    if not report.hosts:
        return _ended(report.exit, report.header.mode == "launch")
    ends = Counter(_ended(row.exit, launched=False) for row in report.hosts)
    if len(ends) == 1:
        return next(iter(ends))
    said = [f"{count:,} {end}" for end, count in ends.most_common(ENDS_MOST)]
    return ", ".join([*said, *(["…"] if len(ends) > ENDS_MOST else [])])


def _ended(end: Ended | None, launched: bool) -> str:
    if end is None:
        return "still running" if launched else "detached"
    if end.signal is None:
        return f"exit {end.code}"
    try:
        return f"killed by {signal.Signals(end.signal).name}"
    except ValueError:
        return f"killed by signal {end.signal}"


def title(report: Report) -> str:
    """What was traced."""
    if report.command or not report.hosts:
        return " ".join(report.command)
    return f"{len({row.command for row in report.hosts})} programs"


def place(report: Report) -> str:
    """``rank 3``, ``4 runs on 2 hosts``; nothing where that is no news."""
    if report.hosts:
        hosts = counted(len({row.host for row in report.hosts}), "host")
        return f"{counted(len(report.hosts), 'run')} on {hosts}"
    return "" if report.header.rank is None else f"rank {report.header.rank}"


def said_of(report: Report, warning: Notice) -> str:
    """A warning, and in a merged report whose it is."""
    return warning.message if warning.source is None else f"{report.label(warning.source)}: {warning.message}"


def speed(fast: int, stop: int) -> str:
    """How many calls cost the program how much, in words for who knows nothing of ptmon's ways."""
    if not stop:
        return f"all {fast:,} calls were counted inside the program, which is fast" if fast else "no call was counted"
    if not fast:
        return f"all {stop:,} calls were counted by stopping the program, which is slow"
    return f"{fast:,} calls were counted inside the program (fast), {stop:,} by stopping it (slow)"


def audit(report: Report) -> tuple[str, str]:
    """What the kernel's TCP counters say, and of what kind that is: ``differ``, ``match`` or ``unavailable``.

    Two times nothing where there were no TCP sockets.
    """
    audits: Counter[str] = Counter()
    for socket in report.sockets:
        if socket.protocol == "tcp":
            audits[socket.audit] += socket.folded or 1
    total = audits.total()
    if not total:
        return "", ""
    agree, differ = audits["match"], audits["differ"]
    sockets = "socket" if total == 1 else "sockets"
    said = f"audit: the kernel's TCP counters agree on {agree:,} of {total:,} {sockets}"
    if differ:
        said += f", differ on {differ:,}"
    if unread := audits["unavailable"]:
        said += f", could not be compared on {unread:,}"
    return said, "differ" if differ else "match" if agree else "unavailable"


def waited(report: Report) -> str:
    """What --wait may have missed; nothing where nobody waited."""
    if report.header.waited is None:
        return ""
    delay = round(report.header.waited.attach_delay_s * 1000)
    return f"attached at most {max(delay, 1):,} ms after its start; what it moved before that is not counted"
