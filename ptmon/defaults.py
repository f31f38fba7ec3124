# SPDX-License-Identifier: GPL-2.0-or-later
"""What options are where they are not given, and what they can be: for the command line and the Python API alike."""

from __future__ import annotations

SECCOMP = ("auto", "on", "off")
"""The first is the default; so it is of all of these."""
FAST = ("auto", "off")
FAST_AFTER = 50
"""Stops of a process."""
NAMES = ("auto", "off")
MAX_SOCKETS = 100_000
MAX_CLIENTS = 16
SNAPLEN = 1 << 18
"""Bytes of a call."""
TOP = 10
"""Rows of a summary's table."""
SORTS = ("sent", "received", "calls", "duration")
"""What sockets and peers can be ordered by, beside the default, all bytes."""
