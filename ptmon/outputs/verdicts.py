# SPDX-License-Identifier: GPL-2.0-only
"""What a report for people says in words."""

from __future__ import annotations

import signal
from collections import Counter

from ptmon.report import Report


def how_it_ended(report: Report) -> str:
    """``exit 0``, ``killed by SIGSEGV``, ``detached`` or ``still running``."""
    if report.exit is None:
        return "still running" if report.header.mode == "launch" else "detached"
    if report.exit.signal is None:
        return f"exit {report.exit.code}"
    try:
        return f"killed by {signal.Signals(report.exit.signal).name}"
    except ValueError:
        return f"killed by signal {report.exit.signal}"


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
