# SPDX-License-Identifier: GPL-2.0-or-later
"""What the work is done under."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from benchmarks import tells
from benchmarks.tells import Traffic
from benchmarks.workloads import TREE, Speed

PTMON = str(Path(sys.executable).with_name("ptmon"))
STRACE_PY = str(Path(sys.executable).with_name("strace.py"))
"""python-ptrace's own tracer; its wheel puts it beside python."""
REPORT = ("-q", "-o", "$folder/report.json", "--format", "json")
NO_FAST = "this ptmon has no --fast"
SERVERS = frozenset({"nginx", "nginx_connect", "redis"})
PROCESSES = TREE | {"compile", "fork_exec", "shell_loop"}
ONE_THREAD = SERVERS | PROCESSES | {"ping_pong_threads", "tcp_stream"}
"""What a slow tool can't do that traces one thread of one process."""
ATTACHES = frozenset({"start_up", "shell_loop"})
"""What a tool can't do that attaches: its own start is in the time."""

BPFTRACE = """
tracepoint:syscalls:sys_exit_sendto, tracepoint:syscalls:sys_exit_sendmsg, tracepoint:syscalls:sys_exit_write,
tracepoint:syscalls:sys_exit_writev, tracepoint:syscalls:sys_exit_sendfile64
/pid == $pid && args->ret > 0/ { @sent = sum(args->ret); }
tracepoint:syscalls:sys_exit_recvfrom, tracepoint:syscalls:sys_exit_recvmsg, tracepoint:syscalls:sys_exit_read,
tracepoint:syscalls:sys_exit_readv
/pid == $pid && args->ret > 0/ { @received = sum(args->ret); }
interval:ms:100 /@told == 0/ { @told = 1; printf("attached\\n"); }
"""
"""Probes are attached in this order: when the last one runs, all do. BEGIN would run before any is."""
SYSDIG = "evt.dir=< and evt.is_io=true and evt.rawres>0 and (proc.pid=$pid or proc.pid=$self)"
TRACEE = "read,readv,write,writev,sendto,sendmsg,recvfrom,recvmsg,sendfile"
"""These two do not say when they are ready. They are once they tell of us, who read their output to find that."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One row of the table."""

    name: str
    title: str
    words: tuple[str, ...]
    """Before the program's own, or, if it attaches, all. $folder, $pid, $shim and $self (us) are filled in."""
    about: str = ""
    """What it does, in a line."""
    speed: Speed = Speed.FULL
    speeds: Mapping[str, Speed] = field(default_factory=dict)
    """Of workloads at which it is faster or slower than elsewhere."""
    environment: Mapping[str, str] = field(default_factory=dict)
    tells: Callable[[Path], Traffic] | None = None
    """Reads the tool's files in the folder of a run. None: it tells no bytes."""
    only: frozenset[str] = frozenset()
    """The workloads that it does; empty: all."""
    cannot: frozenset[str] = frozenset()
    why_not: str = ""
    """Why it does not do all workloads, in words."""
    attached_when: str = ""
    """It attaches: "held", as TracerPid tells, or it prints this. Otherwise it starts the program."""
    trial: tuple[str, ...] = ()
    """A command that shows whether the tool may be used here."""
    program: str = ""
    """The tool's own, if the trial begins with another."""
    needs_root: bool = False
    missing: str = ""
    given: bool = False
    """By the user (--tool): the words stay as they are."""
    after: tuple[str, ...] = ()
    """After the program's own words."""

    def speed_at(self, workload: str) -> Speed | None:
        if workload in self.cannot or (self.only and workload not in self.only):
            return None
        return self.speeds.get(workload, self.speed)

    def command(self, folder: Path, shim: Path, pid: int = 0) -> list[str]:
        if self.given:
            return list(self.words)
        values = {"folder": folder, "pid": pid, "shim": shim, "self": os.getpid()}
        return [Template(word).safe_substitute(values) for word in self.words]

    def surroundings(self, folder: Path, shim: Path) -> dict[str, str]:
        values = {"folder": folder, "shim": shim}
        return {name: Template(value).safe_substitute(values) for name, value in self.environment.items()}

    def shown(self) -> str:
        """The command as the JSON tells it: without this machine's paths, but for those that a user has given."""
        if self.given:
            return " ".join([shlex.join(self.words), "{}", shlex.join(self.after)]).strip()
        words = [Path(word).name if word in (PTMON, STRACE_PY) else word for word in self.words]
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        return " ".join([*settings, *words])


def has_fast() -> bool:
    """Whether the installed ptmon knows --fast."""
    try:
        return "--fast" in subprocess.run([PTMON, "--help"], capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False


def all_tools(fast: bool) -> tuple[Tool, ...]:
    """``fast``: ptmon has the option."""
    native = Tool("native", "native", (), "the program alone: what all others are compared with")
    return (native, _shim(), *_ptmon(fast), *_strace(), *_root(), _python_ptrace())


def _shim() -> Tool:
    environment = {"LD_PRELOAD": "$shim", "SHIM_FILE": "$folder/shim"}
    about = "counts in the C library's functions, by LD_PRELOAD (benchmarks/shim.c)"
    return Tool("shim", "LD_PRELOAD shim", (), about, environment=environment, tells=tells.shim_file)


def _ptmon(fast: bool) -> tuple[Tool, ...]:
    auto = ("--fast", "auto") if fast else ()
    off = ("--fast", "off") if fast else ()
    missing = "" if fast else NO_FAST
    full = Speed.FULL if fast else Speed.STOPS
    # What has no socket does not stop.
    filtered = dict.fromkeys(("unwatched", *TREE), Speed.FULL)
    log = ("-q", "--log=$folder/events.jsonl", "--log-format", "jsonl")
    report = tells.ptmon_report
    trial = (PTMON, "-q", "--", "true")
    return (
        Tool(
            "ptmon-fast",
            "ptmon PROGRAM",
            (PTMON, *REPORT, *auto, "--"),
            "ptmon starts the program: what one gets",
            full,
            filtered,
            tells=report,
            trial=trial,
            missing=missing,
        ),
        Tool(
            "ptmon-attach",
            "ptmon --attach",
            (PTMON, *REPORT, *auto, "--attach", "$pid"),
            "ptmon attaches to the program, which runs already",
            full,
            tells=report,
            cannot=ATTACHES,
            why_not="it starts nothing, so its own start can't be in the time",
            attached_when="held",
            trial=trial,
            missing=missing,
        ),
        Tool(
            "ptmon-log",
            "ptmon, every event",
            (PTMON, *log, *auto, "--"),
            "ptmon writes a line for each event into a log (--log)",
            Speed.LINES if fast else Speed.STOPS,
            filtered,
            tells=tells.ptmon_events,
            trial=trial,
            missing=missing,
        ),
        Tool(
            "ptmon-stops", "ptmon --fast off", (PTMON, *REPORT, *off, "--"), "ptmon stops at each call (--fast off)",
            Speed.STOPS, filtered, tells=report, trial=trial,
        ),
        Tool(
            "ptmon-reference",
            "ptmon reference",
            (PTMON, *REPORT, "--engine", "reference", "--"),
            "ptmon's engine in readable Python (--engine reference)",
            Speed.SLOW,
            tells=report,
            cannot=ONE_THREAD,
            why_not="it traces one thread of one process, and is too slow for a server",
            trial=trial,
        ),
    )  # fmt: skip


def _strace() -> tuple[Tool, ...]:
    passed_over = {"unwatched": Speed.FULL, "file_read": Speed.FULL}
    network = ("--seccomp-bpf", "-c", "-e", "trace=%network")
    trial = ("strace", "-o", "/dev/null", "true")
    return (
        Tool(
            "strace",
            "strace -c",
            ("strace", "-o", "$folder/summary", "-f", "-c", "--"),
            "strace counts all calls, but no bytes",
            Speed.STOPS,
            trial=trial,
        ),
        Tool(
            "strace-network",
            "strace -c %network",
            ("strace", "-o", "$folder/summary", "-f", *network, "--"),
            "strace counts network calls alone (--seccomp-bpf), but no bytes",
            Speed.STOPS,
            passed_over,
            trial=trial,
        ),
        Tool(
            "strace-log",
            "strace, every call",
            ("strace", "-o", "$folder/calls", "-f", "--"),
            "strace writes a line for each call",
            Speed.STOPS,
            tells=tells.call_log,
            only=frozenset({"ping_pong", "ping_pong_threads"}),
            why_not="its lines are added up at ping-pong alone",
            trial=trial,
        ),
    )


def _root() -> tuple[Tool, ...]:
    return (
        Tool(
            "perf",
            "perf trace -s",
            ("perf", "trace", "-s", "-o", "$folder/summary", "--"),
            "perf counts calls, but no bytes; needs root",
            Speed.STOPS,
            trial=("perf", "trace", "-s", "--", "true"),
            needs_root=True,
        ),
        Tool(
            "bpftrace",
            "bpftrace",
            ("bpftrace", "-e", BPFTRACE),
            "eBPF adds up in the kernel what calls return; needs root",
            tells=tells.bpftrace_maps,
            cannot=ATTACHES,
            why_not="it starts nothing, so its own start can't be in the time",
            attached_when="attached",
            trial=("bpftrace", "-e", "tracepoint:syscalls:sys_exit_sendto { exit(); } interval:ms:1 { exit(); }"),
            needs_root=True,
        ),
        Tool(
            "sysdig",
            "sysdig",
            ("sysdig", "--unbuffered", "-p", "%evt.is_io_read %evt.rawres", SYSDIG),
            "sysdig writes a line for each transfer, by a kernel module; needs root; its lines are not added up",
            Speed.LINES,
            cannot=ATTACHES,
            why_not="it starts nothing, so its own start can't be in the time",
            attached_when="true",
            trial=("sysdig", "-n", "1"),
            needs_root=True,
        ),
        Tool(
            "tracee",
            "tracee",
            ("tracee", "--scope", "pid=$pid,$self", "--events", TRACEE),
            "tracee writes a line for each transfer, by eBPF; needs root; its lines are not added up",
            Speed.LINES,
            cannot=ATTACHES,
            why_not="it starts nothing, so its own start can't be in the time",
            attached_when="read",
            trial=("timeout", "--preserve-status", "-s", "INT", "10", "tracee", "--events", "sched_process_exec"),
            program="tracee",
            needs_root=True,
        ),
    )


def _python_ptrace() -> Tool:
    return Tool(
        "python-ptrace",
        "python-ptrace",
        (STRACE_PY, "-o", "$folder/calls", "--"),
        "python-ptrace's tracer, strace.py, writes a line for each call",
        Speed.SLOW,
        tells=tells.call_log,
        cannot=ONE_THREAD,
        why_not="it follows no threads, polls two processes with sleeps of up to 0.5 s, is too slow for a server",
        trial=(STRACE_PY, "-o", "/dev/null", "--", "/bin/true"),
    )
