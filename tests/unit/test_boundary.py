# SPDX-License-Identifier: GPL-2.0-or-later
"""The boundary header, and what Python says of it again: the stub for type checkers, enums, tables, layouts."""

from __future__ import annotations

import ast
import re
import runpy
import struct
import subprocess
import sys
import zlib
from collections.abc import Mapping
from enum import Enum, IntEnum
from pathlib import Path
from types import ModuleType

import pytest
from cffi import FFI

from ptmon.defaults import SECCOMP
from ptmon.engines import boundary, native
from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native import batches, rows, runs, watching
from ptmon.engines.native.rows import RowReader
from ptmon.errors import Step
from ptmon.records import LIFE, Direction, FallbackReason, Reason
from ptmon.watches import CaptureKind, Condition

ROOT = Path(__file__).parents[2]
STUB = runpy.run_path(str(ROOT / "native" / "build_stub.py"))
HEADER = (ROOT / "native" / "ptmon_api.h").read_text()
DECLARED = STUB["declarations"](HEADER)
CODES = {
    "uint64_t": "Q", "int64_t": "q", "uint32_t": "I", "int32_t": "i", "uint16_t": "H", "int16_t": "h", "uint8_t": "B",
}  # fmt: skip


def members(enum: str) -> dict[str, int]:
    kind = DECLARED[f"enum {enum}"]
    return dict(zip(kind.enumerators, kind.enumvalues, strict=True))


def layout(name: str) -> str:
    """A struct without pointers in it, as the module struct has it."""
    parsed = FFI()
    parsed.cdef(HEADER)
    kind = parsed.typeof(f"struct {name}")
    text, end = "=", 0
    for _, field in kind.fields:
        text += f"{field.offset - end}x" if field.offset > end else ""
        item = field.type.item if field.type.kind == "array" else field.type
        one = layout(item.cname.removeprefix("struct "))[1:] if item.kind == "struct" else CODES[item.cname]
        text += (str(field.type.length) if field.type.kind == "array" else "") + one
        end = field.offset + parsed.sizeof(field.type.cname)
    return text + (f"{parsed.sizeof(kind.cname) - end}x" if parsed.sizeof(kind.cname) > end else "")


def test_the_stub_is_what_the_header_says() -> None:
    assert (ROOT / "ptmon" / "_native.pyi").read_text() == STUB["stub"](HEADER), "run: python native/build_stub.py"


def test_the_header_that_python_belongs_to_is_this_one() -> None:
    text = (ROOT / "ptmon" / "engines" / "header.py").read_text()
    assert text == STUB["summed"](HEADER), "run: python native/build_stub.py"
    assert zlib.crc32(HEADER.encode()) == lib.PT_HEADER  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("import ptmon.engines.header as header; header.HEADER += 1", "was built from other sources"),
        ("sys.modules['ptmon._native'] = None", "can't be loaded"),
    ],
)
def test_a_core_that_does_not_belong_to_it_is_told_in_one_line(lines: str, said: str) -> None:
    words = f"import sys; {lines}; from ptmon.cli import main; sys.exit(main(['true']))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True)
    assert done.returncode == 125
    assert re.fullmatch(rf"ptmon: the C core .*{said}.*install ptmon anew.*\n", done.stderr)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\tuint64_t calls;\n", ""),
        ("\tuint64_t calls;\n", "\tuint64_t calls;\n\tuint64_t more;\n"),
        ("\tuint64_t calls;\n", "\tuint32_t calls;\n"),
        ("PT_CLONE = 2,", "PT_CLONE = 20,"),
        ("PT_CLONE = 2,", ""),
        ("PT_CLONE = 2,", "PT_CLONE = 2, PT_NEW = 99,"),
        ("int pt_blocked_signal(unsigned int index);", ""),
        ("int pt_blocked_signal(unsigned int index);", "int pt_blocked_signal(uint64_t index);"),
        ("int pt_blocked_signal(unsigned int index);", "int pt_blocked_signal(unsigned int index, int more);"),
        ("uint8_t local[128];", "uint8_t local[64];"),
    ],
)
def test_another_header_has_another_stub(before: str, after: str) -> None:
    assert before in HEADER
    assert STUB["stub"](HEADER.replace(before, after, 1)) != STUB["stub"](HEADER)


def test_the_extension_that_is_loaded_is_that_of_the_header() -> None:
    parsed = FFI()
    parsed.cdef(HEADER)
    mine, structs = set(dir(lib)), set(parsed.list_types()[1])
    assert structs == set(ffi.list_types()[1]), "build ptmon anew: pip install -e ."
    for name in structs - {"pt_tracer"}:
        told, loaded = parsed.typeof(f"struct {name}").fields, ffi.typeof(f"struct {name}").fields
        assert [(field, one.type.cname) for field, one in told] == [(field, one.type.cname) for field, one in loaded]
    functions = {name.removeprefix("function ") for name in DECLARED if name.startswith("function ")}
    numbers = {
        name: value for kind in DECLARED if kind.startswith("enum ") for name, value in members(kind[5:]).items()
    }
    assert mine == functions | set(numbers) | {"PT_HEADER"}
    assert {name: getattr(lib, name) for name in numbers} == numbers


@pytest.mark.parametrize(
    ("mirror", "enum", "prefix"),
    [
        (Direction, "pt_direction", "PT_"),
        (Step, "pt_step", "PT_STEP_"),
        (CaptureKind, "pt_capture_kind", "PT_CAPTURE_"),
    ],
)
def test_enums_have_the_names_and_numbers_of_the_core(mirror: type[IntEnum], enum: str, prefix: str) -> None:
    assert {f"{prefix}{one.name}": one.value for one in mirror} == members(enum)


def test_conditions_have_the_names_and_numbers_of_the_core() -> None:
    names = {f"PT_{'' if one is Condition.ALWAYS else 'IF_'}{one.name}": one.value for one in Condition}
    assert names == members("pt_condition")


@pytest.mark.parametrize(
    ("mirror", "table", "enum", "prefix"),
    [
        (Reason, batches.REASONS, "pt_reason", "PT_REASON_"),
        (FallbackReason, batches.FALLBACKS, "pt_fallback", "PT_FALLBACK_"),
    ],
)
def test_reasons_have_the_names_of_the_core(
    mirror: type[Enum], table: Mapping[int, Enum], enum: str, prefix: str
) -> None:
    assert {f"{prefix}{one.name}" for one in mirror} == set(members(enum))
    assert {f"{prefix}{one.name}": number for number, one in table.items()} == members(enum)


def test_each_kind_of_record_is_read() -> None:
    kinds = members("pt_kind")
    often = RowReader(0, str).makers
    assert not set(batches.MAKERS) & set(often)
    assert set(batches.MAKERS) | set(often) == set(kinds.values()) - {lib.PT_LIVES}
    assert set(rows.DIRECTIONS) == set(members("pt_direction").values())


def test_the_ways_to_use_seccomp_are_those_of_the_core() -> None:
    assert {f"PT_SECCOMP_{name.upper()}": number for name, number in native.SECCOMP.items()} == members("pt_seccomp")
    assert set(native.SECCOMP) == set(SECCOMP)


@pytest.mark.parametrize(
    ("format", "name"),
    [
        (rows.ROW, "pt_record"),
        (rows.SOCKET, "pt_socket_info"),
        (rows.TCP, "pt_tcp_info"),
        (LIFE, "pt_life"),
        (runs.GROUP, "pt_group"),
        (watching.CALL, "pt_call"),
        (watching.CHUNK, "pt_chunk"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_read_without_cffi_is_laid_out_as_in_c(format: struct.Struct, name: str) -> None:
    # Addresses are read as they are, in one.
    assert format.format == re.sub(r"(\d+)B", r"\1s", layout(name))


def test_a_connect_is_a_socket_and_how_long_it_took() -> None:
    assert rows.CONNECT.size == ffi.sizeof("struct pt_connect")
    assert ffi.offsetof("struct pt_connect", "took") == rows.SOCKET.size == rows.CONNECT.size - 8


def test_the_kind_of_a_row_is_where_it_is_looked_for() -> None:
    assert ffi.offsetof("struct pt_record", "kind") == 4 * rows.KIND


def test_what_stands_for_no_system_call_is_the_largest_number() -> None:
    syscall = next(field.type for name, field in ffi.typeof("struct pt_record").fields if name == "syscall")
    assert 2 ** (8 * ffi.sizeof(syscall)) - 1 == boundary.NO_SYSCALL == batches.NO_SYSCALL


def stored(module: ModuleType, *names: str) -> set[str]:
    """The fields that a module sets of what it calls so."""
    nodes = ast.walk(ast.parse(Path(module.__file__ or "").read_text()))
    kept = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)]
    return {node.attr for node in kept if isinstance(node.value, ast.Name) and node.value.id in names}


def test_each_option_of_the_core_is_set() -> None:
    """And nothing else: cffi would raise only when that line is reached."""
    assert stored(native, "options") == set(DECLARED["struct pt_options"].fldnames)


def test_each_field_of_watches_and_rules_is_set() -> None:
    """What is left out is 0 to the core."""
    fields = {
        field for name in ("watch", "capture", "rule", "prefix") for field in DECLARED[f"struct pt_{name}"].fldnames
    }
    assert stored(watching, "made", "to") == fields - {"captures", "address", "reserved"}, "captures, address: in place"
