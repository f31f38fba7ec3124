# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that make themselves unreadable, or forbid themselves what a stub does, when calls are counted in them."""

from __future__ import annotations

import pytest

from tests.fast import MODES, Fast
from tests.hazards import Unprivileged, assert_counted
from tests.support import Outcome, Targets, run_ptmon


def hidden(targets: Targets, nobody: Unprivileged, how: str, mode: str) -> Outcome:
    program = nobody.copy(targets("hiding"))
    traced = run_ptmon([program, how], nobody.folder / "r.json", MODES[mode], **nobody.keywords)
    assert traced.returncode == 0, traced.stderr
    return traced


@pytest.mark.parametrize("mode", MODES)
def test_sockets_known_before_it_hid_are_counted_on(targets: Targets, nobody: Unprivileged, mode: str) -> None:
    traced = hidden(targets, nobody, "known", mode)
    assert_counted(traced, calls=True)
    assert traced.report["complete"], traced.report["warnings"]


@pytest.mark.parametrize("mode", MODES)
def test_new_sockets_of_a_process_that_hid_are_counted(targets: Targets, nobody: Unprivileged, mode: str) -> None:
    traced = hidden(targets, nobody, "new", mode)
    assert_counted(traced, calls=True)
    assert traced.report["complete"], traced.report["warnings"]
    assert len([row for row in traced.report["sockets"] if row["sent"] or row["received"]]) == 6


def test_what_cannot_be_read_any_more_is_said(targets: Targets, nobody: Unprivileged) -> None:
    traced = hidden(targets, nobody, "blocked", "first")
    missing = traced.told["received"] - traced.totals["received"]
    assert missing in (0, 11)
    assert traced.report["complete"] is (missing == 0), traced.report["warnings"]


def test_a_process_that_hides_while_it_is_attached_is_counted(fast: Fast) -> None:
    fast.attached("hiding", "known")
    fast.attached("hiding", "new")


@pytest.mark.parametrize("options", [(), ("--log=/dev/null",)])
def test_a_process_without_a_clock_is_counted(fast: Fast, options: tuple[str, ...]) -> None:
    report = fast("hiding", "clock", options=options).report
    if fast.mode != "off":
        assert "time stamp counter" in str(report["fallbacks"])
