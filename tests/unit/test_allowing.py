# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of --allow: who may be reached, and that nobody else may; what is said of what cannot be understood."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

from ptmon import addresses, allowing, syscalls
from ptmon.errors import EXIT_USAGE, UsageError
from ptmon.preparing import prepare
from ptmon.watches import Rule
from tests.unit.build import inet, inet6
from tests.unit.test_rules import matches

ADDRESSES = {
    "127.0.0.1": inet("127.0.0.1", 9),
    "::1": inet6("::1", 9),
    "::ffff:127.0.0.1": inet6("::ffff:127.0.0.1", 9),
    "10.1.2.3": inet("10.1.2.3", 9),
    "::ffff:10.1.2.3": inet6("::ffff:10.1.2.3", 9),
    "fe80::1": inet6("fe80::1", 9),
    "192.0.2.1": inet("192.0.2.1", 9),
    "::ffff:192.0.2.1": inet6("::ffff:192.0.2.1", 9),
    "2001:db8::1": inet6("2001:db8::1", 9),
}
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
PRIVATE = {"10.1.2.3", "::ffff:10.1.2.3", "fe80::1"}
GLOBAL = {"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"}


def refuses(found: tuple[Rule, ...], call: str, address: bytes) -> bool:
    """As the C core does it: an address that IPv6 writes for IPv4 is looked at as that, too."""
    (number, compat), *_ = syscalls.numbers(call)
    mapped = address[:2] == b"\n\0" and address[8:20] == bytes(10) + b"\xff\xff"
    ours = [rule for rule in found if (rule.number, rule.compat) == (number, compat)]
    return any(matches(rule, b"\2\0" + address[2:4] + address[20:24] if mapped else address) for rule in ours)


def reachable(*given: str, call: str = "connect") -> set[str]:
    found = allowing.parse(given)
    return {text for text, address in ADDRESSES.items() if not refuses(found, call, address)}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("connect:loopback", set()),
        ("connect:private", PRIVATE),
        ("connect:global", GLOBAL),
        ("connect:10.0.0.0/8", {"10.1.2.3", "::ffff:10.1.2.3"}),
        ("connect:::ffff:10.0.0.0/104", {"10.1.2.3", "::ffff:10.1.2.3"}),
        ("connect:192.0.2.1", {"192.0.2.1", "::ffff:192.0.2.1"}),
        ("connect:2001:db8::/32", {"2001:db8::1"}),
        ("connect:inet", {"10.1.2.3", "::ffff:10.1.2.3", "192.0.2.1", "::ffff:192.0.2.1"}),
        ("connect:inet6", {"fe80::1", "2001:db8::1"}),
        ("connect:::/0", {"fe80::1", "2001:db8::1"}),
        ("connect:unix", set()),
        ("sendto:global", set()),
    ],
)
def test_only_who_is_named_is_reached_and_the_loopback(given: str, expected: set[str]) -> None:
    assert reachable(given) == LOOPBACK | expected


def test_more_rules_allow_more() -> None:
    assert reachable("connect:global", "connect:private") == set(ADDRESSES)
    assert reachable("connect:192.0.2.1", "connect:10.1.2.3", "sendto:2001:db8::1", call="sendmsg") == LOOPBACK | {
        *("192.0.2.1", "::ffff:192.0.2.1", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1")
    }


def test_global_is_what_is_in_no_other_scope() -> None:
    found = allowing.parse(["connect:global"])
    for scope in ("loopback", "private"):
        for network in addresses.networks(scope):
            if network.family == socket.AF_INET6 and not network.address.startswith(bytes(10) + b"\xff\xff"):
                address = inet6(socket.inet_ntop(socket.AF_INET6, network.address), 9)
                assert refuses(found, "connect", address) == (scope == "private")


@pytest.mark.parametrize("call", ["sendto", "sendmsg", "sendmmsg"])
def test_where_datagrams_go_no_family_is_that_of_ipv4(call: str) -> None:
    found = allowing.parse(["connect:10.0.0.0/8"])
    assert not refuses(found, call, b"\0\0" + ADDRESSES["10.1.2.3"][2:])
    assert refuses(found, call, b"\0\0" + ADDRESSES["192.0.2.1"][2:])
    assert not refuses(found, "connect", b"\0\0" + ADDRESSES["192.0.2.1"][2:])  # ends the association


def test_what_stays_in_the_kernel_is_free_and_other_families_are_not() -> None:
    found = allowing.parse(["connect:10.0.0.0/8"])
    for free in (socket.AF_UNIX, socket.AF_NETLINK):
        assert not refuses(found, "sendto", free.to_bytes(2, "little") + bytes(100))
    for family in (socket.AF_PACKET, socket.AF_VSOCK, socket.AF_CAN, 45):
        assert refuses(found, "sendto", family.to_bytes(2, "little") + bytes(100))
    assert not refuses(allowing.parse(["connect:packet"]), "sendto", socket.AF_PACKET.to_bytes(2, "little") + bytes(18))


def test_a_refusal_is_told_by_the_rules_that_there_are() -> None:
    given = ["connect:private", "connect:192.0.2.1", "sendto:inet", "connect:vsock", "connect:can"]
    for count, text in ((1, "--allow connect:private"), (5, f"--allow {' '.join(given[:3])} (and 2 more)")):
        found = allowing.parse(given[:count])
        assert {(rule.text, rule.error, rule.told) for rule in found} == {(text, errno.EACCES, True)}


def test_what_is_denied_is_refused_by_that_rule() -> None:
    settings = prepare(command=["x"], allow=["connect:global"], deny=["connect:192.0.2.0/24=EPERM"])
    (number, compat), *_ = syscalls.numbers("connect")
    texts = [rule.text for rule in settings.rules if (rule.number, rule.compat) == (number, compat)]
    assert texts[0] == "connect:192.0.2.0/24=EPERM" and set(texts[1:]) == {"--allow connect:global"}


def test_a_file_has_a_rule_a_line(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_text("# mine\n\nconnect:10.0.0.0/8  # git\nconnect:2001:db8::1\n")
    assert reachable(f"@{path}") == LOOPBACK | {"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"}
    path.write_text("# nobody\n")
    assert reachable(f"@{path}") == LOOPBACK


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("connect", "--allow connect: a rule is connect:WHO"),
        ("bind:private", "--allow bind:private: a rule is connect:WHO"),
        ("connect:gobal", "did you mean global?"),
        ("connect:10.1.0.0/8", "the network is 10.0.0.0/8"),
        ("connect:inet=EPERM", "what is allowed has no errno"),
        ("@/dev/null/x", "cannot read it: ENOTDIR"),
        ("", "a rule is connect:WHO"),
    ],
)
def test_what_cannot_be_understood_is_said(given: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        allowing.parse([given])
    assert said in str(raised.value) and raised.value.exit_status == EXIT_USAGE
    assert "\n" not in str(raised.value)


def test_a_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    path.write_bytes(b"connect:private\nconnect:\x1bx\n")
    with pytest.raises(UsageError, match=r"rules, line 2, connect:\\x1bx: "):
        allowing.parse([f"@{path}"])
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="it is no text"):
        allowing.parse([f"@{path}"])
