# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 01: a system call seen from outside, in C."""
