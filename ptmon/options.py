# SPDX-License-Identifier: GPL-2.0-only
"""The options: ONE table, of which command_line.py makes the parser and the help, and which is there for whatever else
lists the options (man page, completion).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Options:
    """A command line, read. The fields are the ``name`` of the options in the table, and ``command``."""

    attach: tuple[int, ...] = ()
    only: str | None = None
    no_follow: bool = False
    duration: float | None = None
    no_io_uring: bool = False
    output: str | None = None
    format: str | None = None
    units: str = "iec"
    color: str = "auto"
    quiet: bool = False
    interval: float | None = None
    max_sockets: int = 100_000
    engine: str = "native"
    seccomp: str = "auto"
    demo: bool = False
    version: bool = False
    help: bool = False
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table."""

    group: str
    flags: tuple[str, ...]
    """Long forms first, as help shows them."""
    help: str
    metavar: str | None = None
    """None: a switch that takes no value."""
    convert: Callable[[str], Any] = str
    """Raises ValueError with what is wrong about a value."""
    choices: tuple[str, ...] = ()
    repeatable: bool = False
    name: str = ""
    """The field of Options; by default made from the first flag."""

    @property
    def dest(self) -> str:
        return self.name or self.flags[0].lstrip("-").replace("-", "_")


def pid_number(text: str) -> int:
    """A process id."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**31:
        raise ValueError("is not a process id")
    return int(text)


def seconds(text: str) -> float:
    """A positive time."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 1e9:  # false for NaN too
        raise ValueError("is not a positive number of seconds")
    return value


def count(text: str) -> int:
    """A positive whole number."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**63:
        raise ValueError("is not a positive whole number")
    return int(text)


def file_name(text: str) -> str:
    """The last component of a path, as --only compares it."""
    if not text or "/" in text:
        raise ValueError("is not a file name (give it without its directory)")
    return text


def report_path(text: str) -> str:
    """A path with %p, %h and %% in it."""
    rest = text.replace("%%", "").replace("%p", "").replace("%h", "")
    if not text:
        raise ValueError("is not a file")
    if "%" in rest:
        raise ValueError("has a % that is not %p (pid), %h (host) or %% (a % sign)")
    return text


TABLE = (
    Option(
        "target",
        ("--attach", "-p"),
        "attach to a running process, all its threads; Ctrl-C detaches, the process runs on (repeatable)",
        "PID",
        pid_number,
        repeatable=True,
    ),
    Option(
        "target",
        ("--only",),
        "count only processes whose executable's file name is NAME, from its execve on",
        "NAME",
        file_name,
    ),
    Option("target", ("--no-follow",), "trace the program's threads, but not its children"),
    Option(
        "target",
        ("--duration",),
        "count for so long, then report; an attached process is detached, a started one runs to its end uncounted",
        "SECONDS",
        seconds,
    ),
    Option("target", ("--no-io-uring",), "let io_uring_setup fail with ENOSYS, so that programs use calls that count"),
    Option(
        "report",
        ("-o",),
        "write the report to FILE instead of stderr; %p is the program's pid, %h the host, %% a % sign",
        "FILE",
        report_path,
        name="output",
    ),
    Option(
        "report",
        ("--format",),
        "summary, json or csv; by default json or csv where FILE ends so, else summary",
        "FORMAT",
        choices=("summary", "json", "csv"),
    ),
    Option(
        "report",
        ("--units",),
        "iec (KiB), si (kB) or raw (bytes) in a summary; default iec",
        "UNITS",
        choices=("iec", "si", "raw"),
    ),
    Option(
        "report",
        ("--color",),
        "auto (a terminal, and NO_COLOR is not set), always or never",
        "WHEN",
        choices=("auto", "always", "never"),
    ),
    Option("report", ("--quiet", "-q"), "no report on stderr; a FILE is written still"),
    Option("report", ("--interval",), "say the totals on stderr every so many seconds", "SECONDS", seconds),
    Option(
        "report",
        ("--max-sockets",),
        "remember N sockets; beyond, closed ones become one row for each peer's host; default 100000",
        "N",
        count,
    ),
    Option(
        "engine",
        ("--engine",),
        "native (the C core) or reference (python-ptrace: slow, one process; to learn from)",
        "ENGINE",
        choices=("native", "reference"),
    ),
    Option(
        "engine",
        ("--seccomp",),
        "auto, on or off: a seccomp filter lets calls that are not watched run at full speed",
        "WHEN",
        choices=("auto", "on", "off"),
    ),
    Option("other", ("--demo",), "trace a small built-in server with five clients"),
    Option("other", ("--version",), "print the version"),
    Option("other", ("--help", "-h"), "print this help"),
)
BY_FLAG = {flag: option for option in TABLE for flag in option.flags}
