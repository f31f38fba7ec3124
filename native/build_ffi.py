# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the C source of the extension ``ptmon._native`` from the boundary header (at build time only)."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

from cffi import FFI

PREAMBLE = """
#include <stddef.h>
#include <stdint.h>
#include "ptmon_api.h"
{header}
"""


def main(target: str) -> None:
    header = Path(__file__).with_name("ptmon_api.h").read_text(encoding="utf-8")
    ffi = FFI()
    # By which Python knows the core again that belongs to it (ptmon/engines/header.py).
    told = f"#define PT_HEADER {zlib.crc32(header.encode())}"
    ffi.cdef(f"{header}\n{told}\n")
    ffi.set_source("ptmon._native", PREAMBLE.format(header=told), py_limited_api=True)
    ffi.emit_c_code(target)


if __name__ == "__main__":
    main(sys.argv[1])
