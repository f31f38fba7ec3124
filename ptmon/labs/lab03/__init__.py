# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 03: threads and children, in C."""
