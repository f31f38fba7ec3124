# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes ptmon/_native.pyi, the boundary header as a type checker sees it, and ptmon/engines/header.py:
python native/build_stub.py.

tests/unit/test_boundary.py holds the one to the other.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cffi import FFI

HEADER = Path(__file__).with_name("ptmon_api.h")
STUB = Path(__file__).parents[1] / "ptmon" / "_native.pyi"
SUM = Path(__file__).parents[1] / "ptmon" / "engines" / "header.py"
HEAD = '''\
# SPDX-License-Identifier: GPL-2.0-or-later
"""What native/build_ffi.py makes of native/ptmon_api.h. Written by native/build_stub.py; each type in C is behind it.

The structs are names for type checkers alone: ffi.new() makes them, and no module has them.
"""

from collections.abc import Sequence
from typing import Any, Final

ffi: Any
Pointer = Any
'''


def summed(header: str) -> str:
    """The text of the module that says of which header's core the Python beside it is."""
    return f'''\
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which C core belongs to this Python. Written by native/build_stub.py."""

HEADER = {zlib.crc32(header.encode())}
"""CRC-32 of native/ptmon_api.h, as the core was built with it (native/build_ffi.py)."""
'''


def declarations(header: str) -> dict[str, Any]:
    """What cffi makes of the header, by kind and name: ``struct pt_batch``, ``enum pt_kind``, ``function pt_run``."""
    ffi = FFI()
    ffi.cdef(header)
    return {name: declared for name, (declared, _) in ffi._parser._declarations.items()}


def stub(header: str) -> str:
    """The text of the stub."""
    declared = declarations(header)
    lines = [HEAD]
    for name, kind in declared.items():
        if name.startswith("struct ") and kind.fldnames is not None:
            lines += [f"class {name.removeprefix('struct ')}:", *_fields(kind), ""]
    lines += ["class Lib:"]
    for name, kind in declared.items():
        if name.startswith("enum "):
            members = zip(kind.enumerators, kind.enumvalues, strict=True)
            lines += [f"    # {name}", *(f"    {member}: Final = {number}" for member, number in members)]
    for name, kind in declared.items():
        if name.startswith("function "):
            lines += _function(name.removeprefix("function "), kind)
    return "\n".join([*lines, "", "lib: Lib", ""])


def _fields(kind: Any) -> Iterator[str]:
    for name, declared in zip(kind.fldnames, kind.fldtypes, strict=True):
        yield f"    {name}: {_type(declared)}  # {_spelled(declared)}"


def _function(name: str, kind: Any) -> Iterator[str]:
    yield f"    def {name}("
    yield "        self,"
    for number, argument in enumerate(kind.args):
        yield f"        _{number}: {_type(argument)},  # {_spelled(argument)}"
    yield "        /,"
    yield f"    ) -> {_type(kind.result)}: ...  # {_spelled(kind.result)}"


def _type(declared: Any) -> str:
    """A number is int on both sides. Whether a pointer points to the right thing cffi checks when it is given one."""
    spelled = _spelled(declared)
    if spelled == "void":
        return "None"
    if hasattr(declared, "length"):  # an array
        return f"Sequence[{_type(declared.item)}]"
    if "*" in spelled:
        return "Pointer"
    return spelled.removeprefix("struct ") if spelled.startswith("struct ") else "int"


def _spelled(declared: Any) -> str:
    return str(declared.get_c_name())


if __name__ == "__main__":
    STUB.write_text(stub(HEADER.read_text(encoding="utf-8")), encoding="utf-8")
    SUM.write_text(summed(HEADER.read_text(encoding="utf-8")), encoding="utf-8")
