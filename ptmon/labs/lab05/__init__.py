# SPDX-License-Identifier: GPL-2.0-or-later
"""Lab 05: code around a call, with ptmon's hooks."""
