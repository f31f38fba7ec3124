# SPDX-License-Identifier: GPL-2.0-or-later
"""Probes of where ptmon runs: kernel, parts that are installed, capabilities, container, /proc, other tools."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

from ptmon import explain
from ptmon.doctor.probing import LIMITED, MISSING, OK, Answer, ProbeError

MACHINES = ("x86_64", "aarch64")
HINTS = (
    ("/.dockerenv", "Docker"),
    ("/run/.containerenv", "Podman"),
    ("/run/systemd/container", "a container"),
    ("/var/run/secrets/kubernetes.io", "Kubernetes"),
)


def machine() -> Answer:
    """The kernel and the machine. What is too old for ptmon is found by the probes of what it lacks."""
    name = os.uname()
    said = f"{name.sysname} {name.release} on {name.machine}, Python {sys.version.split()[0]}"
    if name.sysname != "Linux" or name.machine not in MACHINES:
        return Answer(MISSING, said, f"ptmon is for Linux on {' and '.join(MACHINES)}")
    return Answer(OK, said)


def core() -> Answer:
    """Loads the C core."""
    importlib.import_module("ptmon.engines.boundary")
    return Answer(OK, "the C core (ptmon._native) was loaded")


def reference() -> Answer:
    """Loads python-ptrace, of which the reference engine is made."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("ptrace.binding.func")
    return Answer(OK, "python-ptrace was loaded, for --engine reference")


def capabilities() -> Answer:
    """Whose processes may be traced."""
    ranges = Path("/proc/self/uid_map").read_text().split()
    inside = "" if ranges == ["0", "0", "4294967295"] else ", in a user namespace: for processes of that one alone"
    if _may_trace_all():
        return Answer(OK, f"CAP_SYS_PTRACE{inside}")
    remedy = "run ptmon as root for other users' processes, or with --cap-add=SYS_PTRACE in a container"
    return Answer(LIMITED, "no CAP_SYS_PTRACE: ptmon may trace processes of its own user alone", remedy)


def _may_trace_all() -> bool:
    return bool(int(explain.status("self").get("CapEff", "0"), 16) >> explain.CAP_SYS_PTRACE & 1)


def yama() -> Answer:
    """What Yama's ptrace_scope says; what that means in truth the probe of an attach finds out."""
    try:
        scope = int(explain.YAMA.read_text())
    except FileNotFoundError:
        return Answer(OK, "this kernel has no Yama")
    if not scope:
        return Answer(OK, "ptrace_scope is 0: whoever may signal a process may attach to it")
    if scope < 3 and _may_trace_all():
        return Answer(OK, f"ptrace_scope is {scope}, but does not bind who has CAP_SYS_PTRACE")
    said, _, remedy = explain.YAMA_SCOPES.get(scope, f"ptrace_scope is {scope}").partition("; ")
    return Answer(MISSING if scope == 3 else LIMITED, said, remedy)


def container() -> Answer:
    """Hints that this is a container, and whether somebody's seccomp filter is on ptmon already."""
    hints = [f"{name} ({path} is there)" for path, name in HINTS if os.path.exists(path)]
    where = " and ".join(hints) or "no hint of one"
    if explain.status("self").get("Seccomp", "0") == "0":
        return Answer(OK, f"{where}, and no seccomp filter on ptmon")
    return Answer(
        LIMITED,
        f"{where}; a seccomp filter is on ptmon: what it refuses, and gives as the reason, is not the kernel's word",
        "where a line here says EPERM or ENOSYS: another seccomp profile (docker run --security-opt seccomp=FILE)",
    )


def proc() -> Answer:
    """/proc shows ptmon's own PID namespace, and other processes."""
    if not explain.status("self"):
        raise ProbeError("/proc is not mounted")
    if not explain.proc_is_ours():
        return Answer(
            LIMITED,
            "/proc shows another PID namespace than ptmon's: no attach, and no counting inside the program",
            "mount -t proc proc /proc (unshare has --mount-proc)",
        )
    if not explain.status(1):
        return Answer(
            LIMITED,
            "/proc hides other users' processes (hidepid): --wait and names see ptmon's own user's alone",
            "run ptmon as root, or: mount -o remount,hidepid=0 /proc",
        )
    return Answer(OK, "/proc is this PID namespace's own")


TOOLS = {
    "strace": ("strace", "-qq", "-o", os.devnull),
    "perf": ("perf", "stat", "-o", os.devnull, "-e", "task-clock:u"),
    "bpftrace": ("bpftrace", "-e", "BEGIN { exit(); }"),
}


def strace() -> Answer:
    return _tool("strace", "true")


def perf() -> Answer:
    return _tool("perf", "true")


def bpftrace() -> Answer:
    return _tool("bpftrace")


def _tool(name: str, *program: str) -> Answer:
    """Runs a tool that others compare ptmon with."""
    if shutil.which(name) is None:
        return Answer(MISSING, "not installed; ptmon does not need it, it is for comparison", f"apt install {name}")
    words = [*TOOLS[name], *program]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return Answer(OK, "it ran, for comparison")
    lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
    return Answer(LIMITED, f"it is there but did not run: {lines[0]}", "ptmon does not need it")
