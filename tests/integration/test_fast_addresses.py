# SPDX-License-Identifier: GPL-2.0-or-later
"""The memory that counts calls inside a program: it lies at addresses that are the program's, and is given back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.attaching import assert_free, attached, busy
from tests.fast import Fast
from tests.support import DEADLINE, Targets, run_ptmon, started, until

AT = "7c800000-"
"""Where that memory begins (native/fast/image/layout.h), as /proc/PID/maps has it."""

JUMP = re.compile(rb"\xff\x24\x25..\x80\x7d", re.DOTALL)
"""jmp [FAST_POINTERS + ...]: what a program's code has where its calls are counted inside of it."""


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

        def has_jumps() -> bool:
            target.transfer()
            return any(JUMP.search(piece) for piece in code(target.pid))

        assert not has_jumps()
        for _ in range(3):
            with attached(target.pid, tmp_path / "r.json", "--fast-after", "1") as ptmon:
                until(has_jumps, "its code is changed")  # not at once, if its threads could not be stopped in time
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


@pytest.mark.parametrize("limit", ["v", "d"])
def test_a_program_whose_memory_is_limited_keeps_all_of_it(targets: Targets, tmp_path: Path, limit: str) -> None:
    words: list[str | Path] = ["sh", "-c", f'ulimit -{limit} 4000000 && exec "$0" "$@"', targets("mapped"), "unmap"]
    traced = run_ptmon(words, tmp_path / "r.json", ["--fast-after", "1"])
    assert (traced.totals["sent"], traced.totals["received"]) == (traced.told["sent"], traced.told["received"])
    assert traced.report["path"]["fast"] == 0
    assert any("limited" in row["reason"] for row in traced.report["fallbacks"])


WAYS = ["map", "protect", "move", "share", "low", "old", "new", "child", "thread"]
"""How code may come to where calls are not shown to ptmon: tests/targets/stowed.c."""


@pytest.mark.parametrize("when", ["soon", "late"])
@pytest.mark.parametrize("way", WAYS)
def test_calls_by_code_that_a_program_puts_at_these_addresses_are_counted(fast: Fast, way: str, when: str) -> None:
    fast("stowed", way, *(["late"] if when == "late" else []), patched=False)


def test_so_are_those_of_code_that_another_process_puts_there(targets: Targets, tmp_path: Path) -> None:
    traced = run_ptmon([targets("stowed"), "memory"], tmp_path / "r.json")
    assert (traced.totals["sent"], traced.totals["received"]) == (traced.told["sent"], traced.told["received"])
    assert traced.report["complete"]


@pytest.mark.parametrize("when", ["soon", "late"])
def test_so_are_those_of_code_that_is_linked_to_there(fast: Fast, targets: Targets, when: str) -> None:
    program = targets("stowed", "-DLINKED", "-no-pie", "-Wl,--section-start=.stowed=0x7d805000")
    fast(program, "linked", *(["late"] if when == "late" else []), patched=False)


def test_a_handler_that_has_left_its_stack_comes_back_after_a_detach(targets: Targets, tmp_path: Path) -> None:
    with started([targets("swapped")], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", "--fast-after", "1") as ptmon:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "away\n"
            ptmon.detach()
        assert ptmon.report["path"]["fast"] > 0
        out, errors = process.communicate("\n", timeout=DEADLINE)
        assert (process.returncode, out, errors) == (0, "done\n", "")
