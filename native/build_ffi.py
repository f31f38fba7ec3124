# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the C source of the extension ``ptmon._native`` from the boundary header (at build time only)."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

from cffi import FFI

BEGINNING = """\
#include <alloca.h>
#include <stdlib.h>
#include <string.h>
"""
"""What cffi's own code needs. For the limited API of Python 3.11 and later Python.h does not include it any more, and a
call of an undeclared function is an error since gcc 14."""
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
    source = Path(target)
    source.write_text(BEGINNING + source.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
