# SPDX-License-Identifier: GPL-2.0-only
"""Lab 04: what return values hide, with python-ptrace."""
