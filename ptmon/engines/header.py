# SPDX-License-Identifier: GPL-2.0-only
"""Which C core belongs to this Python. Written by native/build_stub.py."""

HEADER = 1892673166
"""CRC-32 of native/ptmon_api.h, as the core was built with it (native/build_ffi.py)."""
