# SPDX-License-Identifier: GPL-2.0-or-later
"""The version, in a file of its own: the build reads it, and the report says it."""

from __future__ import annotations

__version__ = "0.1.0"
