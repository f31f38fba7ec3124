# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments and results of system calls as text and values, from memory that the tests build."""

from __future__ import annotations

import os
import struct

import pytest

from ptmon import decoding, syscalls
from ptmon.records import Called
from ptmon.watches import CaptureKind
from tests.unit.decoding_cases import ARGV, CLONE3, COMPAT, ENTRIES, EXITS, HERE, INET, MESSAGE, THREAD, UNIX, Memory

ON_X86 = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="i386 calls, and x86_64's order of clone's arguments"
)


def called(name: str, args: tuple[int, ...], memory: Memory, compat: bool = False) -> Called:
    number = next((number for number, of_compat in syscalls.numbers(name) if of_compat is compat), 0)
    return Called(number, compat, (*args, *[0] * (6 - len(args))), tuple(memory.items()))


def decoded(
    name: str, args: tuple[int, ...], memory: Memory | None = None, result: int | None = None, compat: bool = False
) -> tuple[decoding.Argument, ...]:
    call = called(name, args, memory or {}, compat)
    return decoding.arguments(name, call, decoding.reader_of(call), result)


def text(
    name: str, args: tuple[int, ...], memory: Memory | None = None, result: int | None = None, compat: bool = False
) -> str:
    return f"{name}({', '.join(argument.text for argument in decoded(name, args, memory, result, compat))})"


@pytest.mark.parametrize(("name", "args", "memory", "expected"), ENTRIES)
def test_a_call_at_its_entry(name: str, args: tuple[int, ...], memory: Memory, expected: str) -> None:
    assert text(name, args, memory) == name + expected


@pytest.mark.parametrize(("name", "args", "memory", "result", "expected"), EXITS)
def test_a_call_at_its_return(name: str, args: tuple[int, ...], memory: Memory, result: int, expected: str) -> None:
    assert text(name, args, memory, result) == name + expected


@ON_X86
@pytest.mark.parametrize(("name", "args", "memory", "result", "expected"), COMPAT)
def test_a_call_of_the_32_bit_abi(
    name: str, args: tuple[int, ...], memory: Memory, result: int | None, expected: str
) -> None:
    assert text(name, args, memory, result, compat=True) == name + expected


@ON_X86
def test_clone_tells_flags_and_signal_by_name() -> None:
    fork = "clone(CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, NULL, NULL, 0x7f00, NULL)"
    assert text("clone", (0x1200011, 0, 0, 0x7F00, 0)) == fork
    assert text("clone", (0x3D0F00, 0x7F00, 1, 2, 3)) == f"clone({THREAD}, 0x7f00, 0x1, 0x2, 0x3)"


def test_values_are_for_programs() -> None:
    values = {argument.name: argument.value for argument in decoded("openat", (HERE, 1, 0o102, 0o600), {1: b"/\xff\0"})}
    assert values == {"dirfd": -100, "filename": "/\udcff", "flags": 0o102, "mode": 0o600}
    assert [argument.value for argument in decoded("connect", (3, 1, 16), {1: INET})] == [3, "127.0.0.1:8080", 16]
    assert [argument.value for argument in decoded("connect", (3, 1, 110), {1: UNIX})] == [3, '/run/a "b"', 110]
    assert decoded("execve", (0, 0x2000, 5), ARGV)[1:][0].value == ["ls", "-l\udcff\n"]
    assert decoded("sendto", (3, 1, 2), {1: b"a\0"})[1].value == b"a\0"
    assert decoded("sendmsg", (3, 0x4000, 0), MESSAGE)[1].value == {
        "name": "127.0.0.1:8080",
        "iov": [b"hello", b"01234567890123456789012345678901"],
        "controllen": 0,
        "flags": 0,
    }
    assert decoded("clone3", (1, 88), {1: CLONE3})[0].value["stack_size"] == 0x8000
    assert decoded("connect", (3, 1, 16))[1] == decoding.Argument("addr", None, "0x1")


def test_a_buffers_value_is_as_long_as_is_asked_for() -> None:
    data = bytes(range(256)) * 20
    call = called("write", (1, 0x1000, len(data)), {0x1000: data})
    read = decoding.reader_of(call)
    for most, length in ((0, 0), (7, 7), (32, 32), (100, 100), (10**6, len(data))):
        buffer = decoding.arguments("write", call, read, most=most)[1]
        assert (buffer.value, buffer.text[-4:]) == (data[:length], '"...')


def test_nothing_is_shown_of_what_holds_secrets() -> None:
    # The environment, keys, passphrases in mount data: no capture, and no reading.
    for name, argument in (("execve", "envp"), ("execveat", "envp"), ("add_key", "_payload"), ("mount", "data")):
        memory = {0x100: struct.pack("=2Q", 0x200, 0), 0x200: b"TOKEN=1\0"}
        found = {one.name: one.text for one in decoded(name, (0x100,) * 6, memory)}
        assert found[argument] == "0x100"
    assert [capture.kind for capture in decoding.captures("execve")] == [CaptureKind.STRING, CaptureKind.STRINGS, 0]


def test_what_is_kept_of_a_call() -> None:
    def kept(name: str) -> list[tuple[str, str]]:
        return [
            (capture.kind.name, "entry" * capture.at_entry + "exit" * capture.at_exit)
            for capture in decoding.captures(name)
            if capture.kind
        ]

    assert kept("openat") == [("STRING", "entry")]
    assert kept("connect") == [("SIZED", "entry")]
    assert kept("sendto") == [("SIZED", "entry"), ("SIZED", "entry")]
    assert kept("recvfrom") == [("RESULT", "exit"), ("POINTED", "exit")]
    assert kept("accept4") == [("POINTED", "exit")]
    assert (kept("sendmsg"), kept("recvmsg")) == ([("MSGHDR", "entry")], [("MSGHDR", "exit")])
    assert (kept("writev"), kept("readv")) == ([("IOVEC", "entry")], [("IOVEC", "exit")])
    assert (kept("recvmmsg"), kept("clone3")) == ([("MMSGHDR", "exit"), ("BYTES", "entry")], [("BYTES", "entry")])
    assert decoding.captures("syscall_999") == ()


@ON_X86
def test_watches_ask_for_a_call_in_each_abi() -> None:
    asked = decoding.watches(["connect", "accept"], tell=True, hold=False)
    assert [(watch.number, watch.compat, watch.tell, watch.hold) for watch in asked] == [
        (42, False, True, False),
        (362, True, True, False),
        (43, False, True, False),
    ]
    assert asked[0].captures == decoding.captures("connect")


@pytest.mark.parametrize(
    ("name", "result", "compat", "expected"),
    [
        ("openat", 3, False, "3"),
        ("openat", -2, False, "-1 ENOENT (No such file or directory)"),
        ("read", -512, False, "? ERESTARTSYS"),
        ("nanosleep", -516, False, "? ERESTART_RESTARTBLOCK"),
        ("read", -600, False, "-1 (errno 600)"),
        ("lseek", 2**40, False, "1099511627776"),
        ("mmap", 0x7F1234567000, False, "0x7f1234567000"),
        ("mmap", -12, False, "-1 ENOMEM (Cannot allocate memory)"),
        ("mmap2", 0xF7F00000 - 2**32, True, "0xf7f00000"),
        ("umask", 0o22, False, "0022"),
        ("lseek", -4096, False, "-4096"),
    ],
)
def test_results(name: str, result: int, compat: bool, expected: str) -> None:
    assert decoding.result_text(name, result, compat) == expected
