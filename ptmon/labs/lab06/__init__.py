# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 06: an event server, in Python."""
