# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own counters beside ptmon's, whatever way a connection ends. That they match is checked by Count."""

from __future__ import annotations

import pytest

from tests.counting import Count, by_inode, inodes_moved, moved


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("open_closes_first", [(0, 211), (211, 0)]),
        ("accepted_closes_first", [(0, 211), (211, 0)]),
        ("shut_down", [(211, 503), (503, 211)]),
        ("unread", [(0, 100), (211, 0)]),
        ("left_open", [(0, 211), (211, 0)]),
        ("closed_by_exec", [(0, 211), (211, 0)]),
        ("shared", [(0, 211), (211, 0)]),
        ("dupped", [(0, 211), (211, 0)]),
    ],
)
def test_the_kernel_counts_the_same(count: Count, mode: str, expected: list[tuple[int, int]]) -> None:
    traced = count("audit", mode)
    assert inodes_moved(traced.report) == expected
    assert {row["audit"] for row in traced.report["sockets"]} == {"match"}


def test_the_kernel_counts_the_same_where_bytes_are_still_queued(count: Count) -> None:
    traced = count("audit", "unsent", same=False)
    assert moved(traced.report["sockets"]) == [(0, 211), (traced.told["sent"], 0)]


def test_a_connection_that_sendto_opens_is_audited(count: Count) -> None:
    traced = count("unusual", "fast_open")
    assert moved(traced.report["sockets"]) == [(0, 211), (211, 0)]


def test_a_socket_that_is_connected_anew_raises_no_false_alarm(count: Count) -> None:
    traced = count("unusual", "connected_anew", audited=False)
    assert inodes_moved(traced.report) == [(0, 101), (0, 211), (312, 0)]
    assert "differ" not in {row["audit"] for row in traced.report["sockets"]}
    (sender,) = [rows for rows in by_inode(traced.report).values() if rows[0]["sent"]]
    accepted = [row for row in traced.report["sockets"] if row["received"]]
    assert all(row["peer"] for row in [*sender, *accepted])


def test_a_number_that_another_thread_has_closed_is_audited_for_its_next_socket(count: Count) -> None:
    traced = count("audit", "number_closed_elsewhere")
    assert moved(traced.report["sockets"]) == [(0, 101), (0, 211), (101, 0), (211, 0)]


@pytest.mark.parametrize("mode", ["number_being_closed", "number_closed_before"])
def test_a_number_that_another_thread_is_closing_is_audited_where_calls_are_counted_inside_by_then(
    count: Count, mode: str
) -> None:
    """What it names is not remembered while that close is under way, so the stubs' table begins without it."""
    traced = count("audit", mode, same=False)
    (lasting,) = [row["sent"] for row in traced.report["sockets"] if row["sent"] > 211]
    assert moved(traced.report["sockets"]) == [(0, 201), (0, 211), (201, 0), (211, 0), (lasting, 0)]


def test_connections_of_many_threads_that_share_their_numbers_are_each_audited(count: Count) -> None:
    traced = count("crowd", "8", "25")
    assert len(inodes_moved(traced.report)) == len(traced.report["sockets"]) == 2 * 8 * 25
    assert {row["audit"] for row in traced.report["sockets"]} == {"match"}


def test_connections_one_after_another_are_each_audited(count: Count) -> None:
    traced = count("audit", "many")
    lengths = [100 * i + 1 for i in range(1, 21)]
    expected = sorted([(length, 0) for length in lengths] + [(0, length) for length in lengths])
    assert moved(traced.report["sockets"]) == expected


def test_an_audit_differs_where_bytes_came_another_way(count: Count) -> None:
    traced = count.unchecked("unusual", "zerocopy_receive")
    assert (traced.totals["sent"], traced.totals["received"]) == (308, 97)
    (sender,) = [row for row in traced.report["sockets"] if row["sent"]]
    (receiver,) = [row for row in traced.report["sockets"] if row["received"]]
    assert sender["audit"] == "match"
    assert receiver["audit"] == "differ"
    assert receiver["tcp"]["bytes_received"] == 308
