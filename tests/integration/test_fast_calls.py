# SPDX-License-Identifier: GPL-2.0-or-later
"""However calls are counted: the same bytes, and a program that behaves as by itself. All calls, all kinds of libc."""

from __future__ import annotations

import pytest

from tests.fast import Fast

LIBCS = ("glibc", "static", "musl")
WAYS = ("libc", "write", "msg", "vector", "raw", "inline")
ANY_CALL = ("raw", "inline")
"""Ways whose instruction may make any call: it may be left as it is."""


@pytest.mark.parametrize("libc", LIBCS)
@pytest.mark.parametrize("way", WAYS)
def test_every_call_and_its_oddities_are_counted(fast: Fast, way: str, libc: str) -> None:
    # On a busy machine many a call stops before all threads can be halted.
    traced = fast("pingpong", way, "600", "3", "odd", libc=libc, patched=way not in ANY_CALL)
    assert traced.told["errors"] > 0
    assert traced.told["peeked"] > 0


@pytest.mark.parametrize("libc", LIBCS)
def test_every_call_is_counted_after_an_attach(fast: Fast, libc: str) -> None:
    fast.attached("pingpong", "libc", "300", "3", "odd", libc=libc, patched=True)


@pytest.mark.parametrize("way", ["write", "msg", "vector", "raw", "inline"])
def test_every_kind_of_call_is_counted_after_an_attach(fast: Fast, way: str) -> None:
    fast.attached("pingpong", way, "200", "2", "odd")


def test_eight_threads_begin_at_once(fast: Fast) -> None:
    fast("pingpong", "libc", "300", "8")


def test_registers_flags_and_the_red_zone_survive_every_call(fast: Fast) -> None:
    fast("registers", "300", patched=False)


def test_registers_flags_and_the_red_zone_survive_an_attach(fast: Fast) -> None:
    fast.attached("registers", "300")
