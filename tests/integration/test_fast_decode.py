# SPDX-License-Identifier: GPL-2.0-or-later
"""The decoder of native/fast/scan meets the same instructions as objdump, in all of the code of large libraries."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import Targets

NATIVE = Path(__file__).parents[2] / "native"
SOURCES = [NATIVE / "fast" / "scan" / name for name in ("decode.c", "forms.c", "effects.c", "operands.c")]
FOLDERS = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/usr/lib")
LINE = re.compile(r" *([0-9a-f]+):\t(.*)")
NO_INSTRUCTION = re.compile(
    r".*\(bad\).*"
    r"|((rex(\.\w+)?|lock|repn?z|data16|addr32|[c-gs]s|bnd|notrack|xacquire|xrelease)\s*)+"  # prefixes alone
    r"|.*\b(rex(\.\w+)?|lock|repn?z|data16|xacquire|xrelease) .*\bv[a-z]\w+ .*"  # a prefix that VEX forbids
    r"|.*\b(j\w+w|callw) .*"  # 66 and a relative jump: Intel's and AMD's processors differ
    r"|.*\b(femms|pavgusb|pmulhrw|pswapd|pi2f[dw]|pf\w+|extrq|insertq)\b.*"  # AMD's, long gone
)

pytestmark = [
    pytest.mark.skipif(platform.machine() != "x86_64", reason="no x86_64 libraries here"),
    pytest.mark.skipif(shutil.which("objdump") is None, reason="no objdump here"),
]


@dataclass(frozen=True)
class Text:
    """Section .text of a file."""

    path: Path
    address: int
    offset: int
    code: bytes


def find(library: str) -> Path:
    for folder in FOLDERS:
        if (path := Path(folder, library)).exists():
            return path
    pytest.skip(f"no {library} here")


def text_of(path: Path) -> Text:
    headers = subprocess.run(["objdump", "-h", str(path)], check=True, capture_output=True, text=True).stdout
    match = re.search(r" \.text +(\w+) +(\w+) +\w+ +(\w+)", headers)
    assert match, headers
    size, address, offset = (int(word, 16) for word in match.groups())
    with path.open("rb") as file:
        file.seek(offset)
        return Text(path, address, offset, file.read(size))


def told_by_objdump(text: Text, linear: bool) -> Iterator[tuple[int, str]]:
    """Offsets in .text, and the instructions. At each symbol objdump begins anew, unless it is a linear sweep."""
    options = ["-d", "-j", ".text"]
    start = text.address
    if linear:
        start = text.offset
        end = start + len(text.code)
        options = ["-D", "-b", "binary", "-m", "i386:x86-64", f"--start-address={start}", f"--stop-address={end}"]
    command = ["objdump", "-z", "--no-show-raw-insn", *options, str(text.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if match := LINE.match(line):
                yield int(match[1], 16) - start, match[2]


def after_wait(code: bytes, offset: int, instruction: str | None) -> bool:
    """To objdump, wait and a floating-point instruction are one instruction."""
    return instruction is None and offset > 0 and code[offset - 1] == 0x9B


def assert_agree(decoder: Path, path: Path, linear: bool = False) -> None:
    """After what is no instruction to one of them, they may differ until both meet one again."""
    text = text_of(path)
    lines = subprocess.run([decoder], input=text.code, check=True, capture_output=True).stdout.split()
    ours = {int(line, 16) for line in lines}
    theirs = dict(told_by_objdump(text, linear))
    assert len(ours) > 10_000
    lost = False
    for offset in sorted(ours | theirs.keys()):
        instruction = theirs.get(offset)
        if instruction is not None and NO_INSTRUCTION.fullmatch(instruction):
            lost = True
        elif offset in ours and instruction is not None:
            lost = False
        else:
            excused = lost or after_wait(text.code, offset, instruction)
            here = f".text+{offset:#x} {text.code[offset : offset + 16].hex(' ')}"
            assert excused, f"{path} {here}: objdump says {instruction}"


@pytest.fixture(scope="module")
def decoder(targets: Targets) -> Path:
    return targets("decode_all", f"-I{NATIVE}", *map(str, SOURCES))


@pytest.mark.parametrize("library", ["libc.so.6", "ld-linux-x86-64.so.2", "libstdc++.so.6"])
def test_library(decoder: Path, library: str) -> None:
    assert_agree(decoder, find(library))


def test_data_in_the_code(decoder: Path) -> None:
    """libcrypto has tables in its .text: bytes at random."""
    assert_agree(decoder, find("libcrypto.so.3"), linear=True)


def test_python(decoder: Path) -> None:
    """Its interpreter, which may be in a library."""
    folder, library = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME")
    candidates = (Path(folder or "", library or ""), Path(sys.executable).resolve())
    assert_agree(decoder, next(path for path in candidates if path.is_file()))
