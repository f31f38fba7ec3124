# SPDX-License-Identifier: GPL-2.0-only
"""Lab 01: a system call seen from outside, in C."""
