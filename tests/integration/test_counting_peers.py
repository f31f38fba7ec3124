# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagram sockets: one row for each peer, by the addresses that the calls bear."""

from __future__ import annotations

import pytest

from tests.counting import Count, by_peer, calls, local, server_and_clients

ASKED = [11, 13, 17]
ANSWERED = [101, 103, 107]


@pytest.mark.parametrize("mode", ["udp", "udp_by_message", "udp_by_messages"])
def test_a_udp_server_has_a_row_for_each_client(count: Count, mode: str) -> None:
    traced = count("peers", mode)
    server, clients = server_and_clients(traced.report)
    assert by_peer(server) == {local(clients[i]): (ANSWERED[i], ASKED[i]) for i in range(3)}
    for i in range(3):  # a client takes its answer without asking who sent it
        assert by_peer(clients[i]) == {local(server): (ASKED[i], 0), None: (0, ANSWERED[i])}
    assert traced.report["by_scope"] == {
        "loopback": {"sent": sum(ASKED + ANSWERED), "received": sum(ASKED)},
        "unknown": {"sent": 0, "received": sum(ANSWERED)},
    }


def test_one_call_with_several_peers_is_one_call(count: Count) -> None:
    traced = count("peers", "udp_by_messages")
    assert calls(traced)["recvmmsg"] == (1, 0, sum(ASKED))
    assert calls(traced)["sendmmsg"] == (1, 0, sum(ANSWERED))
    assert traced.totals["calls_sent"] == 3 + 1
    assert traced.totals["calls_received"] == 3 + 1


def test_a_peer_that_nobody_asked_for_is_unknown(count: Count) -> None:
    traced = count("peers", "udp_nobody_asked")
    (receiver,) = [row for row in traced.report["sockets"] if row["received"]]
    assert (receiver["received"], receiver["peer"], receiver["scope"]) == (sum(ASKED), None, "unknown")


def test_a_unix_datagram_server_has_a_row_for_each_client(count: Count) -> None:
    traced = count("peers", "unix_dgram")
    server, _ = server_and_clients(traced.report)
    pid = traced.report["processes"][0]["pid"]
    assert by_peer(server) == {f"@ptmon-peers-{pid}-{i}": (ANSWERED[i], ASKED[i]) for i in range(3)}
    assert {row["scope"] for row in server} == {"local"}
    assert local(server) == f"@ptmon-peers-{pid}-3"


def test_a_udp_socket_that_is_connected_anew_has_a_row_for_each_peer(count: Count) -> None:
    traced = count("peers", "reconnected")
    server, clients = server_and_clients(traced.report)
    sent = [2 * ANSWERED[0] + 1009, 2 * ANSWERED[1], 2 * ANSWERED[2]]
    received = {sum(row["received"] for row in rows): local(rows) for rows in clients}
    assert by_peer(server) == {received[bytes_]: (bytes_, 0) for bytes_ in sent}


def test_a_connected_udp_socket_may_name_another_peer(count: Count) -> None:
    traced = count("peers", "connected_but_named")
    received = {row["received"]: row["local"] for row in traced.report["sockets"] if row["received"]}
    assert by_peer(row for row in traced.report["sockets"] if row["sent"]) == {
        received[101]: (101, 0),
        received[103]: (103, 0),
    }
