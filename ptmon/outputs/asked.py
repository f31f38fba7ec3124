# SPDX-License-Identifier: GPL-2.0-only
"""The outputs that options ask for: a row for each.

Each has its ``make(options, host)``, which returns an Output. It is loaded where it is asked for: a run that tells
nothing loads none.
"""

from __future__ import annotations

from collections.abc import Callable

from ptmon.options import Options
from ptmon.outputs import Output

OUTPUTS: dict[str, Callable[[Options], bool]] = {
    "ptmon.outputs.log": lambda options: options.log is not None,  # before the report: on stderr the log stands first
    "ptmon.outputs.syslog": lambda options: options.syslog is not None,
    "ptmon.outputs.server": lambda options: options.serve is not None,
    "ptmon.outputs.report_output": lambda options: options.output is not None or not options.quiet,
    "ptmon.outputs.fast_explain": lambda options: options.fast_explain,  # behind the report
    "ptmon.outputs.interval": lambda options: options.interval is not None and options.log is None,
}


def make(options: Options, host: str) -> list[Output]:
    """The outputs, not yet entered. Raises UsageError for options that no output can go by."""
    return [
        __import__(name, fromlist=["make"]).make(options, host) for name, wanted in OUTPUTS.items() if wanted(options)
    ]
