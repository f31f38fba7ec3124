# SPDX-License-Identifier: GPL-2.0-or-later
"""Which C core belongs to this Python. Written by native/build_stub.py."""

HEADER = 2634585420
"""CRC-32 of native/ptmon_api.h, as the core was built with it (native/build_ffi.py)."""
