# SPDX-License-Identifier: GPL-2.0-or-later
"""--dump: what a program moves, on stderr, as hexdump -C shows bytes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.support import DEADLINE, PTMON, started

CODE = """
import os, socket
a, b = socket.socketpair()
for data in (b"hello", bytes(range(256)), bytes(100), b"y" * 16, bytes(64) + b"end", b"z" * 100_000):
    a.sendall(data)
    while len(b.recv(1 << 20, socket.MSG_PEEK)) < len(data):
        pass
    b.recv(1 << 20)
"""
SENT = (b"hello", bytes(range(256)), bytes(100), b"y" * 16, bytes(64) + b"end", b"z" * 100_000)
HEAD = re.compile(r"\d\d:\d\d:\d\d\.\d{6} (\d+) python\S* (send|receive) ([\d,]+) bytes (to|from) .*")


def dump(*options: str, code: str = CODE) -> list[str]:
    words = [*PTMON, "-q", "--dump", *options, "--", sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0
    return done.stderr.splitlines()


@pytest.mark.skipif(shutil.which("hexdump") is None, reason="hexdump is not installed")
def test_the_bytes_of_each_call_are_as_hexdump_shows_them() -> None:
    got = [match[3].replace(",", "") if (match := HEAD.fullmatch(line)) else line for line in dump()]
    wanted: list[str] = []
    for data in SENT:
        shown = subprocess.run(["hexdump", "-C"], input=data, capture_output=True, check=True).stdout.decode()
        wanted += [str(len(data)), *shown.splitlines()] * 2
    assert got == wanted


def test_what_is_longer_than_snaplen_is_cut_and_says_so() -> None:
    lines = dump("--snaplen", "16")
    heads = [line for line in lines if HEAD.fullmatch(line)]
    assert len(heads) == 2 * len(SENT)
    assert [line.endswith(", of which 16 are here") for line in heads] == [
        len(data) > 16 for data in SENT for _ in range(2)
    ]
    assert "00000010" in lines


def test_many_megabytes_come_whole() -> None:
    code = "import socket\na, b = socket.socketpair()\nfor _ in range(40): a.sendall(b'ab' * 50_000); b.recv(10**6)\n"
    lines = dump(code=code)
    heads = [match for line in lines if (match := HEAD.fullmatch(line))]
    assert sum(int(match[3].replace(",", "")) for match in heads if match[2] == "send") == 40 * 100_000
    assert not any("missing" in line for line in lines)


def test_nothing_is_told_of_a_program_that_moves_nothing() -> None:
    assert dump(code="pass") == []


def test_the_program_does_not_wait_for_who_reads_the_dump() -> None:
    code = "import socket\na, b = socket.socketpair()\nfor _ in range(9): a.sendall(b'ab' * 50_000); b.recv(10**6)\n"
    words = [*PTMON, "-q", "--dump", "--", sys.executable, "-c", f"{code}print('done', flush=True)"]
    with started(words) as ptmon:
        assert ptmon.stdout is not None
        assert ptmon.stdout.readline() == "done\n", "nobody has read stderr until now"
