# SPDX-License-Identifier: GPL-2.0-only
"""Lab 05: code around a call, with ptmon's hooks."""
