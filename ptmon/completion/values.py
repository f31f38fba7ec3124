# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of an option's value, whichever shell asks."""

from __future__ import annotations

from ptmon.options import TABLE, Option

KINDS = {
    "FILE": "files",
    "[=FILE]": "files",
    "FILE.py": "files",
    "FILE...": "files",
    "FILE FILE": "files",
    "NAME": "programs",
    "PID|NAME[,...]": "processes",
}
"""What the shell can list, by the metavar."""

VALUED = tuple(flag for option in TABLE if option.metavar and option.default is None for flag in option.flags)
"""The next word is the value."""
OPTIONAL = tuple(flag for option in TABLE if option.default is not None for flag in option.flags)
"""A value comes only behind a ``=``."""
SWITCHES = "".join(flag[1] for option in TABLE if not option.metavar for flag in option.flags if len(flag) == 2)
"""The letters that may stand before another: ``-qp 7``."""


def kind(option: Option) -> str:
    """``files``, ``programs``, ``processes``, or nothing."""
    return KINDS.get(option.metavar or "", "")


def about(option: Option) -> str:
    """What it does, in a line."""
    return option.help.partition("; ")[0].partition(": ")[0]
