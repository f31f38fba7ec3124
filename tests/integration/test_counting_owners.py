# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose bytes they are: process, thread, socket; whatever the fd number, whoever else has the socket."""

from __future__ import annotations

from typing import Any

import pytest

from tests.counting import Count, calls, inodes_moved, moved, root_and_children


def test_bytes_over_an_inherited_socket_belong_to_the_caller(count: Count) -> None:
    traced = count("owners", "fork")
    root, (child,) = root_and_children(traced.report)
    assert (root["sent"], root["received"]) == (101, 408)
    assert (child["sent"], child["received"]) == (307, 0)
    assert child["ppid"] == root["pid"]
    (shared,) = [row for row in traced.report["sockets"] if row["sent"]]
    assert shared["sent"] == 408
    assert set(shared["pids"]) == {root["pid"], child["pid"]}


def test_both_ends_of_a_connection_are_counted(count: Count) -> None:
    traced = count("owners", "both_ends")
    root, (child,) = root_and_children(traced.report)
    assert (root["sent"], root["received"]) == (211, 503)
    assert (child["sent"], child["received"]) == (503, 211)
    assert moved(traced.report["sockets"]) == [(211, 503), (503, 211)]
    assert traced.report["by_scope"] == {"loopback": {"sent": 714, "received": 714}}


def test_all_numbers_of_a_socket_are_one_row(count: Count) -> None:
    traced = count("owners", "dup")
    assert moved(traced.report["sockets"]) == [(0, 420), (420, 0)]
    (sender,) = [row for row in traced.report["sockets"] if row["sent"]]
    assert sender["calls_sent"] == 4


def test_bytes_over_a_socket_that_came_by_message_belong_to_the_caller(count: Count) -> None:
    traced = count("owners", "pass")
    root, (child,) = root_and_children(traced.report)
    assert (root["sent"], root["received"]) == (101 + 1, 408)
    assert (child["sent"], child["received"]) == (307, 1)
    (shared,) = [row for row in traced.report["sockets"] if row["protocol"] == "tcp" and row["sent"]]
    assert shared["sent"] == 408
    assert set(shared["pids"]) == {root["pid"], child["pid"]}


def test_each_thread_has_its_own_bytes(count: Count) -> None:
    traced = count("owners", "threads")
    (process,) = traced.report["processes"]
    sent = {thread["name"]: thread["sent"] for thread in process["threads"]}
    assert sent == {"owners": 0, "101": 7 * 101, "211": 7 * 211, "307": 7 * 307}
    assert sum(thread["received"] for thread in process["threads"]) == 7 * 619


@pytest.mark.parametrize("how", ["dup2", "dup3", "close", "close_range", "exec"])
def test_a_number_that_names_a_file_now_counts_no_more(count: Count, how: str) -> None:
    traced = count("reuse", f"socket_then_file_{how}")
    assert calls(traced) == {"write": (1, 0, 101)}


def test_a_number_that_names_a_socket_now_counts(count: Count) -> None:
    traced = count("reuse", "file_then_socket")
    assert calls(traced) == {"write": (1, 0, 101), "read": (1, 0, 101)}


def test_a_number_that_names_another_socket_now_has_another_row(count: Count) -> None:
    traced = count("reuse", "socket_then_socket")
    assert inodes_moved(traced.report) == [(101, 0), (211, 0)]


@pytest.mark.parametrize(
    ("syscall", "mode"), [("recvfrom", "blocked"), ("recvfrom", "blocked_closed"), ("read", "blocked_read")]
)
def test_bytes_belong_to_the_socket_that_the_call_was_entered_with(count: Count, syscall: str, mode: str) -> None:
    traced = count("reuse", f"{mode}_then_socket", audited=False)
    assert inodes_moved(traced.report) == [(101, 503), (307, 0), (503, 0)]
    assert calls(traced)[syscall] == (1, 0, 503)
    assert audits(traced.report) == {(101, 503): "unavailable", (307, 0): "match", (503, 0): "match"}


@pytest.mark.parametrize(("syscall", "mode"), [("recvfrom", "blocked"), ("read", "blocked_read")])
def test_a_blocked_call_counts_though_its_number_names_a_file_now(count: Count, syscall: str, mode: str) -> None:
    traced = count("reuse", f"{mode}_then_file", audited=False)
    assert inodes_moved(traced.report) == [(101, 503), (503, 0)]
    assert calls(traced)[syscall] == (1, 0, 503)
    assert audits(traced.report) == {(101, 503): "unavailable", (503, 0): "match"}


def audits(report: dict[str, Any]) -> dict[tuple[int, int], str]:
    """The audit of each socket that moved bytes. One whose last fd went during a call can't be read after that call."""
    return {(row["sent"], row["received"]): row["audit"] for row in report["sockets"] if row["sent"] or row["received"]}
