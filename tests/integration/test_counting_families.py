# SPDX-License-Identifier: GPL-2.0-or-later
"""Address families, socket types, and the scopes of peers."""

from __future__ import annotations

import pytest

from tests.counting import Count, moved

EXCHANGE = 211 + 503


@pytest.mark.parametrize(
    ("mode", "family", "kind", "protocol", "scope"),
    [
        ("inet_stream", "inet", "stream", "tcp", "loopback"),
        ("inet_dgram", "inet", "dgram", "udp", "loopback"),
        ("inet6_stream", "inet6", "stream", "tcp", "loopback"),
        ("inet6_mapped", "inet6", "stream", "tcp", "loopback"),
        ("mptcp", "inet", "stream", "mptcp", "loopback"),
        ("unix_stream", "unix", "stream", None, "local"),
        ("unix_seqpacket", "unix", "seqpacket", None, "local"),
        ("unix_dgram", "unix", "dgram", None, "local"),
    ],
)
def test_an_exchange_is_counted_in_its_family(
    count: Count, mode: str, family: str, kind: str, protocol: str | None, scope: str
) -> None:
    traced = count("families", mode)
    both = {"sent": EXCHANGE, "received": EXCHANGE}
    assert traced.report["by_family"] == {family: both}
    assert traced.report["by_scope"] == {scope: both}
    assert moved(traced.report["sockets"]) == [(211, 503), (503, 211)]
    for row in traced.report["sockets"]:
        assert (row["family"], row["type"], row["protocol"], row["scope"]) == (family, kind, protocol, scope)
        assert row["audit"] == ("match" if protocol == "tcp" else "unavailable")


def test_addresses_are_written_as_users_write_them(count: Count) -> None:
    (opened, accepted) = count("families", "inet6_stream").report["sockets"]
    assert opened["local"].startswith("[::1]:")
    assert (opened["local"], opened["peer"]) == (accepted["peer"], accepted["local"])


def test_netlink_is_local(count: Count) -> None:
    traced = count("families", "netlink")
    sums = {"sent": traced.told["sent"], "received": traced.told["received"]}
    assert traced.told["received"] > 0
    assert traced.report["by_family"] == {"netlink": sums}
    assert traced.report["by_scope"] == {"local": sums}


def test_packet_sockets_are_counted(count: Count) -> None:
    traced = count("families", "packet")  # skipped without CAP_NET_RAW
    assert traced.report["by_family"] == {"packet": {"sent": 211, "received": 211}}


def test_families_without_a_name_of_their_own_are_other(count: Count) -> None:
    traced = count("families", "other")  # skipped where the kernel has no AF_ALG
    assert traced.report["by_family"] == {"other": {"sent": 211, "received": 32}}


def test_peers_are_told_apart_by_scope(count: Count) -> None:
    traced = count("scopes")  # skipped where user namespaces are not allowed
    scopes = {
        "loopback": 101 + 103,
        "private": 211 + 223 + 227 + 229 + 233,
        "global": 307 + 311,
    }
    assert traced.report["by_scope"] == {scope: {"sent": sum_, "received": sum_} for scope, sum_ in scopes.items()}
    by_scope = {
        scope: {row["peer"].rpartition(":")[0] for row in traced.report["sockets"] if row["scope"] == scope}
        for scope in scopes
    }
    assert by_scope == {
        "loopback": {"127.0.0.1", "[::1]"},
        "private": {"10.1.2.3", "172.16.1.2", "192.168.1.2", "169.254.1.2", "[fd00::7]"},
        "global": {"8.8.8.8", "[2600::1]"},
    }
