# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger's sockets: identity, the audit by the kernel's TCP counters, folding."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Iterator

from ptmon import notices
from ptmon.frozen import replace
from ptmon.ledger.ledger import Ledger
from ptmon.ledger.socket_table import CHURN
from ptmon.report import SocketReport, SocketRows
from tests.support import assert_sums_agree
from tests.unit.build import HEADER, close, inet, received, report_of, sent, tcp, udp


def test_the_kernels_counters_match() -> None:
    (row,) = report_of([tcp(1), sent(35), received(30), close(1, (35, 30))]).sockets
    assert (row.audit, row.closed_s) == ("match", 0.9)
    assert row.tcp is not None
    assert (row.tcp.bytes_sent, row.tcp.bytes_received, row.tcp.rtt_us) == (35, 30, 21)


def test_the_kernels_counters_differ_and_the_report_is_not_complete() -> None:
    report = report_of([tcp(1), sent(35), close(1, (36, 0)), tcp(2), sent(1, 2), close(2, (0, 0))])
    assert [row.audit for row in report.sockets] == ["differ", "differ"]
    assert not report.complete
    (warning,) = report.warnings
    assert (warning.reason, warning.pid) == ("audit", 17)
    assert "2 sockets" in warning.message


def test_counters_of_a_socket_that_was_not_seen_from_its_first_byte_prove_nothing() -> None:
    (row,) = report_of([tcp(1), sent(35), close(1, (999, 0), auditable=False)]).sockets
    assert row.audit == "unavailable"
    assert row.tcp is not None


def test_without_counters_there_is_no_audit() -> None:
    (row,) = report_of([udp(1, 5, inet("127.0.0.1", 9)), sent(35), close(1)]).sockets
    assert (row.audit, row.tcp) == ("unavailable", None)


def test_a_socket_left_open_at_a_detach_is_audited_but_not_closed() -> None:
    (row,) = report_of([tcp(1), sent(35), close(1, (35, 0), fd=-1)]).sockets
    assert (row.audit, row.closed_s) == ("match", None)


def test_a_transfer_after_a_close_makes_the_verdict_stale_until_the_next() -> None:
    records = [tcp(1), sent(35), close(1, (35, 0)), sent(5, pid=20)]
    assert report_of(records).sockets[0].audit == "unavailable"
    assert report_of([*records, close(1, (40, 0))]).sockets[0].audit == "match"


def test_a_failed_call_after_a_close_does_not_make_the_verdict_stale() -> None:
    records = [tcp(1), sent(35), close(1, (35, 0)), sent(0, error=32)]
    assert report_of(records).sockets[0].audit == "match"


def test_a_socket_that_the_engine_had_forgotten_is_one_row_still() -> None:
    records = [tcp(1, inode=7), sent(10, 1), tcp(5, inode=7), sent(5, 5), sent(1, 1), close(5, (16, 0))]
    (row,) = report_of(records).sockets
    assert (row.id, row.sent, row.audit) == (1, 16, "match")


def test_rows_of_unknown_inode_are_never_taken_for_one() -> None:
    assert len(report_of([tcp(1, inode=0), tcp(2, inode=0)]).sockets) == 2


def test_a_row_that_is_better_known_later_keeps_its_bytes() -> None:
    records = [udp(1, 7, b""), sent(10), udp(1, 7, inet("127.0.0.1", 9)), sent(5)]
    (row,) = report_of(records).sockets
    assert (row.peer, row.scope, row.sent) == ("127.0.0.1:9", "loopback", 15)


def test_a_row_that_turns_out_to_be_one_known_before_is_merged() -> None:
    peer = inet("127.0.0.1", 9)
    records = [udp(1, 7, peer), sent(1, 1), udp(2, 7, b""), sent(2, 2), udp(2, 7, peer), sent(4, 2), sent(8, 1)]
    (row,) = report_of(records).sockets
    assert (row.id, row.sent) == (1, 15)


def test_the_owners_of_a_socket_are_listed_in_their_order() -> None:
    (row,) = report_of([tcp(1), sent(1, pid=30), sent(1, pid=20), sent(1, pid=30)]).sockets
    assert row.pids == (30, 20)


def test_past_the_limit_closed_sockets_are_folded_by_their_peers_host() -> None:
    records = [
        record
        for number in range(1, 11)
        for record in (
            tcp(number, port=number, peer=f"10.0.0.{number % 2}"),
            sent(number, number),
            close(number, (number, 0)),
        )
    ]
    report = report_of(records, max_sockets=4)
    assert_sums_agree(report.to_json())
    folded = {row.peer: (row.folded, row.sent, row.audit) for row in report.sockets if row.folded}
    assert folded == {"10.0.0.1": (3, 1 + 3 + 5, "match"), "10.0.0.0": (3, 2 + 4 + 6, "match")}
    assert [row.id for row in report.sockets if not row.folded] == [7, 8, 9, 10]
    assert report.complete
    (warning,) = report.warnings
    assert (warning.reason, warning.pid) == ("folded", None)
    assert "no more than 4 sockets" in warning.message
    assert "6 closed sockets are" in warning.message


def test_the_note_on_folded_sockets_writes_all_numbers_alike() -> None:
    assert "no more than 5,000 sockets" in notices.folded(1234, 5000).message
    assert "1,234 closed sockets are folded" in notices.folded(1234, 5000).message
    assert "1 closed socket is folded" in notices.folded(1, 5000).message


def test_folded_rows_tell_the_sum_of_the_kernels_counters() -> None:
    records = [record for number in (1, 2, 3) for record in (tcp(number), sent(5, number), close(number, (5, 0)))]
    folded = next(row for row in report_of(records, max_sockets=1).sockets if row.folded)
    assert folded.tcp is not None
    assert (folded.folded, folded.tcp.bytes_sent, folded.inode, folded.local) == (2, 10, None, None)


def test_sockets_of_different_verdicts_are_not_folded_into_one() -> None:
    records = [record for number in (1, 2, 5) for record in (tcp(number), sent(2, number), close(number, (number, 0)))]
    report = report_of([*records, tcp(6)], max_sockets=1)
    assert [(row.folded, row.audit) for row in report.sockets if row.folded] == [(2, "differ"), (1, "match")]
    assert "2 sockets" in report.warnings[0].message


def test_open_sockets_are_never_folded() -> None:
    records = [record for number in range(1, 6) for record in (tcp(number), sent(5, number))]
    assert [row.folded for row in report_of(records, max_sockets=2).sockets] == [0] * 5


def test_bytes_that_follow_through_another_fd_of_a_folded_socket_are_in_the_sums() -> None:
    records = [tcp(1), sent(5), close(1, (5, 0)), tcp(2), sent(7, 1), tcp(1), sent(1, 1), close(1, (13, 0))]
    report = report_of(records, max_sockets=1)
    assert_sums_agree(report.to_json())
    assert {row.id: (row.folded, row.sent) for row in report.sockets} == {1: (1, 13), 2: (0, 0)}


def test_many_peers_of_one_inode_are_rows_of_their_own_and_are_joined_one_by_one() -> None:
    peers = [inet("10.0.0.1", port) for port in range(1, 51)]
    first = [record for at, peer in enumerate(peers) for record in (udp(at + 1, 7, peer), sent(1, at + 1))]
    again = [record for at, peer in enumerate(peers) for record in (udp(at + 101, 7, peer), sent(2, at + 101))]
    rows = report_of([*first, *again]).sockets
    assert [(row.id, row.inode, row.sent) for row in rows] == [(at + 1, 7, 3) for at in range(50)]


def test_a_peer_of_many_on_one_inode_that_is_folded_is_not_joined_with_a_later_one() -> None:
    peers = [inet("10.0.0.1", port) for port in range(1, 5)]
    records = [
        record
        for at, peer in enumerate(peers)
        for record in (udp(at + 1, 7, peer), sent(1, at + 1), close(at + 1, None))
    ]
    report = report_of([*records, udp(9, 7, peers[0]), sent(5, 9)], max_sockets=2)
    assert_sums_agree(report.to_json())
    assert [(row.id, row.folded, row.sent) for row in report.sockets] == [(4, 0, 1), (9, 0, 5), (1, 3, 3)]


def test_rows_stand_in_the_order_in_which_they_were_first_told_whatever_their_numbers() -> None:
    records = [tcp(9), sent(1, 9), sent(1, 0), tcp(3), sent(1, 3), tcp(7)]
    assert [row.id for row in report_of(records).sockets] == [9, 0, 3, 7]


def test_what_is_folded_by_the_thousand_stays_as_it_is() -> None:
    records = [
        record
        for number in range(1, 4 * CHURN)
        for record in (tcp(number, port=number % 60_000), sent(1, number), close(number, (1, 0)))
    ]
    most = CHURN // 2
    later = [tcp(4 * CHURN), sent(1, 1), sent(1, 4 * CHURN - most - 1)]  # the one is forgotten, the other is not yet
    report = report_of([*records, *later], max_sockets=most)
    assert_sums_agree(report.to_json())
    assert report.totals.sent == 4 * CHURN + 1
    rows = [row for row in report.sockets if not row.folded]
    assert [row.id for row in rows][-2:] == [4 * CHURN, 1]
    assert len(rows) == most


def test_rows_of_a_report_are_made_when_they_are_gone_through_and_kept_from_the_second_time_on() -> None:
    made: list[int] = []
    row = report_of([tcp(1), sent(3)]).sockets[0]

    def make() -> Iterator[SocketReport]:
        for number in range(3):
            made.append(number)
            yield replace(row, id=number)

    rows = SocketRows(make, 3)
    assert (len(rows), made) == (3, [])
    assert [one.id for one in rows] == [0, 1, 2]
    assert next(iter(rows)).id == 0
    assert made == [0, 1, 2] * 2
    assert [one.id for one in rows] == [0, 1, 2]
    assert (rows[1].id, [one.id for one in rows[1:]]) == (1, [1, 2])
    assert made == [0, 1, 2] * 2
    assert rows == tuple(rows)
    assert rows != ()
    assert hash(rows) == hash(tuple(rows))
    assert pickle.loads(pickle.dumps(rows)) == tuple(rows)


def test_a_report_of_many_sockets_that_is_written_once_needs_no_room_for_its_rows() -> None:
    count = 2000
    records = [record for number in range(1, count + 1) for record in (tcp(number, port=number), sent(1, number))]
    ledger = Ledger(HEADER)
    for record in records:
        ledger.add(record)
    tracemalloc.start()
    try:
        report = ledger.report(1.0)
        assert sum(row.sent for row in report.sockets) == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak / count < 300  # of which each row would take more than twice as much
