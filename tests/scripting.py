# SPDX-License-Identifier: GPL-2.0-or-later
"""Scripts that use the Python API: programs of their own, which are no tracer but have one in them."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.support import DEADLINE

PROLOGUE = """
import json, os, signal, subprocess, sys, threading, time
import ptmon
words = sys.argv[1:]
def tell(*what): print(json.dumps(what), flush=True)
"""


def words(code: str, *arguments: str | Path | int) -> list[str]:
    return [sys.executable, "-c", PROLOGUE + textwrap.dedent(code), *map(str, arguments)]


def run(code: str, *arguments: str | Path | int, **keywords: Any) -> list[Any]:
    """Runs a script, and returns what it told: each ``tell(...)`` is a list. A list of one is its only member."""
    done = subprocess.run(words(code, *arguments), capture_output=True, text=True, timeout=DEADLINE, **keywords)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [heard(line) for line in done.stdout.splitlines() if line.startswith("[")]


def heard(line: str) -> Any:
    what = json.loads(line)
    return what[0] if len(what) == 1 else what


def listen(process: subprocess.Popen[str]) -> Any:
    """The next thing that a script tells."""
    assert process.stdout is not None
    while not (line := process.stdout.readline()).startswith("["):  # what a traced program has printed
        assert line, process.communicate()[1]
    return heard(line)
