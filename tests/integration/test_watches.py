# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that are told of: what the engine says of them."""

from __future__ import annotations

import errno
import socket
from collections import Counter

import pytest

from ptmon.engines import EngineSettings, create
from ptmon.errors import PtmonError, UsageError
from ptmon.records import Clone, Denied, Entered, Exec, Returned, SocketClosed, Transfer
from ptmon.watches import Capture, CaptureKind, Rule
from tests.counting import I386
from tests.support import Targets
from tests.watching import (
    ARGV,
    CLONE,
    CLONE3,
    COMPAT,
    CONNECT,
    EXECVE,
    EXIT_GROUP,
    GETPPID,
    GETSOCKNAME,
    MOST,
    OPENAT,
    PATH,
    READ,
    WRITE,
    X86,
    Hold,
    Run,
    string,
    strings,
    telling,
    watch,
)


def test_a_call_is_told_with_its_path_and_what_it_returned(watched_any: Run) -> None:
    traced = watched_any(
        "openat", "/etc/passwd", "/nonexistent", watches=(watched_any.telling(OPENAT, Capture(), PATH),)
    )
    assert traced.told == [0, -errno.ENOENT]
    number = watched_any.number(OPENAT)
    assert {record.call.number for record in traced.of(Entered)} == {number}
    calls = [(string(enter.call, 1), enter.call.args) for enter in traced.of(Entered)]
    assert [path for path, _ in calls[-2:]] == [b"/etc/passwd", b"/nonexistent"]
    returned = traced.of(Returned)
    assert [record.call.args for record in returned] == [args for _, args in calls]
    assert returned[-2].result > 2 and returned[-1].result == -errno.ENOENT
    assert all(record.call.compat is watched_any.compat for record in returned)
    assert all(record.call.memory == () for record in returned)  # asked for at the entry only


def test_calls_that_are_not_watched_are_not_told(watched: Run) -> None:
    traced = watched("openat", "/etc/passwd", watches=(telling(GETPPID),))
    assert not traced.of(Entered) and not traced.of(Returned)


def test_an_execve_is_told_with_its_arguments_and_returns_0(watched_any: Run) -> None:
    traced = watched_any(
        "execve", "/bin/true", "/nonexistent", watches=(watched_any.telling(EXECVE, PATH, ARGV, ARGV),)
    )
    assert traced.told == [0, errno.ENOENT]
    entered, returned = traced.of(Entered), traced.of(Returned)
    assert [string(record.call, 0) for record in entered] == [b"/bin/true", b"/nonexistent"]
    assert strings(entered[0].call, 1) == [b"/bin/true", b"an argument"]
    assert strings(entered[0].call, 2) == [b"A=B"]
    assert [record.result for record in returned] == [0, -errno.ENOENT]
    assert [record.call.args for record in returned] == [record.call.args for record in entered]


def test_ptmons_own_execve_is_not_told(watched: Run) -> None:
    traced = watched("pair", watches=(telling(EXECVE, PATH),))
    assert traced.code == 0 and len(traced.of(Exec)) == 1
    assert not traced.of(Entered) and not traced.of(Returned)


def test_an_execve_by_another_thread_returns_in_the_leader(watched_any: Run) -> None:
    traced = watched_any("thread-execve", "/bin/true", watches=(watched_any.telling(EXECVE, PATH, ARGV),))
    assert traced.code == 0
    (enter,), (back,) = traced.of(Entered), traced.of(Returned)
    assert enter.pid != enter.tid and strings(enter.call, 1) == [b"/bin/true", b"by a thread"]
    assert (back.pid, back.tid, back.result) == (enter.pid, enter.pid, 0)


def test_a_fork_returns_the_child(watched: Run) -> None:
    traced = watched("clone", watches=(telling(CLONE), telling(CLONE3)))
    (child,) = traced.told
    assert [record.result for record in traced.of(Returned)] == [child]
    assert child in [record.tid for record in traced.of(Clone)]


@pytest.mark.skipif(not X86, reason="no such calls here")
@pytest.mark.parametrize("call", ["fork", "vfork"])
def test_the_old_forks_return_the_child_too(watched_any: Run, call: str) -> None:
    numbers = {"fork": (57, 2), "vfork": (58, 190)}
    number = numbers[call][watched_any.compat]
    traced = watched_any("clone", call, watches=(telling(number, compat=watched_any.compat, hold=True),), hold=Hold())
    (child,) = traced.told
    assert [record.call.number for record in traced.of(Entered)] == [number]
    assert [record.result for record in traced.of(Returned)] == [child]
    assert [result for _, _, result, _ in traced.seen] == [None, child]
    assert child in [record.tid for record in traced.of(Clone)]


def test_an_exit_is_entered_and_does_not_return(watched: Run) -> None:
    traced = watched("pair", watches=(telling(EXIT_GROUP),))
    (enter,) = traced.of(Entered)
    assert enter.call.args[0] == 0 and not traced.of(Returned)


def test_a_call_that_is_made_again_is_told_again(watched: Run) -> None:
    traced = watched("restart", watches=(telling(READ),))
    assert traced.told == [1]
    assert [record.result for record in traced.of(Returned)][-2:] == [-512, 1]  # ERESTARTSYS of linux/errno.h
    assert len(traced.of(Entered)) == len(traced.of(Returned))


def test_a_transfer_is_told_before_its_return(watched: Run) -> None:
    traced = watched("pair", watches=(telling(WRITE, Capture(), Capture(CaptureKind.SIZED, True, False, 3)),))
    kinds = [type(record) for record in traced.records if isinstance(record, Entered | Transfer | Returned)]
    at = kinds.index(Transfer)
    assert kinds[at - 1 : at + 2] == [Entered, Transfer, Returned]
    enter = traced.of(Entered)[0]
    assert enter.call.memory == ((enter.call.args[1], b"hel"),)


def test_what_a_call_leaves_in_memory_is_kept_at_its_return(watched: Run) -> None:
    pointed = Capture(CaptureKind.POINTED, at_exit=True, most=MOST)
    traced = watched("getsockname", watches=(telling(GETSOCKNAME, Capture(), pointed),))
    (back,) = traced.of(Returned)
    memory = dict(back.call.memory)
    assert memory[back.call.args[2]] == (16).to_bytes(4, "little")
    name = memory[back.call.args[1]]
    assert len(name) == 16 and [int.from_bytes(name[2:4], "big")] == traced.told


def test_bytes_that_were_read_are_kept_as_many_as_were_read(watched: Run) -> None:
    result = Capture(CaptureKind.RESULT, at_exit=True, most=MOST)
    traced = watched("pair", watches=(telling(READ, Capture(), result),))
    back = traced.of(Returned)[-1]
    assert back.result == 5 and back.call.memory == ((back.call.args[1], b"hello"),)


def test_a_socketcall_is_told_as_what_it_stands_for(targets: Targets, seccomp: str) -> None:
    if not X86:
        pytest.skip("no i386 here")
    watched = Run(targets, seccomp, I386)
    sized = Capture(CaptureKind.SIZED, at_entry=True, most=MOST)
    traced = watched("connect", "127.0.0.1", watches=(watched.telling(CONNECT, Capture(), sized),))
    first, second = traced.of(Entered)
    assert first.call.number == second.call.number == COMPAT[CONNECT]
    assert first.call.args[:3] == second.call.args[:3]  # the one by socketcall, and the one by connect
    assert dict(first.call.memory)[first.call.args[1]][4:8] == socket.inet_aton("127.0.0.1")
    assert [record.result for record in traced.of(Returned)] == [0, 0]
    traced = watched("connect", "127.0.0.1", watches=(telling(102, compat=True),))
    assert Counter(record.call.number for record in traced.of(Entered)) == {102: len(traced.of(Returned))}


def test_only_the_program_that_is_asked_for_is_told_of(watched: Run) -> None:
    watches = (telling(EXIT_GROUP, hold=True),)
    rules = (watched.rule(GETPPID, error=errno.EPERM),)
    command = ("/bin/sh", "-c", f"{watched.targets('watched')} getppid 1 1; /bin/true; exit 0")
    traced = watched(command=command, only="true", watches=watches, rules=rules, hold=Hold())
    names = {record.pid: record.name for record in traced.of(Exec)}
    assert [names.get(record.pid) for record in traced.of(Entered)] == ["true"]
    assert len(traced.seen) == 1
    assert len(traced.of(Denied)) > 0  # a rule is for all of them


def test_sockets_that_an_execve_may_leave_open_are_told_so(watched: Run) -> None:
    traced = watched(command=(str(watched.targets("inherited")), "exec"))
    assert traced.code == 0
    assert {record.maybe for record in traced.of(SocketClosed)} == {True, False}
    forked = watched(command=(str(watched.targets("inherited")), "forked"))
    assert {record.maybe for record in forked.of(SocketClosed)} == {False}


def test_a_number_that_no_abi_has_is_refused(targets: Targets) -> None:
    settings = EngineSettings(command=(str(targets("watched")), "pair"), watches=(telling(5000),))
    with pytest.raises(AssertionError, match="cannot watch system call 5000: EINVAL"):
        watch(settings)


def test_the_reference_engine_wants_no_rules_or_hooks() -> None:
    rule = Rule("r", GETPPID, False, 1)
    for settings in (
        EngineSettings(command=("x",), rules=(rule,)),
        EngineSettings(command=("x",), hold=Hold()),
    ):
        with pytest.raises(UsageError, match="--engine native"):
            create("reference", settings)
    with pytest.raises(PtmonError):
        create("reference", EngineSettings(command=("x",), guest=True))
