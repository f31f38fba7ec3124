# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 02: a tracer of forty lines, with python-ptrace."""
