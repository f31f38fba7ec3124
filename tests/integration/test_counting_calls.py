# SPDX-License-Identifier: GPL-2.0-or-later
"""Each system call that moves bytes, and the things that are no sockets."""

from __future__ import annotations

import pytest

from tests.counting import COUNTED, RECEIVING, SENDING, Count, calls, inodes_moved, moved


@pytest.mark.parametrize("syscall", SENDING)
def test_bytes_that_a_call_sends_are_counted(count: Count, syscall: str) -> None:
    traced = count("counting", syscall)
    assert calls(traced) == {syscall: (2, 0, COUNTED), "recvfrom": (2, 0, COUNTED)}
    assert traced.totals == {
        "sent": COUNTED,
        "received": COUNTED,
        "peeked": 0,
        "calls_sent": 2,
        "calls_received": 2,
        "errors": 0,
    }


@pytest.mark.parametrize("syscall", RECEIVING)
def test_bytes_that_a_call_receives_are_counted(count: Count, syscall: str) -> None:
    traced = count("counting", syscall)
    assert calls(traced) == {"sendto": (2, 0, COUNTED), syscall: (2, 0, COUNTED)}


def test_a_connection_has_a_row_for_each_of_its_ends(count: Count) -> None:
    traced = count("counting", "write")
    opened, accepted = sorted(traced.report["sockets"], key=lambda row: -row["sent"])
    assert (opened["sent"], opened["calls_sent"], opened["calls_received"]) == (COUNTED, 2, 0)
    assert (accepted["received"], accepted["calls_sent"], accepted["calls_received"]) == (COUNTED, 0, 2)
    assert (opened["local"], opened["peer"]) == (accepted["peer"], accepted["local"])
    assert opened["inode"] != accepted["inode"]
    for row in opened, accepted:
        assert (row["family"], row["type"], row["protocol"], row["scope"]) == ("inet", "stream", "tcp", "loopback")
        assert row["local"].startswith("127.0.0.1:")
        assert row["pids"] == [traced.report["processes"][0]["pid"]]
        assert 0 <= row["opened_s"] <= row["closed_s"] <= traced.report["duration_s"]


@pytest.mark.parametrize("what", ["file", "pipe", "terminal", "eventfd", "failing"])
def test_calls_on_what_is_no_socket_count_nothing(count: Count, what: str) -> None:
    traced = count("nonsockets", what)
    assert traced.report["sockets"] == []
    assert traced.report["by_syscall"] == {}
    assert set(traced.totals.values()) == {0}


def test_sendfile_into_a_socket_is_sent(count: Count) -> None:
    traced = count("splicing", "file_to_socket")
    assert calls(traced) == {"sendfile": (3, 0, 1009 + 506), "recvfrom": (1, 0, 1009 + 506)}


def test_sendfile_out_of_a_socket_is_received(count: Count) -> None:
    traced = count("splicing", "socket_to_pipe_by_sendfile")
    assert calls(traced) == {"sendto": (1, 0, 1009), "sendfile": (2, 1, 1009)}
    assert moved(traced.report["sockets"]) == [(0, 1009), (1009, 0)]


def test_splice_from_socket_to_socket_is_received_once_and_sent_once(count: Count) -> None:
    traced = count("splicing", "socket_to_socket")
    assert calls(traced) == {"sendto": (1, 0, 1009), "splice": (2, 0, 2 * 1009), "recvfrom": (1, 0, 1009)}
    assert moved(traced.report["sockets"]) == [(0, 1009), (0, 1009), (1009, 0), (1009, 0)]


def test_splice_of_unix_sockets_is_counted(count: Count) -> None:
    traced = count("splicing", "unix_sockets")
    assert calls(traced) == {"sendto": (1, 0, 503), "splice": (3, 1, 2 * 503), "recvfrom": (1, 0, 503)}
    assert traced.report["by_syscall"]["splice"]["errnos"] == {"EAGAIN": 1}


def test_sendfile_and_splice_without_a_socket_count_nothing(count: Count) -> None:
    traced = count("splicing", "no_socket")
    assert traced.report["by_syscall"] == {}
    assert traced.report["sockets"] == []


def test_counters_hold_more_than_32_bits(count: Count) -> None:
    traced = count("large")
    assert traced.totals["sent"] == traced.totals["received"] == (4 << 30) + 17
    assert inodes_moved(traced.report) == [(0, (4 << 30) + 17), ((4 << 30) + 17, 0)]
