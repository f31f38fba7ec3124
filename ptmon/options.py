# SPDX-License-Identifier: GPL-2.0-or-later
"""The options: ONE table, of which command_line.py makes the parser and the help, manual.py the man page, and
completion/ what shells complete.
"""

from __future__ import annotations

from collections.abc import Callable

from ptmon.defaults import FAST, FAST_AFTER, MAX_CLIENTS, MAX_SOCKETS, NAMES, SECCOMP, SNAPLEN, SORTS, TOP
from ptmon.formats import EVENTS, REPORTS, default, listed
from ptmon.frozen import dataclass
from ptmon.option_values import (
    Address,
    address,
    collector,
    count,
    factor,
    file_name,
    path_pattern,
    path_to_read,
    program_name,
    report_file,
    seconds,
    size,
    snaplen,
    stops,
    targets,
    words,
)
from ptmon.static import Any


class Option:
    """One row of the table. (No record of ptmon.frozen: to make that takes a while at each start.)

    ``dest``: the field of Options. ``flags``: long forms first, as help shows them. ``metavar`` None: a switch that
    takes no value. ``convert``: raises ValueError with what is wrong about a value. ``numbers``: words behind its value
    that are numbers are values of it, too: ``-p $(pgrep nginx)``. ``files``: so are all up to the next option:
    ``--merge r-*.json``. ``default``: the value of an option that is given
    without one; a value then comes only behind a ``=``.
    """

    __slots__ = (
        "choices", "convert", "default", "dest", "files", "flags", "group", "help", "metavar", "numbers", "repeatable"
    )  # fmt: skip

    def __init__(
        self,
        dest: str,
        group: str,
        flags: tuple[str, ...],
        help: str,
        metavar: str | None = None,
        convert: Callable[[str], Any] = str,
        choices: tuple[str, ...] = (),
        repeatable: bool = False,
        numbers: bool = False,
        default: str | None = None,
        files: bool = False,
    ) -> None:
        self.dest = dest
        self.group = group
        self.flags = flags
        self.help = help
        self.metavar = metavar
        self.convert = convert
        self.choices = choices
        self.repeatable = repeatable
        self.numbers = numbers
        self.default = default
        self.files = files

    def keyword(self, options: Options) -> tuple[str, Any]:
        """The option's name and value in the Python API, where ``--no-follow`` is ``follow=False``."""
        value = getattr(options, self.dest)
        return (self.dest[3:], not value) if self.dest.startswith("no_") else (self.dest, value)


_rows: list[tuple[tuple[Any, ...], dict[str, Any]]] = []


def option(value: Any, group: str, flags: tuple[str, ...], help: str, *more: Any, **named: Any) -> Any:
    """A row of the table: a field of Options, ``value`` where the option is not given; the rest is as in Option."""
    _rows.append(((group, flags, help, *more), named))
    return value


@dataclass(frozen=True, slots=True)
class Options:
    """A command line, read: the rows of the table, and ``command``.

    One that has the name of a field of EngineSettings is handed to the engine as that field.
    """

    attach: tuple[int | str, ...] = option(
        (),
        "target",
        ("--attach", "-p"),
        "attach to running processes, their threads, their children and theirs; Ctrl-C detaches, they run on; by"
        " process id, or by name: all that run that program (repeatable)",
        "PID|NAME[,...]",
        targets,
        repeatable=True,
        numbers=True,
    )
    """Process ids, and names of programs that run."""
    wait: str | None = option(
        None,
        "target",
        ("--wait",),
        "wait until a program of this file name (or path) is executed by anyone whom ptmon may trace, then attach",
        "NAME",
        program_name,
    )
    replay: str | None = option(
        None,
        "target",
        ("--replay",),
        "trace nothing: read a recording (--record), and tell what is asked for of that run; exit status 1 where a part"
        " of it is missing",
        "FILE",
    )
    speed: float | None = option(
        None,
        "target",
        ("--speed",),
        "replay so many times as fast as it went, for --live and --serve; by default at once",
        "FACTOR",
        factor,
    )
    merge: tuple[str, ...] = option(
        (),
        "target",
        ("--merge",),
        "trace nothing: make one report of many, of JSON reports and recordings of several hosts or ranks; exit status"
        " 1 where a file is damaged or no report, which is then left out",
        "FILE...",
        path_to_read,
        repeatable=True,
        files=True,
    )
    diff: tuple[str, ...] = option(
        (),
        "target",
        ("--diff",),
        "trace nothing: tell on stdout how two JSON reports or recordings differ, in all, by program, by peer and by"
        " call; --format is summary or json",
        "FILE FILE",
        path_to_read,
        repeatable=True,
        files=True,
    )
    only: str | None = option(
        None,
        "target",
        ("--only",),
        "count only processes whose executable's file name is NAME, from its execve on",
        "NAME",
        file_name,
    )
    no_follow: bool = option(
        False,
        "target",
        ("--no-follow",),
        "trace threads, but no children: neither new ones nor those that are there",
    )
    duration: float | None = option(
        None,
        "target",
        ("--duration",),
        "count for so long, then report; an attached process is detached, a started one runs to its end uncounted",
        "SECONDS",
        seconds,
    )
    limit: int | None = option(
        None,
        "target",
        ("--limit",),
        "end the program (SIGTERM, SIGKILL two seconds later) when it has sent and received more than SIZE together, as"
        " 10MB or 1GiB, and exit with 124; an attached process is detached; looked at ten times a second",
        "SIZE",
        size,
    )
    no_io_uring: bool = option(
        False,
        "target",
        ("--no-io-uring",),
        "let io_uring_setup fail with ENOSYS, so that programs use calls that count",
    )
    output: str | None = option(
        None,
        "report",
        ("-o",),
        "write the report to FILE instead of stderr; - is stdout, %p is the program's pid, %h the host, %r the rank of"
        " an MPI or batch job's process (0 if it is none), %% a % sign",
        "FILE",
        report_file,
    )
    format: str | None = option(
        None,
        "report",
        ("--format",),
        f"{listed(REPORTS, 'or')}; by default {listed([*REPORTS][1:], 'or')} where FILE ends so,"
        f" else {default(REPORTS)}",
        "FORMAT",
        choices=tuple(REPORTS),
    )
    record: str | None = option(
        None,
        "report",
        ("--record",),
        "keep the whole run in FILE, of which --replay makes each other output later; %p is the program's pid, %h the"
        " host, %r the rank, %% a % sign; nobody else may read it, for the first bytes of connections may be in it",
        "FILE",
        path_pattern,
    )
    html: str | None = option(
        None,
        "report",
        ("--html",),
        "write the report as a page for browsers to FILE, too; - is stdout, %p is the program's pid, %h the host, %r"
        " the rank, %% a % sign",
        "FILE",
        path_pattern,
    )
    units: str = option(
        "iec",
        "report",
        ("--units",),
        "iec (KiB), si (kB) or raw (bytes) in a summary; default iec",
        "UNITS",
        choices=("iec", "si", "raw"),
    )
    color: str = option(
        "auto",
        "report",
        ("--color",),
        "auto (a terminal, and NO_COLOR is not set), always or never",
        "WHEN",
        choices=("auto", "always", "never"),
    )
    quiet: bool = option(False, "report", ("--quiet", "-q"), "no report on stderr; a FILE is written still")
    top: int | None = option(
        None,
        "report",
        ("--top",),
        f"show so many sockets, peers and connections in a summary; default {TOP}",
        "N",
        count,
    )
    sort: str | None = option(
        None,
        "report",
        ("--sort",),
        "order sockets and peers by sent, received (bytes), calls or duration, the most first; by default all bytes;"
        " with duration TCP connections have a table of their times, too",
        "KEY",
        choices=SORTS,
    )
    names: str = option(
        NAMES[0],
        "report",
        ("--names",),
        "auto or off: give peers the names that the program was told (by DNS, nscd or systemd-resolved) or calls them"
        " itself (HTTP, TLS); nobody is asked",
        "WHEN",
        choices=NAMES,
    )
    interval: float | None = option(
        None,
        "report",
        ("--interval",),
        "say the totals every so many seconds: on stderr, or in the log if there is one, in its format",
        "SECONDS",
        seconds,
    )
    max_sockets: int = option(
        MAX_SOCKETS,
        "report",
        ("--max-sockets",),
        f"remember N sockets; beyond, closed ones become one row for each peer's host; default {MAX_SOCKETS}",
        "N",
        count,
    )
    log: str | None = option(
        None,
        "events",
        ("--log",),
        "write a line for each event (exec, clone, exit, socket, close, send, receive ...) to stderr or to FILE; - is"
        " stdout",
        "[=FILE]",
        path_pattern,
        default="",
    )
    log_format: str | None = option(
        None,
        "events",
        ("--log-format",),
        listed([f"{name} ({row.about})" for name, row in EVENTS.items()], "or"),
        "FORMAT",
        choices=tuple(EVENTS),
    )
    trace: tuple[str, ...] = option(
        (),
        "events",
        ("--trace",),
        "tell enter and return of these system calls too, with their arguments; %network, %process and %file are"
        " classes; on stderr, if no other option says where events go (repeatable)",
        "NAME[,NAME]",
        words,
        repeatable=True,
    )
    capture: str | None = option(
        None,
        "events",
        ("--capture",),
        "write what calls send and receive to FILE as packets, which Wireshark opens (pcapng); such calls stop; %p is"
        " the program's pid, %h the host, %% a % sign; nobody else may read it",
        "FILE",
        path_pattern,
    )
    dump: bool = option(
        False,
        "events",
        ("--dump",),
        "tell what calls send and receive on stderr, as hexdump -C shows bytes; such calls stop",
    )
    snaplen: int | None = option(
        None,
        "events",
        ("--snaplen",),
        f"capture and dump SIZE bytes of each call at most, as 512 or 1MiB; default {SNAPLEN}",
        "SIZE",
        snaplen,
    )
    syslog: str | None = option(
        None,
        "events",
        ("--syslog",),
        "send the events to syslog: /dev/log, another socket's path, udp://HOST:PORT or tcp://HOST:PORT",
        "[=ADDRESS]",
        default="/dev/log",
    )
    hooks: tuple[str, ...] = option(
        (),
        "events",
        ("--hooks",),
        "run the functions that FILE.py marks with @ptmon.hook around the system calls that they name (repeatable)",
        "FILE.py",
        repeatable=True,
    )
    deny: tuple[str, ...] = option(
        (),
        "events",
        ("--deny",),
        "let a system call fail: NAME[:WHAT][=ERRNO], as ptrace=EPERM, connect:global, connect:10.0.0.0/8,"
        " socket:netlink (repeatable)",
        "RULE",
        repeatable=True,
    )
    allow: tuple[str, ...] = option(
        (),
        "events",
        ("--allow",),
        "let nobody be reached but who is named: connect:10.0.0.0/8, connect:private, sendto:192.0.2.1, or @FILE with"
        " a rule a line; the loopback, unix sockets and netlink are free without it (repeatable)",
        "RULE|@FILE",
        repeatable=True,
    )
    learn: str | None = option(
        None,
        "events",
        ("--learn",),
        "refuse nothing, and write to FILE the rules with which --allow @FILE would not have either; - is stdout, %p is"
        " the program's pid, %h the host, %r the rank, %% a % sign",
        "FILE",
        path_pattern,
    )
    serve: Address | None = option(
        None,
        "server",
        ("--serve",),
        "send the events to clients (telnet, nc) that connect to this port; HOST is 127.0.0.1 by default",
        "[HOST:]PORT",
        address,
    )
    max_clients: int = option(
        MAX_CLIENTS,
        "server",
        ("--max-clients",),
        f"serve N clients at a time; default {MAX_CLIENTS}",
        "N",
        count,
    )
    wait_client: bool = option(False, "server", ("--wait-client",), "start the program when the first client is there")
    serve_token_file: str | None = option(
        None,
        "server",
        ("--serve-token-file",),
        "ask each client for the word in FILE, as its first line; needed where HOST is not a loopback address",
        "FILE",
    )
    serve_cert: str | None = option(
        None,
        "server",
        ("--serve-cert",),
        "serve by TLS with the certificate chain in FILE (PEM)",
        "FILE",
    )
    serve_key: str | None = option(
        None,
        "server",
        ("--serve-key",),
        "the certificate's key (PEM); default: it is in the certificate's file",
        "FILE",
    )
    metrics: Address | None = option(
        None,
        "server",
        ("--metrics",),
        "answer Prometheus at this port (/metrics): bytes, calls, errors, sockets and connects by program, transport"
        " and scope; HOST is 127.0.0.1 by default; needs ptmon[metrics]",
        "[HOST:]PORT",
        address,
    )
    metrics_file: str | None = option(
        None,
        "server",
        ("--metrics-file",),
        "write the same to FILE every five seconds and at the end, for node_exporter's textfile collector",
        "FILE",
    )
    metrics_label: tuple[str, ...] = option(
        (),
        "server",
        ("--metrics-label",),
        "pid: a series for each process, too",
        "LABEL",
        choices=("pid",),
        repeatable=True,
    )
    otlp: str | None = option(
        None,
        "server",
        ("--otlp",),
        "send process.network.io, and connections as log records, to an OpenTelemetry collector: to URL, or where"
        " OTEL_EXPORTER_OTLP_ENDPOINT says, by default http://localhost:4318; needs ptmon[otlp]",
        "[=URL]",
        collector,
        default="",
    )
    live: bool = option(
        False,
        "view",
        ("--live",),
        "show totals, rates, processes, connections and calls on the terminal while the program runs, its output below"
        " them; ? tells the keys",
    )
    connect: Address | None = option(
        None,
        "view",
        ("--connect",),
        "the same view of what another ptmon counts, that serves its events at this port (--serve; its token:"
        " --serve-token-file)",
        "[HOST:]PORT",
        address,
    )
    engine: str = option(
        "native",
        "engine",
        ("--engine",),
        "native (the C core) or reference (python-ptrace: slow, one process; to learn from)",
        "ENGINE",
        choices=("native", "reference"),
    )
    explain: bool = option(
        False,
        "engine",
        ("--explain",),
        "tell on stderr, step by step, what a tracer does, with the man page of each step; by the reference engine",
    )
    explain_step: bool = option(
        False, "engine", ("--explain-step",), "as --explain, and wait for Enter at each step, on the terminal"
    )
    seccomp: str = option(
        SECCOMP[0],
        "engine",
        ("--seccomp",),
        "auto, on or off: a seccomp filter lets calls that are not watched run at full speed",
        "WHEN",
        choices=SECCOMP,
    )
    fast: str = option(
        FAST[0],
        "engine",
        ("--fast",),
        "auto or off: count inside the program, without stops, where its code is known",
        "WHEN",
        choices=FAST,
    )
    fast_after: int = option(
        FAST_AFTER,
        "engine",
        ("--fast-after",),
        f"so many stops of a process before its calls are counted inside of it; default {FAST_AFTER}",
        "STOPS",
        stops,
    )
    fast_explain: bool = option(
        False,
        "engine",
        ("--fast-explain",),
        "tell at the end, on stderr, which instructions of the program make system calls, which of them were replaced"
        " to count inside, and why others were not",
    )
    demo: bool = option(
        False,
        "other",
        ("--demo",),
        "trace a small built-in server with five clients, its events and its report",
    )
    doctor: str | None = option(
        None,
        "other",
        ("--doctor",),
        "try what ptmon needs, and say what works here, what does not, why, and what to do; text or json, on stdout;"
        " exit status 1 where no program can be launched",
        "[=FORMAT]",
        choices=("text", "json"),
        default="text",
    )
    print_completion: str | None = option(
        None,
        "other",
        ("--print-completion",),
        "print the completion for bash, zsh or fish; the ones that were installed come of themselves",
        "SHELL",
        choices=("bash", "zsh", "fish"),
    )
    version: bool = option(False, "other", ("--version", "-V"), "print the version")
    help: bool = option(False, "other", ("--help", "-h"), "print this help")
    command: tuple[str, ...] = ()


TABLE = tuple(
    Option(name, *row, **named) for name, (row, named) in zip(Options.__match_args__[:-1], _rows, strict=True)
)
BY_FLAG = {flag: option for option in TABLE for flag in option.flags}
