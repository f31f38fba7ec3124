# SPDX-License-Identifier: GPL-2.0-only
"""The options: ONE table, of which command_line.py makes the parser and the help, and which is there for whatever else
lists the options (man page, completion).
"""

from __future__ import annotations

from collections.abc import Callable

from ptmon.frozen import dataclass
from ptmon.option_values import (
    Address,
    address,
    count,
    file_name,
    path_pattern,
    program_name,
    report_file,
    seconds,
    stops,
    targets,
    words,
)
from ptmon.static import Any


@dataclass(frozen=True, slots=True)
class Options:
    """A command line, read. The fields are the ``name`` of the options in the table, and ``command``."""

    attach: tuple[int | str, ...] = ()
    """Process ids, and names of programs that run."""
    wait: str | None = None
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
    log: str | None = None
    log_format: str | None = None
    trace: tuple[str, ...] = ()
    syslog: str | None = None
    hooks: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    serve: Address | None = None
    max_clients: int = 16
    wait_client: bool = False
    serve_token_file: str | None = None
    serve_cert: str | None = None
    serve_key: str | None = None
    engine: str = "native"
    seccomp: str = "auto"
    fast: str = "auto"
    fast_after: int = 50
    fast_explain: bool = False
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
    numbers: bool = False
    """Words behind its value that are numbers are values of it, too: ``-p $(pgrep nginx)``."""
    default: str | None = None
    """The value of an option that is given without one; a value then comes only behind a ``=``."""
    name: str = ""
    """The field of Options; by default made from the first flag."""

    @property
    def dest(self) -> str:
        return self.name or self.flags[0].lstrip("-").replace("-", "_")


TABLE = (
    Option(
        "target",
        ("--attach", "-p"),
        "attach to running processes, their threads, their children and theirs; Ctrl-C detaches, they run on; by"
        " process id, or by name: all that run that program (repeatable)",
        "PID|NAME[,...]",
        targets,
        repeatable=True,
        numbers=True,
    ),
    Option(
        "target",
        ("--wait",),
        "wait until a program of this file name (or path) is executed by anyone whom ptmon may trace, then attach",
        "NAME",
        program_name,
    ),
    Option(
        "target",
        ("--only",),
        "count only processes whose executable's file name is NAME, from its execve on",
        "NAME",
        file_name,
    ),
    Option("target", ("--no-follow",), "trace threads, but no children: neither new ones nor those that are there"),
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
        "write the report to FILE instead of stderr; - is stdout, %p is the program's pid, %h the host, %% a % sign",
        "FILE",
        report_file,
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
    Option(
        "report",
        ("--interval",),
        "say the totals every so many seconds: on stderr, or in the log if there is one, in its format",
        "SECONDS",
        seconds,
    ),
    Option(
        "report",
        ("--max-sockets",),
        "remember N sockets; beyond, closed ones become one row for each peer's host; default 100000",
        "N",
        count,
    ),
    Option(
        "events",
        ("--log",),
        "write a line for each event (exec, clone, exit, socket, close, send, receive ...) to stderr or to FILE; - is"
        " stdout",
        "[=FILE]",
        path_pattern,
        default="",
    ),
    Option(
        "events",
        ("--log-format",),
        "text (for people, the default), jsonl (ptmon.event/1) or dmesg (the lines of two kernel modules that ptmon"
        " stands in for)",
        "FORMAT",
        choices=("text", "jsonl", "dmesg"),
    ),
    Option(
        "events",
        ("--trace",),
        "tell enter and return of these system calls too, with their arguments; %network, %process and %file are"
        " classes; on stderr, if no other option says where events go (repeatable)",
        "NAME[,NAME]",
        words,
        repeatable=True,
    ),
    Option(
        "events",
        ("--syslog",),
        "send the events to syslog: /dev/log, another socket's path, udp://HOST:PORT or tcp://HOST:PORT",
        "[=ADDRESS]",
        default="/dev/log",
    ),
    Option(
        "events",
        ("--hooks",),
        "run the functions that FILE.py marks with @ptmon.hook around the system calls that they name (repeatable)",
        "FILE.py",
        repeatable=True,
    ),
    Option(
        "events",
        ("--deny",),
        "let a system call fail: NAME[:WHAT][=ERRNO], as ptrace=EPERM, connect:global, connect:10.0.0.0/8,"
        " socket:netlink (repeatable)",
        "RULE",
        repeatable=True,
    ),
    Option(
        "server",
        ("--serve",),
        "send the events to clients (telnet, nc) that connect to this port; HOST is 127.0.0.1 by default",
        "[HOST:]PORT",
        address,
    ),
    Option("server", ("--max-clients",), "serve N clients at a time; default 16", "N", count),
    Option("server", ("--wait-client",), "start the program when the first client is there"),
    Option(
        "server",
        ("--serve-token-file",),
        "ask each client for the word in FILE, as its first line; needed where HOST is not a loopback address",
        "FILE",
    ),
    Option("server", ("--serve-cert",), "serve by TLS with the certificate chain in FILE (PEM)", "FILE"),
    Option("server", ("--serve-key",), "the certificate's key (PEM); default: it is in the certificate's file", "FILE"),
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
    Option(
        "engine",
        ("--fast",),
        "auto or off: count inside the program, without stops, where its code is known",
        "WHEN",
        choices=("auto", "off"),
    ),
    Option(
        "engine",
        ("--fast-after",),
        "so many stops of a process before its calls are counted inside of it; default 50",
        "STOPS",
        stops,
    ),
    Option(
        "engine",
        ("--fast-explain",),
        "tell at the end, on stderr, which instructions of the program make system calls, which of them were replaced"
        " to count inside, and why others were not",
    ),
    Option("other", ("--demo",), "trace a small built-in server with five clients, its events and its report"),
    Option("other", ("--version", "-V"), "print the version"),
    Option("other", ("--help", "-h"), "print this help"),
)
BY_FLAG = {flag: option for option in TABLE for flag in option.flags}
