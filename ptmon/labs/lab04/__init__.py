# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 04: what return values hide, with python-ptrace."""
