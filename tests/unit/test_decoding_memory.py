# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading what was kept, and whatever else a tracee may pass: decoding raises nothing and prints nothing."""

from __future__ import annotations

import errno
import random
import timeit
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from ptmon import decoding, syscalls
from ptmon.decoding.frame import Frame
from ptmon.decoding.memory import beginning, string
from ptmon.decoding.parameters import parameters
from ptmon.records import Called

PAGE = 4096
EDGES = (0, 1, 2, 3, 8, 16, 24, 64, 88, 2**31, 2**32 - 1, 2**63, 2**64 - 1, 0x7FFF12345678)
ABIS = (("x86_64", False), ("i386", True))


def reader(*chunks: tuple[int, bytes]) -> decoding.Reader:
    return decoding.reader_of(Called(0, False, (0,) * 6, chunks))


def live(start: int, data: bytes) -> Callable[[int, int], bytes]:
    """A reader as of a tracee: all or nothing, from anywhere in one mapping."""

    def read(address: int, length: int) -> bytes:
        if not start <= address <= address + length <= start + len(data):
            raise OSError(errno.EFAULT, "Bad address")
        return data[address - start : address - start + length]

    return read


def test_kept_memory_is_read_from_within_and_across_chunks() -> None:
    read = reader((0x100, b"abcd"), (0x200, b"xy"), (0x104, b"efgh"), (0x102, b"c"))
    assert read(0x100, 4) == b"abcd"
    assert read(0x102, 4) == b"cdef"
    assert read(0x107, 1) == b"h"
    assert read(0x999, 0) == b""
    assert beginning(read, 0x106, 100) == b"gh"


@pytest.mark.parametrize(("address", "length"), [(0xFF, 1), (0x100, 9), (0x108, 1), (0, 1), (2**64 - 1, 8), (0x1FF, 2)])
def test_what_was_not_kept_is_efault(address: int, length: int) -> None:
    read = reader((0x100, b"abcd"), (0x104, b"efgh"), (0x200, b"xy"))
    with pytest.raises(OSError) as caught:
        read(address, length)
    assert caught.value.errno == errno.EFAULT


@pytest.mark.parametrize("before_the_end", [1, 2, 7, 100, 255, 256, 257, PAGE, PAGE + 1])
def test_a_string_may_end_where_the_mapping_does(before_the_end: int) -> None:
    start, text = 0x10000 + 3 * PAGE - before_the_end, b"x" * (before_the_end - 1) + b"\0"
    read = live(0x10000, bytes(3 * PAGE - before_the_end) + text)
    assert string(read, start) == (text[:-1][:PAGE], before_the_end <= PAGE)
    assert beginning(read, start, 10**5) == text


def test_a_string_without_its_nul_is_not_whole() -> None:
    assert string(live(PAGE, b"abc"), PAGE) == (b"abc", False)
    assert string(reader((1, b"abc")), 1) == (b"abc", False)
    assert string(reader((1, b"abc\0def")), 1) == (b"abc", True)
    assert string(reader((1, b"x" * 9 + b"\0")), 1, 9) == (b"x" * 9, False)
    with pytest.raises(OSError):
        string(live(PAGE, b"abc"), 5)


def test_a_long_path_is_kept_in_full_and_a_cut_one_says_so() -> None:
    call = Called(0, False, (0x100, 0, 0, 0, 0, 0), ((0x100, b"y" * 4095 + b"\0"),))
    assert decoding.arguments("chdir", call, decoding.reader_of(call))[0].text == f'"{"y" * 4095}"'
    call = Called(0, False, (0x100, 0, 0, 0, 0, 0), ((0x100, b"y" * 4096),))
    assert decoding.arguments("chdir", call, decoding.reader_of(call))[0].text == f'"{"y" * 4096}"...'


def test_after_an_execve_the_memory_is_another_programs() -> None:
    call = Called(59, False, (0x1000, 0x1000, 0, 0, 0, 0))
    texts = [argument.text for argument in decoding.arguments("execve", call, live(0x1000, b"junk\0" * 100), 0)]
    assert texts == ["0x1000", "0x1000", "NULL"]


def garbage(chance: random.Random) -> Callable[[int, int], bytes]:
    """Memory at some addresses and none at others, as if a thread wrote to it all the time."""

    def read(address: int, length: int) -> bytes:
        assert 0 < length < 2**20, "what a tracee says must not decide how much ptmon reads"
        if chance.random() < 0.2:
            raise OSError(errno.EFAULT, "Bad address")
        return chance.randbytes(length)

    return read


def names() -> list[tuple[str, bool]]:
    known = {
        (name, compat) for abi, compat in (("x86_64", False), ("i386", True)) for name in syscalls.table(abi).values()
    }
    return sorted(known | {("syscall_999", False), ("send", True), ("recv", True)})


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_tracee_passes_some_text_is_made_of_it(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(seed)
    for name, compat in names():
        for _ in range(3):
            args = tuple(chance.choice((*EDGES, chance.getrandbits(64), chance.getrandbits(10))) for _ in range(6))
            kept = tuple(
                (address, chance.randbytes(chance.randrange(200))) for address in args if chance.random() < 0.7
            )
            call = Called(0, compat, args, kept)
            result = chance.choice((None, 0, 1, 35, -2, -512, -(2**63), 2**63 - 1, 4096))
            for read in (decoding.reader_of(call), garbage(chance)):
                for argument in decoding.arguments(name, call, read, result):
                    assert argument.name
                    assert argument.text
                    assert argument.text.isprintable(), (name, args, argument)
            if result is not None:
                assert decoding.result_text(name, result, compat).isprintable()
    assert capfd.readouterr() == ("", "")


def test_no_formatter_stumbles_over_what_a_tracee_passes() -> None:
    """decode() would catch it, and show a number where it could have said more."""
    chance = random.Random(11)
    for name, compat in names():
        for result in (None, 0, 35, -2, 2**63 - 1):
            args = tuple(chance.choice((*EDGES, chance.getrandbits(32))) & (2**32 - 1) for _ in range(6))
            frame = Frame(name, (*args, 0), garbage(chance), result, 4 if compat else 8, 32)
            for index, parameter in enumerate(parameters(name, compat) or ()):
                with suppress(OSError):
                    parameter.format(frame, index)


def test_calls_are_decoded_fast_enough_for_a_log() -> None:
    address = b"\2\0\x1f\x90\x7f\0\0\1" + bytes(8)
    calls = {
        "openat": Called(257, False, (2**64 - 100, 0x100, 0o2000000, 0, 0, 0), ((0x100, b"/etc/passwd\0"),)),
        "connect": Called(42, False, (3, 0x100, 16, 0, 0, 0), ((0x100, address),)),
        "sendto": Called(44, False, (3, 0x100, 35, 0x4000, 0, 0), ((0x100, b"x" * 32),)),
    }
    for name, call in calls.items():
        decode = partial(decoding.arguments, name, call, decoding.reader_of(call))
        # It takes about 12 µs; the bound is wide, for slow and busy machines.
        assert min(timeit.repeat(decode, number=1000)) / 1000 < 300e-6, name
