# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of a call, and said of it: a program tells what it did, and ptmon must say the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.counting import I386, compiled
from tests.support import DEADLINE, Targets

ENGINES = ["native", "reference"]
NAMES = """
openat readlinkat execve kill clone clone3 wait4 socket setsockopt bind listen getsockname connect accept4 sendto
recvfrom read socketpair writev readv sendmsg recvmsg sendmmsg pipe2 mprotect nanosleep rt_sigprocmask ioctl close
"""
# Two getppid() of the program's own stand around what is compared; before them the C library makes calls of its own.
RUNNER = """
import sys
from dataclasses import replace

from ptmon import decoding, engines, syscalls
from ptmon.records import Entered, Returned

engine_name = sys.argv.pop(1)
names = sys.argv[2].split()
watches = decoding.watches([*names, "getppid"], tell=True, hold=False)
settings = engines.EngineSettings(command=tuple(sys.argv[3:]), watches=watches, every_call=True)
lines, entered, wanted = [], {}, 0
with engines.create(engine_name, settings) as engine:
    for batch in engine:
        for record in batch:
            if not isinstance(record, Entered | Returned) or record.tid != engine.root:
                continue
            call, result = record.call, None
            name = syscalls.name(call.number, call.compat)
            if isinstance(record, Entered):
                entered[record.tid] = call.memory
                wanted += name == "getppid"
            else:
                result = record.result
                call = replace(call, memory=call.memory + entered.pop(record.tid))
            if wanted != 1 or name == "getppid":
                continue
            told = decoding.arguments(name, call, decoding.reader_of(call), result)
            text = f"{name}({', '.join(argument.text for argument in told)})"
            lines.append(text if result is None else f"{text} = {decoding.result_text(name, result, call.compat)}")
with open(sys.argv[1], "w") as file:
    file.writelines(line + "\\n" for line in lines)
sys.exit(engine.exit.code)
"""


def traced(program: Path, folder: Path, engine: str) -> tuple[list[str], list[str]]:
    """What the program says of its calls, and what ptmon says."""
    expected, told = folder / "expected", folder / "told"
    command = [sys.executable, "-c", RUNNER, engine, str(told), NAMES, str(program), str(expected)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return expected.read_text().splitlines(), told.read_text().splitlines()


def compare(program: Path, folder: Path, engine: str) -> list[str]:
    expected, told = traced(program, folder, engine)
    assert len(expected) > 60
    assert told == expected
    return told


@pytest.mark.parametrize("engine", ENGINES)
def test_calls_are_told_as_the_program_made_them(targets: Targets, tmp_path: Path, engine: str) -> None:
    compare(targets("arguments"), tmp_path, engine)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="i386 is the 32-bit ABI beside x86_64 alone")
@pytest.mark.parametrize("engine", ENGINES)
def test_calls_of_an_i386_program_are_told_as_it_made_them(targets: Targets, tmp_path: Path, engine: str) -> None:
    told = compare(compiled(targets, "arguments", I386), tmp_path, engine)
    assert told[-1].startswith("connect(")  # by socketcall(2)
