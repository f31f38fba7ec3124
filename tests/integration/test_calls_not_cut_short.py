# SPDX-License-Identifier: GPL-2.0-or-later
"""A call that blocks or takes long returns what it returns without ptmon, however its program is disturbed meanwhile.

To change a program's code ptmon stops all of its threads; so it does when it attaches or detaches, and when all of them
get a seccomp filter. The kernel then ends some calls early: with a part of the bytes, with EINTR, or so that they begin
anew with their whole time limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blocking import CALLS, EARLY, LATE, Ended, Runner
from tests.fast import MODES
from tests.support import TEST_OPTIONS, Targets, run_plain
from tests.watching import X86

LONG = "a long call that never sleeps; on a busy machine it can't be told from a thread in user mode"
CUT_SHORT = dict.fromkeys(("getrandom", "read-urandom", "read-zero", "copy_file_range", "sendfile-file"), LONG)
"""Calls that end early when ptmon attaches or detaches, or all threads get a seccomp filter, for the kernel leaves no
other way, and why: as docs/COUNTING.md says."""

GO_ON = ("read-pipe", "read-unix", "accept-unix", "futex-wake", "poll-pipe", "usleep")
"""Some calls of which each has another place in the C library, for what is seldom tried: that ptmon is killed. Those
that are met at a breakpoint are not among them (docs/COUNTING.md, "Calls that are cut short")."""

INSIDE = pytest.mark.skipif(not X86, reason="calls are not counted inside here: that is for x86_64")

ALL_MODES = (*MODES, "attach") if X86 else tuple(MODES)
"""Other machines have no breakpoints: an attach interrupts all threads there (docs/COUNTING.md)."""

AT_ONCE = 8
"""Targets that run at a time: most of them only wait."""

PAGE = Path(__file__).parents[2] / "docs" / "COUNTING.md"


class Runs:
    """What the selected tests will ask for, under way from the first test on."""

    def __init__(self, pool: ThreadPoolExecutor, runner: Runner) -> None:
        self.pool = pool
        self.runner = runner
        self.futures: dict[tuple[str, str], Future[Ended]] = {}

    def begin(self, name: str, mode: str) -> None:
        for how in ("native", mode):
            self.runner.program(CALLS[name], how)  # compiled here, not by two threads at once
        for key in ((name, "native"), (name, mode)):
            if key not in self.futures:
                self.futures[key] = self.pool.submit(self.runner, CALLS[name], key[1])

    def __call__(self, name: str, mode: str) -> Ended:
        return self.futures[name, mode].result()


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, targets: Targets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = Runs(pool, Runner(targets, tmp_path_factory.mktemp("calls")))
        asked = [
            (str(item.callspec.params["name"]), str(item.callspec.params["mode"]))
            for item in request.session.items
            if isinstance(item, pytest.Function) and item.originalname == test_a_call_returns_as_without_ptmon.__name__
        ]
        programs = {(CALLS[name].program, how): CALLS[name] for name, mode in asked for how in ("native", mode)}
        for (_, mode), call in programs.items():
            runs.runner.program(call, mode)
        for name, mode in asked:
            runs.begin(name, mode)
        yield runs
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("mode", [*ALL_MODES, "locked"])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_returns_as_without_ptmon(runs: Runs, name: str, mode: str) -> None:
    native, traced = runs(name, "native"), runs(name, mode)
    if mode in ("attach", "locked") and name in CUT_SHORT:
        return
    assert traced.returned == native.returned
    if CALLS[name].kind == "EXPIRES":
        if native.late >= LATE or not traced.meanwhile:
            pytest.skip("this machine is too busy to tell what is late")
        assert -EARLY < traced.late < LATE
    if mode != "attach":
        totals = traced.report["totals"]
        assert traced.report["complete"] or CALLS[name].program == "blocking_rings", traced.report["warnings"]
        assert (totals["sent"], totals["received"]) == (traced.sent, traced.received)


@INSIDE
@pytest.mark.parametrize("name", GO_ON)
def test_a_call_that_is_under_way_returns_when_ptmon_is_killed(runs: Runs, name: str) -> None:
    """Its thread comes back to where the code was changed meanwhile, and nobody moves it on."""
    runs.begin(name, "killed")
    native, left_alone = runs(name, "native"), runs(name, "killed")
    assert left_alone.changed
    assert left_alone.returned == native.returned


@INSIDE
@pytest.mark.parametrize("mode", [mode for mode in ALL_MODES if mode != "off"])
def test_most_calls_last_while_the_code_is_changed(runs: Runs, mode: str) -> None:
    """Else the test above would be one of nothing. (Threads that can't be stopped in time may keep their code.)"""
    if TEST_OPTIONS:
        pytest.skip("by other options the code may change before the call, or never")
    for name in CALLS:
        runs.begin(name, mode)
    futures = [runs.futures[name, mode] for name in CALLS]
    changed = [future for future in futures if future.exception() is None and future.result().changed]
    assert len(changed) > 3 / 4 * len(CALLS)


@pytest.mark.parametrize("program", sorted({call.program for call in CALLS.values()}))
def test_each_call_of_a_program_is_tested(targets: Targets, program: str) -> None:
    names = run_plain(targets(program)).stdout.split()
    assert names == [name for name, call in CALLS.items() if call.program == program]


def test_the_page_names_the_calls_that_are_cut_short() -> None:
    """The items of its section that begin with a call's name: ``* `NAME`: REASON``."""
    section = PAGE.read_text().partition("\n### Calls that are cut short\n")[2].partition("\n#")[0]
    items = re.findall(r"^\* `([^`]+)`: (.*(?:\n  .*)*)", section, re.MULTILINE)
    assert {name: " ".join(reason.split()) for name, reason in items} == CUT_SHORT
    assert set(CUT_SHORT) <= set(CALLS)
