# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and numbers of system calls."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ptmon import syscalls
from ptmon.errors import UsageError
from ptmon.syscall_tables import CLASSES

HEADERS = {
    "x86_64": ("/usr/include/asm/unistd_64.h", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "i386": ("/usr/include/asm/unistd_32.h", "/usr/include/x86_64-linux-gnu/asm/unistd_32.h"),
    "aarch64": ("/usr/include/aarch64-linux-gnu/asm/unistd_64.h", "/usr/aarch64-linux-gnu/include/asm/unistd_64.h"),
}
ON_X86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are x86_64's and i386's")


def header(abi: str) -> dict[int, str]:
    """What the kernel's header says of an ABI; empty where there is none."""
    for path in map(Path, HEADERS[abi]):
        if path.exists():
            return {int(number): name for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)\b", path.read_text())}
    return {}


@pytest.mark.parametrize("abi", HEADERS)
def test_names_are_those_of_the_kernels_header(abi: str) -> None:
    known = header(abi)
    if len(known) < 200:
        pytest.skip(f"no header of {abi} with its numbers here")
    table = syscalls.table(abi)
    last = max(table)  # a newer header may go on
    wrong = {number: (table.get(number), name) for number, name in known.items() if table.get(number) != name}
    assert {number: names for number, names in wrong.items() if number <= last} == {}
    # Nothing is named that the ABI does not have. Above 423 and among these two the header may be older than the table.
    assert [number for number in table if number not in known and (number < 424 or number >= 512)] in ([], [335, 336])


@pytest.mark.parametrize("abi", HEADERS)
def test_no_name_stands_twice_in_an_abi(abi: str) -> None:
    names = list(syscalls.table(abi).values())
    assert sorted(set(names)) == sorted(names)
    assert len(names) > 300


@pytest.mark.parametrize("abi", HEADERS)
def test_calls_newer_than_the_tables_of_python_ptrace_are_known(abi: str) -> None:
    table = syscalls.table(abi)
    assert {table[number] for number in (435, 441, 444, 449, 452, 462)} == {
        "clone3",
        "epoll_pwait2",
        "landlock_create_ruleset",
        "futex_waitv",
        "fchmodat2",
        "mseal",
    }


@ON_X86
def test_a_name_has_a_number_in_each_abi_of_the_machine() -> None:
    assert syscalls.numbers("connect") == ((42, False), (362, True))
    assert syscalls.numbers("socketcall") == ((102, True),)
    assert syscalls.numbers("arch_prctl") == ((158, False), (384, True))
    assert syscalls.numbers("accept") == ((43, False),)
    assert syscalls.numbers("no_such_call") == ()
    # The kernel's chown is 16 bits wide on i386; python-ptrace has the two the other way round.
    assert (syscalls.name(182, True), syscalls.name(212, True)) == ("chown", "chown32")


@ON_X86
def test_numbers_and_names_agree() -> None:
    for compat, abi in ((False, "x86_64"), (True, "i386")):
        for number, name in syscalls.table(abi).items():
            assert syscalls.name(number, compat) == name
            assert (number, compat) in syscalls.numbers(name)


@pytest.mark.parametrize("number", [999, 0x40000000 + 1, 2**64 - 1])
def test_an_unknown_number_is_named_by_itself(number: int) -> None:
    assert syscalls.name(number, False) == f"syscall_{number}"


def test_words_become_names_each_once_in_their_order() -> None:
    assert syscalls.resolve(["openat", "connect", "openat"]) == ("openat", "connect")
    assert syscalls.resolve(["sendto", "%process"])[:3] == ("sendto", "clone", "clone3")
    assert syscalls.resolve([]) == ()


@pytest.mark.parametrize("word", CLASSES)
def test_a_class_holds_calls_of_this_machine(word: str) -> None:
    names = syscalls.resolve([word])
    assert len(names) > 10
    assert all(syscalls.numbers(name) for name in names)
    everywhere = {name for abi in HEADERS for name in syscalls.table(abi).values()}
    assert set(CLASSES[word]) <= everywhere


def test_the_classes_hold_what_they_say() -> None:
    assert {"connect", "sendmmsg", "getsockopt"} <= set(syscalls.resolve(["%network"]))
    assert {"execve", "clone3", "exit_group", "kill", "waitid"} <= set(syscalls.resolve(["%process"]))
    assert {"openat", "execve", "statx", "unlinkat"} <= set(syscalls.resolve(["%file"]))
    assert not {"read", "close", "fstat"} & set(syscalls.resolve(list(CLASSES)))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("conect", "--trace: there is no system call 'conect' on this machine; did you mean connect?"),
        ("OPENAT", "--trace: there is no system call 'OPENAT' on this machine; did you mean openat?"),
        ("qqqqqqqqqq", "--trace: there is no system call 'qqqqqqqqqq' on this machine"),
        ("a\x1b[2J\n", r"--trace: there is no system call 'a\x1b[2J\n' on this machine"),
        ("%net", "--trace: there is no class '%net' of system calls, only %network, %process and %file"),
        ("", "--trace: name a system call or a class of them (%network, %process and %file)"),
    ],
)
def test_an_unknown_word_is_an_error_that_suggests_the_nearest(word: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        syscalls.resolve(["read", word])
    assert str(caught.value) == message


def test_the_error_names_the_option_that_was_given() -> None:
    with pytest.raises(UsageError, match=r"^--deny: there is no system call"):
        syscalls.resolve(["conect"], option="--deny")


def test_the_tables_are_loaded_without_a_warning_and_only_when_asked_for() -> None:
    code = (
        "import sys; from ptmon import decoding, syscalls; early = [m for m in sys.modules if m.startswith('ptrace')];"
        "decoding.captures('read'); print(early, bool(syscalls.numbers('read')), 'ptrace' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("[] True True\n", "")


def test_the_command_line_does_not_load_python_ptrace() -> None:
    code = "import ptmon.cli, sys; print([name for name in sys.modules if name.startswith('ptrace')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
