# SPDX-License-Identifier: GPL-2.0-or-later
"""Socket addresses and scopes."""

from __future__ import annotations

import socket
import struct

import pytest

from ptmon.addresses import address_text, family_name, host, protocol_name, scope, type_name
from tests.unit.build import inet, inet6, unix


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (inet("127.0.0.1", 8080), "127.0.0.1:8080"),
        (inet6("::1", 8080), "[::1]:8080"),
        (inet6("fe80::1", 80, 2), "[fe80::1%2]:80"),
        (inet6("::ffff:10.0.0.1", 443), "[::ffff:10.0.0.1]:443"),
        (unix(b"/run/a.sock\0"), "/run/a.sock"),
        (unix(b"/run/\xff"), "/run/\udcff"),
        (unix(b"\0abstract\0name"), "@abstract@name"),
        (unix(b""), None),
        (b"", None),
        (struct.pack("=HHII", socket.AF_NETLINK, 0, 77, 3), "netlink:3/77"),
        (struct.pack("=HHII", socket.AF_VSOCK, 0, 1024, 2), "vsock:2:1024"),
        (struct.pack("=H", socket.AF_PACKET) + struct.pack("!H", 0x0800) + struct.pack("=i", 3), "packet:3/0x0800"),
        (struct.pack("=H", 31) + b"\x01\x02", "af31:0102"),
        (inet("127.0.0.1", 8080)[:5], "af2:1f907f"),
    ],
)
def test_an_address_reads_as_users_write_it(address: bytes, text: str | None) -> None:
    assert address_text(address) == text


def test_a_host_has_no_port() -> None:
    assert host(inet("10.1.2.3", 9)) == "10.1.2.3"
    assert host(inet6("::1", 9)) == "::1"
    assert host(unix(b"/a:1")) == "/a:1"
    assert host(b"") is None


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.1", "global"),
        ("172.15.255.255", "global"),
        ("192.168.9.9", "private"),
        ("192.169.0.1", "global"),
        ("169.254.1.1", "private"),
        ("224.0.0.251", "private"),
        ("224.0.1.1", "global"),
        ("255.255.255.255", "private"),
        ("8.8.8.8", "global"),
    ],
)
def test_scope_of_an_inet_peer_and_of_the_same_peer_mapped_to_inet6(peer: str, expected: str) -> None:
    assert scope(socket.AF_INET, inet(peer, 1)) == expected
    assert scope(socket.AF_INET6, inet6(f"::ffff:{peer}", 1)) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("::1", "loopback"),
        ("::", "loopback"),
        ("fe80::1", "private"),
        ("febf::1", "private"),
        ("fd00::1", "private"),
        ("fc00::1", "private"),
        ("ff01::1", "loopback"),
        ("ff02::fb", "private"),
        ("ff0e::1", "global"),
        ("2001:db8::1", "global"),
    ],
)
def test_scope_of_an_inet6_peer(peer: str, expected: str) -> None:
    assert scope(socket.AF_INET6, inet6(peer, 1)) == expected


def test_families_that_never_leave_the_machine_are_local() -> None:
    assert [scope(family, b"") for family in (socket.AF_UNIX, socket.AF_NETLINK, socket.AF_VSOCK)] == ["local"] * 3


def test_without_a_peer_the_scope_is_unknown() -> None:
    assert scope(socket.AF_INET, b"") == "unknown"
    assert scope(socket.AF_PACKET, inet("8.8.8.8", 1)[:6]) == "unknown"
    assert scope(-1, b"") == "unknown"


def test_names() -> None:
    assert [family_name(number) for number in (1, 2, 10, 16, 17, 40, 31, -1)] == [
        *("unix", "inet", "inet6", "netlink", "packet", "vsock", "other", "unknown"),
    ]
    assert [type_name(number) for number in (1, 2, 5, 0, 77)] == ["stream", "dgram", "seqpacket", "unknown", "77"]
    assert protocol_name(socket.AF_INET, 6) == "tcp"
    assert protocol_name(socket.AF_INET6, 17) == "udp"
    assert protocol_name(socket.AF_INET, 200) == "200"
    assert protocol_name(socket.AF_NETLINK, 0) == "route"
    assert protocol_name(socket.AF_UNIX, 0) is None
