# SPDX-License-Identifier: GPL-2.0-or-later
"""The parser and the help, made from the table of options.

Options end at the first word that is not one, so ``ptmon curl -s URL`` needs no ``--``.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ptmon.errors import (
    EXIT_INCOMPLETE,
    EXIT_LIMIT,
    EXIT_NOT_EXECUTABLE,
    EXIT_NOT_FOUND,
    EXIT_OWN,
    EXIT_USAGE,
    UsageError,
)
from ptmon.formats import event_format, report_format
from ptmon.options import BY_FLAG, TABLE, Option, Options
from ptmon.static import Any
from ptmon.text import did_you_mean

USAGE = (
    "ptmon [OPTIONS] [--] PROGRAM [ARG...]",
    "ptmon [OPTIONS] --attach PID|NAME[,PID|NAME]...",
    "ptmon [OPTIONS] --wait NAME",
    "ptmon [OPTIONS] --replay FILE",
    "ptmon [OPTIONS] --merge FILE... | --diff FILE FILE",
    "ptmon --connect [HOST:]PORT",
    "ptmon --demo | --doctor | --version | --help | --print-completion SHELL",
)
ABOUT = "Tells what a program sends and receives: payload bytes by process, thread, socket, peer and system call."
OWN_STATUS = "the program's own (ptmon dies by the signal that killed it)"
STATUSES = {
    0: "after an attach, a replay, --merge or --diff",
    EXIT_INCOMPLETE: "a part of a replayed recording, or a file of --merge, is missing",
    EXIT_LIMIT: "--limit is passed",
    EXIT_NOT_FOUND: "program not found",
    EXIT_NOT_EXECUTABLE: "not executable",
    EXIT_OWN: "ptmon's own errors",
    EXIT_USAGE: "wrong usage",
}
ENVIRONMENT = {
    "PTMON_DEBUG=stops,patch,ring,sockets": "(some of them, or all) tell on stderr, when all is over, what ptmon did"
    " itself",
    "NO_COLOR": "see --color",
}


def parse(words: Sequence[str]) -> Options:
    """Reads a command line without the program's name (``sys.argv[1:]``). Raises UsageError."""
    values: dict[str, Any] = {}
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            _long(word, rest, values)
        else:
            _short(word, rest, values)
    options = Options(**_implied(values), command=tuple(rest))
    _check(options)
    return options


def _implied(values: dict[str, Any]) -> dict[str, Any]:
    """What is told goes to stderr if nothing says where else. The demo shows what ptmon sees."""
    _events_by_name(values)
    if values.get("demo"):
        return {"log": "", "log_format": "dmesg", **values}
    if values.get("explain_step"):
        values = {**values, "explain": True}
    if values.get("explain"):
        values = {"engine": "reference", **values}
    if values.get("trace") and "serve" not in values and "syslog" not in values:
        return {"log": "", **values}
    return values


def _events_by_name(values: dict[str, Any]) -> None:
    """-o FILE of a name that promises events is a log, and no report. A log has the form that its name says."""
    output = values.get("output")
    if event_format(output) is not None and "format" not in values:
        if values.get("log"):
            raise UsageError(f"-o {output} and --log={values['log']} are two logs")
        del values["output"]
        values.update(log=output, quiet=True)
    form = event_format(values.get("log"))
    if form is not None:
        values.setdefault("log_format", form)


def _long(word: str, rest: list[str], values: dict[str, Any]) -> None:
    flag, equals, value = word.partition("=")
    option = BY_FLAG.get(flag)
    if option is None:
        raise UsageError(f"there is no option {flag}{did_you_mean(flag, BY_FLAG, 0.75)}")
    if option.metavar is None:
        if equals:
            raise UsageError(f"{flag} takes no value")
        values[option.dest] = True
    elif equals:
        _store(option, flag, value, values)
    elif option.default is not None:
        values[option.dest] = option.default
    else:
        _store(option, flag, _next(flag, option, rest), values)
        _store_numbers(option, flag, rest, values)


def meant(words: Sequence[str], error: str) -> str:
    """``; did you mean …?`` where the program that is not there, as an error says, may be an option's value."""
    for flag, behind in itertools.pairwise(words):
        option = BY_FLAG.get(flag)
        if option is not None and option.default is not None and error.startswith(f"{behind}: "):
            return f"; did you mean {flag}={behind}?"
    return ""


def _short(word: str, rest: list[str], values: dict[str, Any]) -> None:
    """``-q``, ``-p 7``, ``-p7``, ``-qp7``."""
    letters = word[1:]
    while letters:
        flag, letters = f"-{letters[0]}", letters[1:]
        option = BY_FLAG.get(flag)
        if option is None:
            raise UsageError(f"there is no option {flag}")
        if option.metavar is None:
            values[option.dest] = True
        else:
            _store(option, flag, letters or _next(flag, option, rest), values)
            _store_numbers(option, flag, rest, values)
            return


def _store_numbers(option: Option, flag: str, rest: list[str], values: dict[str, Any]) -> None:
    while rest and _belongs(option, rest[0]):
        _store(option, flag, rest.pop(0), values)


def _belongs(option: Option, word: str) -> bool:
    """Whether a word behind an option's value is a value of it, too."""
    if option.numbers:
        return word.isascii() and word.isdigit()
    return option.files and not word.startswith("-")


def _next(flag: str, option: Option, rest: list[str]) -> str:
    if not rest:
        raise UsageError(f"{flag} needs a value: {option.metavar}")
    return rest.pop(0)


def _store(option: Option, flag: str, text: str, values: dict[str, Any]) -> None:
    if option.choices and text not in option.choices:
        raise UsageError(f"{flag}: {text!r} is not one of {', '.join(option.choices)}")
    try:
        value = option.convert(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {text!r} {error}") from None
    if option.repeatable:
        value = (*values.get(option.dest, ()), *(value if isinstance(value, tuple) else (value,)))
    values[option.dest] = value


def _check(options: Options) -> None:
    """What does not go together."""
    if options.help or options.version or options.print_completion:
        return
    _check_target(options)
    _check_recording(options)
    _check_merging(options)
    _check_summary(options)
    _check_events(options)
    _check_server(options)
    if options.learn is not None and options.allow:
        raise UsageError("--learn and --allow do not go together: what is refused cannot be learnt")
    if options.no_follow and options.seccomp == "on":
        raise UsageError(
            "--no-follow and --seccomp on do not go together: children inherit the filter, and without a tracer"
            " every call that it watches would fail with ENOSYS"
        )


def _check_target(options: Options) -> None:
    program = f"a program ({options.command[0]})" if options.command else ""
    targets = [
        name
        for name, given in (
            ("--attach", options.attach),
            ("--wait", options.wait),
            ("--replay", options.replay),
            ("--merge", options.merge),
            ("--diff", options.diff),
            ("--demo", options.demo),
            ("--connect", options.connect),
            ("--doctor", options.doctor),
            (program, options.command),
        )
        if given
    ]
    if not targets:
        raise UsageError("no program to start, no --attach PID and no --wait NAME: nothing to trace")
    if len(targets) > 1:
        raise UsageError(f"{targets[0]} and {targets[1]} do not go together")
    if options.command and not options.command[0]:
        raise UsageError("the program's name is empty")


TRACING = (
    "only", "no_follow", "duration", "limit", "no_io_uring", "names", "trace", "hooks", "deny", "allow", "learn",
    "record", "capture", "dump", "snaplen", "metrics", "metrics_file", "otlp", "explain", "seccomp", "fast",
    "fast_after", "fast_explain", "wait_client",
)  # fmt: skip
"""Options that say how to trace: of a run that is over nothing of that can be said any more."""


def _check_recording(options: Options) -> None:
    if options.speed is not None and options.replay is None:
        raise UsageError("--speed wants --replay FILE")
    if options.record is not None and options.engine != "native":
        raise UsageError("--record keeps what the native engine tells: leave out --engine reference")
    if options.replay is None:
        return
    standard = Options()
    for option in TABLE:
        if option.dest in TRACING and getattr(options, option.dest) != getattr(standard, option.dest):
            raise UsageError(f"--replay traces nothing: leave out {option.flags[0]}")


MERGING = ("merge", "output", "format", "html", "units", "color", "quiet", "top", "sort", "max_sockets")
COMPARING = ("diff", "output", "format", "units", "color", "top", "max_sockets")
"""Options that go with reports which are there already."""


def _check_merging(options: Options) -> None:
    if not (options.merge or options.diff):
        return
    flag, known = ("--merge", MERGING) if options.merge else ("--diff", COMPARING)
    standard = Options()
    for option in TABLE:
        if option.dest not in known and getattr(options, option.dest) != getattr(standard, option.dest):
            raise UsageError(f"{flag} traces nothing: leave out {option.flags[0]}")
    for name in (options.output, options.html):
        if "%p" in (name or "").replace("%%", ""):
            raise UsageError(f"{flag} has no program, whose pid %p in {name} would be")
    if options.diff and len(options.diff) != 2:
        raise UsageError("--diff wants two files")
    if options.diff and (shown := options.format or report_format(options.output)) not in ("summary", "json"):
        raise UsageError(f"--diff is told as a summary or as json, not as {shown}")


def _check_summary(options: Options) -> None:
    shown = options.format or report_format(options.output)
    for flag, value in (("--top", options.top), ("--sort", options.sort)):
        if value is not None and shown != "summary":
            raise UsageError(f"{flag} wants a summary; in {shown} there is everything, in the order of first use")


def _check_events(options: Options) -> None:
    captures = {"--capture": options.capture is not None, "--dump": options.dump}
    for flag, given in captures.items():
        if given and options.engine != "native":
            raise UsageError(f"{flag} tells what the native engine tells: leave out --engine reference")
    if options.snaplen is not None and not any(captures.values()):
        raise UsageError("--snaplen wants --capture FILE or --dump")
    if options.explain and options.engine != "reference":
        raise UsageError("--explain tells what the reference engine does: leave out --engine native")
    if options.log_format and options.log is None and options.interval is None:
        raise UsageError("--log-format wants --log[=FILE]")


def _check_server(options: Options) -> None:
    if options.metrics_label and options.metrics is None and options.metrics_file is None:
        raise UsageError("--metrics-label wants --metrics [HOST:]PORT or --metrics-file FILE")
    exporting = {"--metrics": options.metrics, "--metrics-file": options.metrics_file, "--otlp": options.otlp}
    for flag, given in exporting.items():
        if given is not None and options.engine != "native":
            raise UsageError(f"{flag} tells what the native engine tells: leave out --engine reference")
    if options.serve is None:
        flags = ["--wait-client", "--serve-cert", "--serve-key"]
        if options.connect is None and options.metrics is None:  # else it is the other's token, or that of --metrics
            flags.append("--serve-token-file")
        for flag in flags:
            if getattr(options, BY_FLAG[flag].dest):
                raise UsageError(f"{flag} wants --serve [HOST:]PORT")
    if options.serve_key and not options.serve_cert:
        raise UsageError("--serve-key wants --serve-cert FILE")
    if options.wait_client and not options.command:
        raise UsageError("--wait-client wants a program to start")


def help_text() -> str:
    """What --help prints, under 80 columns."""
    import textwrap

    lines = [f"{'usage:' if line is USAGE[0] else '      '} {line}" for line in USAGE]
    lines += ["", *textwrap.wrap(ABOUT, 79)]
    for group in dict.fromkeys(option.group for option in TABLE):
        lines += ["", f"{group}:"]
        for option in (row for row in TABLE if row.group == group):
            lines += _help_lines(option)
    status = ", ".join(f"{number} {meaning}" for number, meaning in STATUSES.items())
    lines += ["", *textwrap.wrap(f"Exit status: {OWN_STATUS}; {status}.", 79)]
    environment = "; ".join(f"{name}: {meaning}" for name, meaning in ENVIRONMENT.items())
    return "\n".join([*lines, "", *textwrap.wrap(f"Environment: {environment}.", 79), ""])


def _help_lines(option: Option) -> list[str]:
    import textwrap

    flags = ", ".join(sorted(option.flags, key=len))
    head = f"  {flags}{'' if option.default is not None else ' '}{option.metavar or ''}".rstrip()
    text = textwrap.wrap(option.help, 79 - 25)
    if len(head) > 23:
        return [head, *(" " * 25 + line for line in text)]
    return [f"{head:25}{text[0]}", *(" " * 25 + line for line in text[1:])]
