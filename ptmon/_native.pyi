# SPDX-License-Identifier: GPL-2.0-only
"""What native/build_ffi.py makes of native/ptmon_api.h."""

from typing import Any

ffi: Any
lib: Any
