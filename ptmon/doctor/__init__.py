# SPDX-License-Identifier: GPL-2.0-or-later
"""--doctor: what of ptmon works here, and why the rest does not. Each line comes from a probe that does the thing."""

from __future__ import annotations

import importlib
import json
import os
import signal
import textwrap
from collections.abc import Iterable, Sequence

from ptmon.doctor.probing import LIMITED, MISSING, Answer, Finding, Probe, ask
from ptmon.text import printable
from ptmon.version import __version__

SCHEMA = "ptmon.doctor/1"
NO_PTRACE = "see the line launch; in a container: docker run --cap-add=SYS_PTRACE"
REBUILD = "build ptmon with: pip install ."
PROBES = (
    ("machine", "surroundings", "machine", ""),
    ("core", "surroundings", "core", REBUILD),
    ("reference", "surroundings", "reference", "pip install python-ptrace"),
    ("ptrace", "tracing", "trace", NO_PTRACE),
    ("launch", "running", "launch", "see the lines core and ptrace"),
    ("fast", "running", "fast", "see the line launch; with --fast off each call stops, and all are counted"),
    ("seccomp", "filters", "filters", "--seccomp off counts without a filter, slowly"),
    ("memory", "tracing", "memory", NO_PTRACE),
    ("pidfd_getfd", "tracing", "descriptors", "Linux 5.6 has it; without it /proc/PID/net tells of sockets, slowly"),
    ("attach", "tracing", "attach", NO_PTRACE),
    ("yama", "surroundings", "yama", ""),
    ("capabilities", "surroundings", "capabilities", ""),
    ("container", "surroundings", "container", ""),
    ("proc", "surroundings", "proc", "mount -t proc proc /proc"),
    ("io_uring", "filters", "io_uring", ""),
    ("strace", "surroundings", "strace", "ptmon does not need it"),
    ("perf", "surroundings", "perf", "ptmon does not need it"),
    ("bpftrace", "surroundings", "bpftrace", "ptmon does not need it"),
)
"""Each probe's name, its module here, its function, and what to do where it fails."""
NEEDED = "launch"
"""The probe that decides over the exit status."""


def examine(form: str) -> tuple[str, int]:
    """Makes all probes. Returns what to print, in ``form`` (text, json), and the exit status: 0 if launching works."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored children leave no exit status behind
    findings = [ask(name, _late(module, function), remedy) for name, module, function, remedy in PROBES]
    launches = all(finding.state != MISSING for finding in findings if finding.name == NEEDED)
    told = _json(findings, launches) if form == "json" else _text(findings, launches)
    return told, 0 if launches else 1


def _late(module: str, function: str) -> Probe:
    """A probe whose module is loaded in the child, for that may fail, too."""

    def probe() -> Answer:
        made: Answer = getattr(importlib.import_module(f"ptmon.doctor.{module}"), function)()
        return made

    return probe


def _json(findings: Sequence[Finding], launches: bool) -> str:
    names = Finding.__match_args__
    probes = [{name: getattr(finding, name) for name in names} for finding in findings]
    told = {
        "schema": SCHEMA,
        "ptmon": __version__,
        "host": os.uname().nodename,
        "launches": launches,
        "probes": probes,
    }
    return f"{json.dumps(told, indent=1)}\n"


def _text(findings: Sequence[Finding], launches: bool) -> str:
    lines = [f"ptmon {__version__}: what works here (--doctor=json: for programs)", ""]
    for finding in findings:
        lines += _lines(f"{finding.state:8} {finding.name:13}", finding.said)
        if finding.remedy:
            lines += _lines(" " * 22, f"→ {finding.remedy}")
    return "\n".join([*lines, "", _summary(findings, launches), ""])


def _lines(head: str, said: str) -> Iterable[str]:
    return textwrap.wrap(
        printable(" ".join(said.split())), 100, initial_indent=head, subsequent_indent=" " * 22, break_long_words=False
    )


def _summary(findings: Sequence[Finding], launches: bool) -> str:
    states = [finding.state for finding in findings]
    rest = f"{states.count(LIMITED)} limited, {states.count(MISSING)} missing"
    return f"ptmon {'can' if launches else 'CANNOT'} launch and count programs here; {rest}"
