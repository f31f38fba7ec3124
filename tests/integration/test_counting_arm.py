# SPDX-License-Identifier: GPL-2.0-or-later
"""32-bit programs on aarch64: their calls are not decoded. ptmon leaves them alone, and says what it misses."""

from __future__ import annotations

import json
import platform
import struct
import subprocess
from pathlib import Path

import pytest

from tests.counting import assert_schema_true
from tests.support import DEADLINE, Targets, run_ptmon, started, tracing, until

pytestmark = pytest.mark.skipif(platform.machine() != "aarch64", reason="32-bit ARM programs run on aarch64")

ADDRESS = 0x10000
HEADERS = 52 + 32
"""Bytes of an ELF header and one program header of 32 bits."""
MOVED = 7

WRITES = (
    0xE3A00001,  # mov r0, #1       AF_UNIX
    0xE3A01001,  # mov r1, #1       SOCK_STREAM
    0xE3A02000,  # mov r2, #0
    0xE24DD008,  # sub sp, sp, #8
    0xE1A0300D,  # mov r3, sp
    0xE3A07E12,  # mov r7, #288     socketpair
    0xEF000000,  # svc #0
    0xE59D0000,  # ldr r0, [sp]
    0xE1A0100D,  # mov r1, sp
    0xE3A02007,  # mov r2, #7
    0xE3A07004,  # mov r7, #4       write
    0xEF000000,  # svc #0
    0xE3A07001,  # mov r7, #1       exit: with what write has returned
    0xEF000000,  # svc #0
)
PAUSES = (
    0xE3A0701D,  # mov r7, #29      pause
    0xEF000000,  # svc #0
    0xEAFFFFFC,  # b to the begin
)


def program(folder: Path, code: tuple[int, ...]) -> Path:
    """A static program of this code. The test is skipped where the processor runs none."""
    text = struct.pack(f"<{len(code)}I", *code)
    size = HEADERS + len(text)
    ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")  # 32 bits, little-endian
    header = struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, ADDRESS + HEADERS, 52, 0, 0x05000000, 52, 32, 1, 0, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, ADDRESS, ADDRESS, size, size, 5, 0x1000)
    path = folder / "arm"
    path.write_bytes(ident + header + segment + text)
    path.chmod(0o755)
    try:
        with subprocess.Popen([path]) as process:
            process.kill()
    except OSError as error:
        pytest.skip(f"this processor or kernel runs no 32-bit ARM programs: {error}")
    return path


def assert_said(report: dict[str, object]) -> None:
    """That something is missing, and why."""
    assert_schema_true(report)
    assert report["complete"] is False
    assert isinstance(report["warnings"], list)
    assert [warning["reason"] for warning in report["warnings"]] == ["compat"]


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_a_32_bit_program_makes_its_report_incomplete(tmp_path: Path, seccomp: str) -> None:
    traced = run_ptmon([program(tmp_path, WRITES)], tmp_path / "report.json", ["--seccomp", seccomp])
    assert traced.returncode == MOVED
    assert_said(traced.report)


def test_a_32_bit_child_makes_the_report_incomplete_and_the_rest_is_counted(targets: Targets, tmp_path: Path) -> None:
    script = f"{program(tmp_path, WRITES)}; {targets('counting')} write"
    traced = run_ptmon(["sh", "-c", script], tmp_path / "report.json")
    assert traced.totals["sent"] == traced.told["sent"] > 0
    assert_said(traced.report)


def test_a_rule_that_does_not_reach_a_32_bit_program_says_so(tmp_path: Path) -> None:
    command = tracing("-q", "--deny", "write", "--", program(tmp_path, WRITES))
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == MOVED
    (line,) = done.stderr.splitlines()
    assert "runs a 32-bit program: no rule can refuse its calls on this machine" in line


def test_an_attached_32_bit_program_makes_the_report_incomplete(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    with started([program(tmp_path, PAUSES)]) as target:
        until(lambda: Path(f"/proc/{target.pid}/syscall").read_text().startswith("29 "), "pause")
        command = tracing("--attach", str(target.pid), "--duration", "1", "--format", "json", "-o", file)
        subprocess.run(command, check=True, timeout=DEADLINE)
        assert target.poll() is None
    assert_said(json.loads(file.read_text()))
