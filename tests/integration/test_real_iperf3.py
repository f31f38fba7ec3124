# SPDX-License-Identifier: GPL-2.0-or-later
"""iperf3, both ends under ptmon. The truth is its own JSON, which counts the data streams, not the control connection.

On each data stream the client first sends a cookie that says which test the stream belongs to (COOKIE_SIZE in iperf's
iperf_api.h, 37 bytes); the JSON does not count it. Nor does it count what a receiver reads after the end of the test
was said ("Late receive" in iperf_tcp.c), which happens on a busy machine. So the bytes sent are compared to the byte;
those received lie between what iperf3 counted and what was sent, and the kernel's own count of each socket (the
audit) agrees.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real import checked, free_port, program, serving, tcp_rows
from tests.support import run_ptmon

COOKIE = 37
AMOUNT = 20_000_000


@dataclass(frozen=True)
class Ends:
    """What each end's ptmon reports: data streams (a row each, in the order of their client ports) and control."""

    told: dict[str, Any]
    """iperf3's JSON, from the client."""
    client_data: list[dict[str, Any]]
    client_control: dict[str, Any]
    server_data: list[dict[str, Any]]
    server_control: dict[str, Any]


def measure(folder: Path, *options: str) -> Ends:
    """Runs a server that serves one client, and that client."""
    port = free_port()
    iperf3 = program("iperf3")
    with serving([iperf3, "-s", "-1", "-B", "127.0.0.1", "-p", str(port)], port, folder) as server:
        client = [iperf3, "-c", "127.0.0.1", "-p", str(port), "-n", str(AMOUNT), "-J", *options]
        traced = run_ptmon(client, folder / "client.json")
        assert traced.returncode == 0, traced.stdout
        report = server.end(None)
    told = json.loads(traced.stdout)
    # The first connection is the control connection, so its socket comes first at both ends.
    client_control, *client_data = tcp_rows(checked(traced.report))
    server_control, *server_data = tcp_rows(report)
    return Ends(
        told,
        sorted(client_data, key=lambda row: str(row["local"])),
        client_control,
        sorted(server_data, key=lambda row: str(row["peer"])),
        server_control,
    )


def assert_control_agrees(ends: Ends) -> None:
    client, server = ends.client_control, ends.server_control
    assert (client["local"], client["peer"]) == (server["peer"], server["local"])
    assert (client["sent"], client["received"]) == (server["received"], server["sent"])
    assert 0 < client["sent"] < AMOUNT // 100


def one_way(ends: Ends, sender: list[dict[str, Any]], receiver: list[dict[str, Any]]) -> tuple[int, int]:
    """(sent, received) over the data streams."""
    assert [row["local"] for row in sender] == [row["peer"] for row in receiver]
    return sum(row["sent"] for row in sender), sum(row["received"] for row in receiver)


def assert_as_told(moved: tuple[int, int], told: dict[str, Any], cookies: int) -> None:
    """Bytes (sent, received) against the sums of iperf3's JSON."""
    sent, received = moved
    assert sent == told["sum_sent"]["bytes"] + cookies
    assert told["sum_received"]["bytes"] + cookies <= received <= sent


@pytest.mark.parametrize("streams", [1, 3])
def test_data_streams_are_what_iperf3_counts_and_a_cookie_each(tmp_path: Path, streams: int) -> None:
    ends = measure(tmp_path, "-P", str(streams))
    assert (len(ends.client_data), len(ends.server_data)) == (streams, streams)
    told = ends.told["end"]
    assert told["sum_sent"]["bytes"] >= AMOUNT
    assert_as_told(one_way(ends, ends.client_data, ends.server_data), told, streams * COOKIE)
    assert one_way(ends, ends.server_data, ends.client_data) == (0, 0)
    assert_control_agrees(ends)


def test_in_the_reverse_direction_only_the_cookie_goes_to_the_server(tmp_path: Path) -> None:
    ends = measure(tmp_path, "-R")
    told = ends.told["end"]
    assert_as_told(one_way(ends, ends.server_data, ends.client_data), told, 0)
    assert one_way(ends, ends.client_data, ends.server_data) == (COOKIE, COOKIE)
    assert_control_agrees(ends)
