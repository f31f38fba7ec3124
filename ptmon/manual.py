# SPDX-License-Identifier: GPL-2.0-or-later
"""The man page ptmon(1), made from the table of options when ptmon is installed."""

from __future__ import annotations

import re
import textwrap
import time

from ptmon.command_line import ABOUT, ENVIRONMENT, OWN_STATUS, STATUSES, USAGE
from ptmon.options import TABLE, Option
from ptmon.version import __version__

DESCRIPTION = (
    ABOUT,
    "It needs no privileges: the program is traced by ptrace(2), as strace(1) does it, but where its code is known its"
    " calls are counted inside of it, without a stop. Threads, children and daemons are followed. The program's stdin,"
    " stdout, stderr, environment, arguments and signals are as without ptmon.",
    "The report goes to stderr at the end, or to a file. It says whether it is complete, and else what may be missing."
    " Each TCP socket's total is checked against the kernel's own counters.",
    "Options end at the first word that is not one: what follows is the program and its arguments.",
)
EXAMPLES = {
    "ptmon curl -s http://127.0.0.1/": "what a program sends and receives",
    "ptmon -p nginx --interval 5": "what all that run nginx do, with their children; Ctrl-C lets them go",
    "ptmon -o report.json make": "the report for programs",
    "ptmon -q --log=events.jsonl --log-format jsonl make": "each transfer, as it happens",
    "ptmon --merge r-*.json -o all.json": "one report of those of many hosts or ranks",
    "ptmon -q --deny connect:global --trace connect make": "no connection leaves the machine; who tries is told",
}
GROUPS = {
    "target": "What is traced", "report": "Report", "events": "Events", "server": "Event server", "view": "View",
    "engine": "How it is traced", "other": "Other",
}  # fmt: skip
NAMES = re.compile(r"\b[A-Z]{3,}(?:\.py)?\b")
"""Words that stand for others."""


def page(moment: float | None = None) -> str:
    """The page in roff, with the man macros; ``moment``: of its date, seconds since the epoch. None: now."""
    date = time.strftime("%Y-%m-%d", time.gmtime(moment))
    lines = [
        '.\\" made from the table of options of ptmon',
        f'.TH PTMON 1 {date} "ptmon {__version__}" "User Commands"',
        ".SH NAME",
        f"ptmon \\- {_plain(ABOUT[0].lower() + ABOUT[1:].partition(':')[0])}",
        ".SH SYNOPSIS",
        *_synopsis(),
        ".SH DESCRIPTION",
        *_paragraphs(DESCRIPTION),
        ".SH OPTIONS",
    ]
    for group in dict.fromkeys(option.group for option in TABLE):
        lines.append(f".SS {_plain(GROUPS[group])}")
        for option in (row for row in TABLE if row.group == group):
            lines += [".TP", _head(option), *_wrapped(option.help)]
    lines += [".SH EXIT STATUS", *_paragraphs((OWN_STATUS[0].upper() + OWN_STATUS[1:] + ".",))]
    for status, meaning in STATUSES.items():
        lines += [".TP", f".B {status}", *_wrapped(meaning)]
    lines.append(".SH ENVIRONMENT")
    for name, meaning in ENVIRONMENT.items():
        lines += [".TP", f".B {_plain(name)}", *_wrapped(meaning)]
    lines.append(".SH EXAMPLES")
    for command, meaning in EXAMPLES.items():
        lines += [".TP", f".B {_plain(command)}", *_wrapped(meaning)]
    lines += [".SH SEE ALSO", ".BR strace (1),", ".BR ptrace (2),", ".BR seccomp (2),", ".BR socket (7)"]
    return "\n".join([*lines, ""])


def _synopsis() -> list[str]:
    lines: list[str] = []
    for line in USAGE:
        words = NAMES.sub(lambda found: f"\\fI{found[0]}\\fR", _plain(line.removeprefix("ptmon ")))
        lines += [*([".br"] if lines else []), f"\\fBptmon\\fR {words}"]
    return lines


def _paragraphs(texts: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        lines += [*([".PP"] if lines else []), *_wrapped(text)]
    return lines


def _wrapped(text: str) -> list[str]:
    """A new sentence begins a new line, as roff wants it."""
    return [
        _plain(line)
        for sentence in re.split(r"(?<=\.) (?=[A-Z])", text)
        for line in textwrap.wrap(sentence, 72, break_long_words=False, break_on_hyphens=False)
    ]


def _head(option: Option) -> str:
    """``-o FILE``, ``-p, --attach PID|NAME``."""
    flags = ", ".join(f"\\fB{_plain(flag)}\\fR" for flag in sorted(option.flags, key=len))
    if option.metavar is None:
        return flags
    value = NAMES.sub(lambda found: f"\\fI{found[0]}\\fR", _plain(option.metavar))
    return f"{flags}{'' if option.default is not None else ' '}{value}"


def _plain(text: str) -> str:
    """Nothing of it is a request, and a - is the one that a user has to type."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text
