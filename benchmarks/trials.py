# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a tool can be used here."""

from __future__ import annotations

import os
import shutil
import subprocess

from benchmarks.tools import Tool


def why_missing(tool: Tool) -> str:
    """Why a tool can't be used here, in words; tries it once."""
    if not tool.trial:
        return ""
    if shutil.which(tool.program or tool.trial[0]) is None:
        return "not installed"
    try:
        done = subprocess.run(
            tool.trial, capture_output=True, text=True, errors="replace", timeout=60, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"can't be run: {error}"
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    reason = (errors or lines[-1:] or [f"exit status {done.returncode}"])[0]
    if tool.given:
        return f"trial failed: with the command true: {reason}"
    return f"{'needs root' if tool.needs_root and os.geteuid() != 0 else 'not permitted'}: {reason}"
