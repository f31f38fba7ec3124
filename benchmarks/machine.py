# SPDX-License-Identifier: GPL-2.0-or-later
"""Where it was measured, and with which versions of what."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from benchmarks.jobs import which
from benchmarks.tools import PTMON

VERSION = re.compile(r"\d+(\.\d+)+[\w.+-]*")
COMMANDS = {
    "strace": ("strace", "--version"),
    "perf": ("perf", "--version"),
    "bpftrace": ("bpftrace", "--version"),
    "nginx": ("nginx", "-v"),
    "wrk": ("wrk", "--version"),
    "redis": ("redis-server", "--version"),
    "cc": ("cc", "--version"),
}


def machine() -> dict[str, str]:
    """Names and values, all of them texts."""
    libc, version = platform.libc_ver()
    told = {
        "cpu": cpu_model(),
        "cpus": str(len(os.sched_getaffinity(0))),
        "machine": f"{platform.machine()}{', virtual' if virtual() else ''}",
        "kernel": platform.release().split("-")[0],
        "libc": f"{libc} {version}".strip() or "unknown",
        "python": platform.python_version(),
        "user": "root" if os.geteuid() == 0 else "unprivileged",
        "ptmon": first_version((PTMON, "--version")),
        "python-ptrace": metadata.version("python-ptrace"),
    }
    return told | {name: first_version(words) for name, words in COMMANDS.items()}


def cpu_model() -> str:
    return cpu_field("model name") or platform.processor() or "unknown"


def virtual() -> bool:
    return "hypervisor" in cpu_field("flags").split()


def cpu_field(name: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""


def first_version(words: tuple[str, ...]) -> str:
    """What a program calls its version; nginx says it on stderr, and wrk with an exit status of 1."""
    path = which(words[0]) if shutil.which(words[0]) is None else words[0]
    if path is None:
        return "not installed"
    try:
        done = subprocess.run([path, *words[1:]], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    found = VERSION.search(done.stdout + done.stderr)
    return found[0].rstrip(".-") if found else "unknown"
