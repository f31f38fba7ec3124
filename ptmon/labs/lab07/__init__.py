# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 07: ways to see a call, and what each costs."""
