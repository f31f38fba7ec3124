# SPDX-License-Identifier: GPL-2.0-only
"""Lab 06: an event server, in Python."""
