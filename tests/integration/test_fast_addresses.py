# SPDX-License-Identifier: GPL-2.0-only
"""The memory that counts calls inside a program: it lies at addresses that are the program's, and is given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attaching import assert_free, attached, busy
from tests.fast import Fast
from tests.support import Targets

AT = "7c800000-"
"""Where that memory begins (native/fast/layout.h), as /proc/PID/maps has it."""


def maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def code(pid: int) -> list[bytes]:
    """The bytes of all that can be executed, as far as they can be read (not the vsyscall page)."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps(pid).splitlines():
            span, access = line.split()[:2]
            begin, end = (int(word, 16) for word in span.split("-"))
            if "x" in access and "vsyscall" not in line:
                memory.seek(begin)
                found.append(memory.read(end - begin))
    return found


@pytest.mark.parametrize("traffic", ["rests", "goes on"])
@pytest.mark.parametrize("libc", ["glibc", "static"])
def test_after_a_detach_a_program_has_the_memory_that_it_had(
    targets: Targets, tmp_path: Path, libc: str, traffic: str
) -> None:
    with busy(targets("busy", *(["-static"] if libc == "static" else []))) as target:
        target.transfer()
        before = maps(target.pid), code(target.pid)
        for _ in range(3):
            with attached(target.pid, tmp_path / "r.json", "--fast-after", "1") as ptmon:
                target.transfer()
                assert AT in maps(target.pid)
                if traffic == "goes on":
                    target.ask("go")
                ptmon.detach()
            target.ask("pause")
            assert_free(target.pid)
            assert ptmon.report["path"]["fast"] > 0
            assert (maps(target.pid), code(target.pid)) == before
        target.quit()


OWN = ["fixed", "noreplace", "hint", "low", "unmap", "moved", "heap", "space", "data", "lock"]


@pytest.mark.parametrize("mode", OWN)
def test_a_program_has_all_its_addresses_and_limits_for_itself(fast: Fast, mode: str) -> None:
    fast("mapped", mode, same=False)


@pytest.mark.parametrize("mode", ["fixed", "heap"])
def test_so_has_one_whose_heap_begins_below_them(fast: Fast, mode: str) -> None:
    fast("mapped", mode, libc="static", same=False)


@pytest.mark.parametrize("mode", OWN)
def test_a_program_has_all_its_addresses_and_limits_for_itself_after_an_attach(fast: Fast, mode: str) -> None:
    fast.attached("mapped", mode, patched=True)
