# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that are held for a hook: asked about at entry and exit, answered or let pass."""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter

from ptmon.engines import EngineSettings
from ptmon.records import Denied, Entered, Exec, Exit, Returned, Transfer
from ptmon.watches import Condition, Rule
from tests.support import Targets
from tests.watching import (
    EXECVE,
    GETPPID,
    OPENAT,
    READ,
    Hold,
    Kill,
    Refuse,
    Return,
    Run,
    Stop,
    holding,
    telling,
    watch_attached,
)


def test_a_hook_answers_for_a_program_with_a_filter_of_its_own(watched: Run) -> None:
    traced = watched("filtered", watches=(holding(GETPPID),), hold=Return(value=-errno.EPIPE))
    assert (traced.code, traced.signal, traced.told) == (0, None, [0, -errno.EPIPE])


def test_a_hook_refuses_one_execve_and_lets_others_pass(watched: Run) -> None:
    hold = Refuse(path="/bin/false")
    traced = watched("execve", "/bin/true", "/bin/false", "/bin/true", watches=(holding(EXECVE),), hold=hold)
    assert traced.told == [0, errno.EPERM, 0]
    (denied,) = traced.of(Denied)
    assert (denied.rule, denied.error, denied.call.number) == ("hook refuse", errno.EPERM, EXECVE)
    paths = [path.split(b"\0")[0] for _, _, result, path in traced.seen if result is None]
    assert paths == [b"/bin/true", b"/bin/false", b"/bin/true"]
    assert [result for _, _, result, _ in traced.seen if result is not None] == [0, -errno.EPERM, 0]
    assert len(traced.of(Exec)) == 3


def test_a_hook_returns_a_value_for_a_call_that_is_not_made(watched: Run) -> None:
    traced = watched("getppid", "1", "3", watches=(telling(GETPPID, hold=True),), hold=Return(value=7))
    assert traced.told == [0]  # the parent that it had asked for before was 7, too
    assert {record.result for record in traced.of(Returned)} == {7}
    assert {result for _, _, result, _ in traced.seen} == {None, 7}


def test_a_transfer_that_is_not_made_moves_nothing(watched: Run) -> None:
    """The program believes to have written and read; the calls count, bytes do not."""
    traced = watched("pair", watches=(holding(READ),), hold=Return(value=5, third=5))
    assert traced.told == [5, 5, 0]
    moved = {(record.syscall, record.calls, record.bytes, record.error) for record in traced.of(Transfer)}
    assert moved == {("write", 1, 5, 0), ("read", 1, 0, 0)}


def test_a_transfer_that_a_hook_refuses_has_failed(watched: Run) -> None:
    traced = watched("pair", watches=(holding(READ),), hold=Return(value=-errno.EIO, third=5))
    assert traced.told == [5, -errno.EIO, 0]
    assert ("read", 1, 0, errno.EIO) in {
        (record.syscall, record.calls, record.bytes, record.error) for record in traced.of(Transfer)
    }


def test_a_call_that_64_threads_make_is_held_each_time(watched: Run) -> None:
    traced = watched("getppid", "64", "20", watches=(holding(GETPPID),), hold=Hold())
    assert traced.told == [0]
    asked = Counter((tid, result is None) for tid, _, result, _ in traced.seen)
    by_threads = {
        key: count for key, count in asked.items() if key[0] not in {record.pid for record in traced.of(Exec)}
    }
    assert len(by_threads) == 2 * 64 and set(by_threads.values()) == {20}


def test_a_process_that_is_killed_while_it_is_held_ends(watched: Run) -> None:
    traced = watched("getppid", "8", "100", watches=(holding(GETPPID),), hold=Kill())
    assert (traced.code, traced.signal) == (None, signal.SIGKILL)
    assert len(traced.seen) == 1
    assert not traced.of(Denied)  # it is gone: nothing was refused
    assert {record.signal for record in traced.of(Exit)} == {signal.SIGKILL}


def test_after_a_stop_nobody_is_held_or_told_of(watched: Run) -> None:
    traced = watched("getppid", "4", "500", watches=(telling(GETPPID, hold=True),), hold=Stop())
    assert traced.told == [0]
    assert len(traced.seen) == 3 and len(traced.of(Entered)) < 10


def test_a_rule_goes_on_refusing_after_a_stop(watched: Run) -> None:
    rules = (Rule("rule", OPENAT, False, errno.EACCES, Condition.VALUE, 2, os.O_WRONLY | os.O_CREAT | os.O_TRUNC),)
    command = ("/bin/sh", "-c", "for i in 1 2 3 4 5; do /bin/true; done; echo >/dev/null || echo 13")
    traced = watched(command=command, watches=(holding(EXECVE),), hold=Stop(), rules=rules)
    assert traced.told[-1:] == [13]


def test_an_attached_process_that_is_let_go_while_it_is_held_runs_on(targets: Targets) -> None:
    settings = EngineSettings(watches=(holding(GETPPID),), hold=Stop())
    traced = watch_attached(settings, targets("watched"), "-w", "getppid", "4", "500")
    assert traced.told == [0] and len(traced.seen) == 3
    assert not traced.of(Exit) and traced.code is None
