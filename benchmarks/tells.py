# SPDX-License-Identifier: GPL-2.0-or-later
"""What a tool says was sent and received, out of what it wrote into the folder of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CALL = re.compile(r"^(?:\[?\d+\]? +)?(?:<\.\.\. )?(sendto|sendmsg|recvfrom|recvmsg)(?:\(| resumed).* = (\d+)$")
"""A line of strace or strace.py for a call that only sockets know, and that succeeded. strace cuts a call in two lines
if another thread's comes between; the second one, "resumed", has the result."""
BPFTRACE_MAP = re.compile(r"^@(sent|received): (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes, as a tool tells them."""

    sent: int
    received: int
    sound: bool = True
    """Whether the tool itself believes it: its own checks against the kernel found nothing."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Bytes, as who moved them tells. A range where some were on their way when the client left."""

    sent: range
    received: range

    @classmethod
    def exactly(cls, sent: int, received: int) -> Truth:
        return cls(range(sent, sent + 1), range(received, received + 1))

    def holds_for(self, traffic: Traffic) -> bool:
        return traffic.sound and traffic.sent in self.sent and traffic.received in self.received


def ptmon_report(folder: Path) -> Traffic:
    """Its JSON report. Sound: it calls itself complete, and the audit found no socket that differs."""
    report = json.loads((folder / "report.json").read_text())
    totals = report["totals"]
    differs = any(row["audit"] == "differ" for row in report["sockets"])
    return Traffic(totals["sent"], totals["received"], report["complete"] and not differs)


def ptmon_events(folder: Path) -> Traffic:
    """The sum over every send and receive in its log."""
    sums = {"send": 0, "receive": 0}
    with (folder / "events.jsonl").open() as lines:
        for line in lines:
            event = json.loads(line)
            if event.get("event") in sums:
                sums[event["event"]] += event["bytes"]
    return Traffic(sums["send"], sums["receive"])


def shim_file(folder: Path) -> Traffic:
    """A line for each process that moved bytes; no file if none did."""
    path = folder / "shim"
    rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return Traffic(sum(int(row[0]) for row in rows), sum(int(row[1]) for row in rows))


def bpftrace_maps(folder: Path) -> Traffic:
    """What it prints at its end. A map that was never written is not printed."""
    sums = {name: int(value) for name, value in BPFTRACE_MAP.findall((folder / "tracer.out").read_text())}
    return Traffic(sums.get("sent", 0), sums.get("received", 0))


def call_lines(lines: Iterable[str]) -> Traffic:
    """Lines of calls with their results, as strace writes them."""
    sums = {"send": 0, "recv": 0}
    for line in lines:
        if match := CALL.search(line.rstrip()):
            sums[match[1][:4]] += int(match[2])
    return Traffic(sums["send"], sums["recv"])


def call_log(folder: Path) -> Traffic:
    with (folder / "calls").open(errors="replace") as lines:
        return call_lines(lines)
