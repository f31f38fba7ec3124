# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger: processes, threads, system calls, warnings; and the sums, which always agree."""

from __future__ import annotations

import errno
import random

import pytest

from ptmon.ledger.ledger import Ledger
from ptmon.ledger.snapshot import Since
from ptmon.records import Direction, FallbackReason, Incomplete, Reason, Record
from ptmon.report import Ended, Report
from tests.support import assert_sums_agree
from tests.unit.build import (
    ATTACHED,
    HEADER,
    PTMON,
    ROOT,
    born,
    close,
    executes,
    exits,
    falls_back,
    inet,
    peeked,
    received,
    report_of,
    sent,
    server,
    tcp,
    transfer,
    udp,
)


def sums_agree(report: Report) -> Report:
    assert_sums_agree(report.to_json())
    return report


def test_five_clients_make_175_bytes_each_way() -> None:
    report = sums_agree(report_of(server()))
    assert (report.totals.sent, report.totals.received) == (175, 175)
    assert (report.totals.calls_sent, report.totals.calls_received, report.totals.errors) == (5, 5, 0)
    assert report.exit == Ended(0, None)
    assert report.complete
    assert list(report.by_family) == ["inet"]
    assert list(report.by_scope) == ["loopback"]
    assert [socket.audit for socket in report.sockets] == ["match"] * 5


def test_peeked_bytes_are_not_received() -> None:
    report = sums_agree(report_of([tcp(1), peeked(10), received(35)]))
    assert (report.totals.received, report.totals.peeked, report.totals.calls_received) == (35, 10, 2)
    assert (report.sockets[0].received, report.sockets[0].peeked) == (35, 10)
    assert report.by_syscall["recvfrom"].bytes == 35


def test_failed_calls_are_counted_with_their_errno() -> None:
    report = report_of([tcp(1), received(0, error=errno.EAGAIN, calls=3), received(0, error=errno.EINTR), sent(5)])
    assert report.totals.errors == 4
    assert (report.totals.calls_sent, report.totals.calls_received) == (1, 4)
    row = report.by_syscall["recvfrom"]
    assert (row.calls, row.errors, dict(row.errnos)) == (4, 4, {"EAGAIN": 3, "EINTR": 1})
    assert "errnos" not in report.to_json()["by_syscall"]["sendto"]


def test_one_record_may_stand_for_many_calls() -> None:
    report = sums_agree(report_of([tcp(1), sent(3500, calls=100)]))
    assert (report.totals.sent, report.totals.calls_sent, report.by_syscall["sendto"].calls) == (3500, 100, 100)


def test_a_further_peers_share_of_a_call_adds_bytes_but_no_call() -> None:
    records = [udp(1, 9, inet("127.0.0.1", 1)), udp(2, 9, inet("127.0.0.1", 2)), sent(5, 1), sent(7, 2, calls=0)]
    report = sums_agree(report_of(records))
    assert (report.totals.sent, report.totals.calls_sent) == (12, 1)
    assert [(row.peer, row.sent) for row in report.sockets] == [("127.0.0.1:1", 5), ("127.0.0.1:2", 7)]


def test_a_transfer_on_no_known_socket_is_in_every_sum() -> None:
    report = sums_agree(report_of([sent(5, 0), received(7, 99)]))
    assert [(row.id, row.family, row.scope) for row in report.sockets] == [
        (0, "unknown", "unknown"),
        (99, "unknown", "unknown"),
    ]
    assert report.by_family["unknown"].sent == 5


def test_a_forked_child_is_called_as_its_parent_until_it_execs() -> None:
    records: list[Record] = [born(ROOT, ROOT, PTMON), executes("sh"), born(20, 20, ROOT), born(21, 21, 20)]
    report = report_of([*records, executes("ls", 21)])
    assert [(row.pid, row.ppid, row.name) for row in report.processes] == [
        (ROOT, PTMON, "sh"),
        (20, ROOT, "sh"),
        (21, 20, "ls"),
    ]


def test_a_thread_that_execs_becomes_the_leader_and_its_bytes_stay() -> None:
    records = [executes("old"), born(ROOT, 18, ROOT), tcp(1), sent(10, tid=18), executes("new", tid=18), sent(3)]
    report = sums_agree(report_of(records))
    (process,) = report.processes
    assert (process.name, process.sent) == ("new", 13)
    assert [(row.tid, row.sent) for row in process.threads] == [(ROOT, 3), (18, 10)]


def test_a_pid_used_again_is_another_process() -> None:
    records = [born(20, 20, ROOT), tcp(1), sent(1, pid=20), exits(20, 1), born(20, 20, ROOT, 2.0), sent(2, pid=20)]
    report = sums_agree(report_of(records))
    assert [(row.pid, row.sent, row.exit) for row in report.processes] == [(20, 1, Ended(1, None)), (20, 2, None)]


def test_a_child_may_act_before_its_birth_is_told() -> None:
    report = report_of([executes("sh"), tcp(1), sent(1, pid=20), born(20, 20, ROOT)])
    assert [(row.pid, row.ppid, row.name) for row in report.processes] == [(ROOT, PTMON, "sh"), (20, ROOT, "sh")]


def test_a_thread_has_its_own_name_once_it_is_known() -> None:
    records = [executes("server"), born(ROOT, 18, ROOT)]
    assert [row.name for row in report_of(records).processes[0].threads] == ["server", "server"]
    (process,) = report_of([*records, exits(tid=18, name="worker")]).processes
    assert [row.name for row in process.threads] == ["server", "worker"]
    assert process.ended_s is None


def test_the_exit_is_that_of_the_program_and_not_of_a_child() -> None:
    report = report_of([executes("sh"), born(20, 20, ROOT), exits(20, 3), exits(ROOT, None, 9)])
    assert report.exit == Ended(None, 9)


def test_a_program_that_is_not_counted_has_an_exit_and_no_row() -> None:
    report = report_of([executes("beta", 7), sent(5, pid=7), exits(7), exits(ROOT, 3)])
    assert [process.pid for process in report.processes] == [7]
    assert report.exit is not None and report.exit.code == 3


def test_a_program_that_was_not_seen_to_end_has_no_exit() -> None:
    assert report_of([executes("sh")]).exit is None


def test_an_attached_program_gives_its_command() -> None:
    found = executes("nginx", argv=("nginx", "-g"), attached=True, parent=1)
    report = report_of([found], ATTACHED)
    assert report.command == ("nginx", "-g")
    assert report.processes[0].ppid == 1


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_said_once_a_process_in_plain_words(reason: Reason) -> None:
    first = Incomplete(0.1, ROOT, reason, "io_uring_setup", errno.EPERM)
    report = report_of([first, first, Incomplete(0.2, 20, reason, None, 0)])
    assert [(row.reason, row.pid) for row in report.warnings] == [(reason.value, ROOT), (reason.value, 20)]
    assert f"process {ROOT}" in report.warnings[0].message
    assert "(io_uring_setup, EPERM)" in report.warnings[0].message
    assert "(" not in report.warnings[1].message
    assert report.complete == (reason in (Reason.PTRACE, Reason.INTERRUPTED))


def test_calls_are_counted_by_how_they_were_seen() -> None:
    records = [tcp(1), sent(5, calls=7, fast=True), received(0, error=errno.EAGAIN, fast=True), sent(1), peeked(1)]
    report = sums_agree(report_of(records))
    assert (report.path.fast, report.path.stop) == (8, 2)
    assert report_of([]).path.stop == 0


@pytest.mark.parametrize("reason", FallbackReason)
def test_a_fallback_is_said_once_a_process_in_plain_words_and_is_no_warning(reason: FallbackReason) -> None:
    records = [falls_back(reason, error=errno.ENOMEM), falls_back(reason), falls_back(reason, 20)]
    report = report_of(records)
    first, second = report.fallbacks
    assert (first.pid, second.pid) == (ROOT, 20)
    assert first.reason == f"{second.reason} (ENOMEM)"
    assert report.complete and not report.warnings and not report.processes


def test_a_snapshot_is_the_ledger_at_an_instant() -> None:
    ledger = Ledger(HEADER)
    for record in (executes("sh"), born(20, 20, ROOT), tcp(1), sent(30, time=0.2), received(4, time=1.3)):
        ledger.add(record)
    ledger.add(exits(20))
    snapshot = ledger.snapshot(1.5)
    assert (snapshot.time, snapshot.totals.sent, snapshot.totals.received) == (1.5, 30, 4)
    assert (snapshot.sent_per_second, snapshot.received_per_second) == (30, 0)
    assert (snapshot.processes, snapshot.sockets, snapshot.complete) == (1, 1, True)


def test_a_snapshot_tells_what_came_since_the_one_before() -> None:
    ledger = Ledger(HEADER)
    for record in (sent(35, time=0.1), received(7, time=0.2), sent(5, time=0.9)):
        ledger.add(record)
    first = ledger.snapshot(1.25)
    assert first.since == Since(1.25, 40, 7)
    assert (first.since.sent_per_second, first.since.received_per_second) == (32, 6)
    ledger.add(sent(11, time=1.3))
    second = ledger.snapshot(1.5, first)
    assert second.since == Since(0.25, 11, 0)
    assert (second.since.sent_per_second, second.since.received_per_second) == (44, 0)
    assert second.totals.sent == 51


def test_a_snapshot_in_between_changes_nothing_for_the_next() -> None:
    ledger = Ledger(HEADER)
    first = ledger.snapshot(1.0)
    ledger.add(sent(5, time=1.1))
    assert ledger.snapshot(1.2).since == Since(1.2, 5, 0)
    ledger.add(sent(6, time=1.3))
    assert ledger.snapshot(2.0, first).since == Since(1.0, 11, 0)


def test_two_snapshots_at_one_moment_have_no_rate_between_them() -> None:
    ledger = Ledger(HEADER)
    first = ledger.snapshot(1.0)
    ledger.add(sent(5, time=0.9))
    since = ledger.snapshot(1.0, first).since
    assert (since.sent, since.sent_per_second, since.seconds) == (5, 0, 0.0)


def test_rates_are_those_of_payload_bytes_without_peeked_ones() -> None:
    report = report_of([tcp(1), received(10, time=0.5), peeked(99, time=0.6), sent(20, time=1.5)], duration=2.0)
    assert (report.rates["received"].max, report.rates["sent"].max) == (10, 20)


def test_only_what_occurred_is_listed() -> None:
    report = report_of([tcp(1), udp(2, 5, b"")])
    assert (dict(report.by_family), dict(report.by_scope), dict(report.by_syscall)) == ({}, {}, {})


@pytest.mark.parametrize("seed", range(20))
def test_the_sums_agree_whatever_happens(seed: int) -> None:
    rng = random.Random(seed)
    ledger = Ledger(HEADER, max_sockets=rng.choice([1, 3, 1000]))
    moved = dict.fromkeys(Direction, 0)
    for step in range(500):
        number = rng.randrange(12)
        choice = rng.randrange(8)
        if choice == 0:
            ledger.add(tcp(number or 1, inode=rng.randrange(6), port=rng.randrange(3)))
        elif choice == 1:
            ledger.add(close(number or 1, rng.choice([None, (1, 1)])))
        elif choice == 2:
            pid = rng.randrange(20, 24)
            events: list[Record] = [born(pid, pid, ROOT), exits(pid), executes("x", pid, pid + 100)]
            ledger.add(rng.choice(events))
        else:
            way = rng.choice(list(Direction))
            pid = rng.randrange(20, 24)
            ledger.add(transfer(way, step, number, syscall="read", pid=pid, tid=rng.randrange(20, 30), time=step / 100))
            moved[way] += step
    report = sums_agree(ledger.report(5.0))
    assert (report.totals.sent, report.totals.received) == (moved[Direction.SENT], moved[Direction.RECEIVED])
    assert report.totals.peeked == moved[Direction.PEEKED] == sum(row.peeked for row in report.sockets)
    assert report.totals.calls_sent == sum(row.calls_sent for row in report.sockets)
