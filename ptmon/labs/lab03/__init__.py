# SPDX-License-Identifier: GPL-2.0-only
"""Lab 03: threads and children, in C."""
