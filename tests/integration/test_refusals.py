# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that a rule refuses: what the program sees, and what the engine says."""

from __future__ import annotations

import errno
import os
import socket
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ptmon.engines import EngineSettings
from ptmon.records import Denied, Entered, Exec, Returned, Transfer
from ptmon.watches import Condition, Rule
from tests.support import Targets, run_plain
from tests.watching import (
    CONNECT,
    EXECVE,
    GETPPID,
    SENDMMSG,
    SENDMSG,
    SENDTO,
    SOCKET,
    Hold,
    Run,
    outside,
    telling,
    watch,
    watch_attached,
)


@pytest.mark.parametrize("told", [True, False])
def test_a_connect_to_the_outside_is_refused(watched_any: Run, told: bool) -> None:
    """On i386 each address is tried by socketcall and by connect."""
    rule = replace(outside(watched_any, CONNECT, Condition.ADDRESS, 1), told=told)
    traced = watched_any("connect", "192.0.2.1", "127.0.0.1", rules=(rule,))
    times = 2 if watched_any.compat else 1
    assert traced.told == [-errno.EACCES] * times + [0] * times
    denied = traced.of(Denied)
    assert len(denied) == (times if told else 0)
    for record in denied:
        assert (record.rule, record.error) == (rule.text, errno.EACCES)
        assert record.call.number == watched_any.number(CONNECT)
        address = dict(record.call.memory)[record.call.args[1]]
        assert address[:8] == b"\x02\0\0\x09" + socket.inet_aton("192.0.2.1")


def test_a_refused_transfer_is_a_call_that_failed(watched_any: Run) -> None:
    rules = (
        outside(watched_any, SENDTO, Condition.ADDRESS, 4),
        outside(watched_any, SENDMSG, Condition.MESSAGE, 1),
        outside(watched_any, SENDMMSG, Condition.MESSAGES, 1),
    )
    traced = watched_any("send", "192.0.2.1", "127.0.0.1", rules=rules)
    socketcall = 1 if watched_any.compat else 0
    assert traced.told == [-errno.EACCES] * (3 + socketcall) + [7, 7, 2] + [7] * socketcall
    failed = Counter(record.syscall for record in traced.of(Transfer) if record.error == errno.EACCES)
    assert failed == {"sendto": 1 + socketcall, "sendmsg": 1, "sendmmsg": 1}
    assert sum(record.bytes for record in traced.of(Transfer)) == 7 + 7 + 14 + 7 * socketcall
    assert Counter(record.rule for record in traced.of(Denied)) == {
        rules[0].text: 1 + socketcall, rules[1].text: 1, rules[2].text: 1
    }  # fmt: skip


def test_a_rule_looks_at_a_value(watched_any: Run) -> None:
    families = [socket.AF_INET, socket.AF_NETLINK]
    rule = watched_any.rule(SOCKET, error=errno.EPERM, condition=Condition.VALUE, value=socket.AF_NETLINK)
    traced = watched_any("socket", *(str(int(family)) for family in families), rules=(rule,))
    assert traced.told == [0, -errno.EPERM]
    (denied,) = traced.of(Denied)
    assert denied.call.args[0] == socket.AF_NETLINK and denied.error == errno.EPERM


@pytest.mark.parametrize("told", [True, False])
def test_a_rule_without_condition_refuses_always(watched_any: Run, told: bool) -> None:
    rule = watched_any.rule(SOCKET, error=errno.ENOTTY, told=told)
    traced = watched_any("socket", "1", "2", rules=(rule,))
    assert traced.told == [-errno.ENOTTY] * 2
    assert len(traced.of(Denied)) == (2 if told else 0)


@pytest.mark.parametrize("told", [True, False])
def test_the_program_itself_starts_under_a_rule_that_refuses_execve(watched: Run, told: bool, tmp_path: Path) -> None:
    traced = watched("execve", "/bin/true", rules=(watched.rule(EXECVE, error=errno.EPERM, told=told),))
    assert traced.told == [errno.EPERM]
    assert len(traced.of(Denied)) == (1 if told else 0)
    assert len(traced.of(Exec)) == 1


def test_a_program_that_is_searched_in_path_starts_under_that_rule(watched: Run) -> None:
    """execvpe(3) tries several paths, and each try is an execve."""
    rules = (watched.rule(EXECVE, error=errno.EPERM, told=False),)
    settings = EngineSettings(command=("true",), seccomp=watched.seccomp, rules=rules)
    traced = watch(settings, env={**os.environ, "PATH": f"/nonexistent:/tmp:{os.environ['PATH']}"})
    assert traced.code == 0 and len(traced.of(Exec)) == 1


def test_a_denial_is_told_between_the_enter_and_the_return_of_its_call(watched: Run) -> None:
    rule = watched.rule(GETPPID, error=errno.EPERM)
    traced = watched("getppid", "1", "1", watches=(telling(GETPPID, hold=True),), rules=(rule,), hold=Hold())
    ours = [record for record in traced.records if isinstance(record, Denied | Entered | Returned)]
    assert [type(record) for record in ours[-3:]] == [Entered, Denied, Returned]
    assert [record.result for record in traced.of(Returned)] == [-errno.EPERM] * 2
    assert traced.seen == []  # a hook is not asked about what is refused anyway


@pytest.mark.parametrize("told", [True, False])
def test_a_filter_of_the_programs_own_does_not_kill_for_a_refusal(watched: Run, told: bool) -> None:
    """The program allows itself four calls, and is killed for any other: it must not look like another."""
    assert run_plain(watched.targets("watched"), "filtered").stdout.split() == ["0", "0"]
    traced = watched("filtered", rules=(watched.rule(GETPPID, error=errno.EPERM, told=told),))
    assert (traced.code, traced.signal, traced.told) == (0, None, [0, -errno.EPERM])
    assert len(traced.of(Denied)) == (1 if told else 0)


@pytest.mark.parametrize("work", ["getppid", "filtered"])
def test_a_call_of_a_process_that_is_attached_to_is_refused(targets: Targets, work: str) -> None:
    """There is no filter of ptmon's in it; and in one of the two there is one of its own."""
    settings = EngineSettings(rules=(Rule("rule", GETPPID, False, errno.EPERM),), watches=(telling(GETPPID),))
    traced = watch_attached(settings, targets("watched"), "-w", work, "1", "1")
    told = {"getppid": [0], "filtered": [0, -errno.EPERM]}[work]
    assert (traced.code, traced.signal, traced.told) == (0, None, told)
    assert {record.error for record in traced.of(Denied)} == {errno.EPERM}
    assert {record.result for record in traced.of(Returned)} == {-errno.EPERM}
