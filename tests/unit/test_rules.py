# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of --deny: what a text stands for, and what is said of one that cannot be understood."""

from __future__ import annotations

import errno
import ipaddress
import random
import socket

import pytest

from ptmon import addresses, rules, syscalls
from ptmon.errors import EXIT_USAGE, UsageError
from ptmon.watches import Condition, Prefix, Rule
from tests.unit.build import inet, inet6


def calls(found: tuple[Rule, ...]) -> dict[str, tuple[Condition, int]]:
    """The rules by call: the condition and its argument. Each ABI must have got the same."""
    by_name: dict[str, tuple[Condition, int]] = {}
    for rule in found:
        name = syscalls.name(rule.number, rule.compat)
        assert by_name.setdefault(name, (rule.condition, rule.argument)) == (rule.condition, rule.argument)
    assert len({(rule.number, rule.compat) for rule in found}) == len(found)
    return by_name


def matches(rule: Rule, address: bytes) -> bool:
    """What the C core is asked to do, as native/ptmon_api.h says it."""
    family = int.from_bytes(address[:2], "little")
    ours = [prefix for prefix in rule.prefixes if prefix.family == family]
    packed = address[8:24] if family == socket.AF_INET6 else address[4:8]
    hit = any(begins(packed, prefix) for prefix in ours)
    return bool(ours) and not hit if rule.outside else hit


def begins(packed: bytes, prefix: Prefix) -> bool:
    if not prefix.bits:
        return True
    shift = 8 * len(packed) - prefix.bits
    return int.from_bytes(packed) >> shift == int.from_bytes(prefix.address) >> shift


def test_a_name_alone_is_refused_whatever_its_arguments_are() -> None:
    found = rules.parse("execve")
    assert calls(found) == {"execve": (Condition.ALWAYS, 0)}
    assert {(rule.number, rule.compat) for rule in found} == set(syscalls.numbers("execve"))
    assert {(rule.text, rule.error, rule.told) for rule in found} == {("execve", errno.EACCES, True)}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ptrace=EPERM", errno.EPERM),
        ("ptrace=38", errno.ENOSYS),
        ("ptrace=ENOTSUP", errno.EOPNOTSUPP),
        ("connect:global=ENETUNREACH", errno.ENETUNREACH),
        ("connect:::1=EPERM", errno.EPERM),
    ],
)
def test_the_errno_is_a_name_or_a_number(text: str, error: int) -> None:
    assert {(rule.text, rule.error) for rule in rules.parse(text)} == {(text, error)}


def test_a_class_stands_for_its_calls() -> None:
    found = calls(rules.parse("%process"))
    assert {"execve", "clone"} <= set(found)
    assert set(found.values()) == {(Condition.ALWAYS, 0)}


def test_whether_refusals_are_told_is_the_callers_to_say() -> None:
    assert not any(rule.told for rule in rules.parse("execve", told=False))


SENDING = {
    "sendto": (Condition.ADDRESS, 4),
    "sendmsg": (Condition.MESSAGE, 1),
    "sendmmsg": (Condition.MESSAGES, 1),
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("connect", {"connect": (Condition.ADDRESS, 1), **SENDING}),
        ("sendto", SENDING),
        ("sendmsg", SENDING),
        ("sendmmsg", SENDING),
        ("bind", {"bind": (Condition.ADDRESS, 1)}),
    ],
)
def test_a_rule_is_for_each_call_that_names_the_address(name: str, expected: dict[str, tuple[Condition, int]]) -> None:
    assert calls(rules.parse(f"{name}:global")) == expected


@pytest.mark.parametrize("name", ["socket", "socketpair"])
def test_sockets_are_refused_by_family(name: str) -> None:
    found = rules.parse(f"{name}:netlink=EAFNOSUPPORT")
    assert calls(found) == {name: (Condition.VALUE, 0)}
    assert {rule.value for rule in found} == {socket.AF_NETLINK}
    assert {rule.value for rule in rules.parse("socket:unix")} == {socket.AF_UNIX}


@pytest.mark.parametrize("scope", ["global", "private", "loopback"])
def test_a_scope_is_that_of_the_report(scope: str) -> None:
    (rule,) = [rule for rule in rules.parse(f"connect:{scope}") if (rule.number, rule.compat) == call("connect")]
    picked = random.Random(1)
    names = ["127.0.0.1", "0.0.0.0", "0.0.0.1", "10.255.255.255", "11.0.0.0", "172.31.0.1", "172.32.0.0", "224.0.0.9"]
    names += ["224.0.1.0", "239.9.9.9", "255.255.255.255", "255.255.255.254", "192.168.0.1", "192.0.2.1", "169.254.7.7"]
    names += ["::", "::1", "::2", "fe80::1", "fec0::1", "fe7f::1", "fc00::1", "fdff::1", "fbff::1", "2001:db8::1"]
    names += [f"ff{flags:x}{narrow:x}::1" for flags in range(16) for narrow in range(16)]
    names += [str(ipaddress.IPv4Address(picked.randbytes(4))) for _ in range(200)]
    names += [f"::ffff:{name}" for name in names if "." in name]
    found = 0
    for name in names:
        address = inet6(name, 9) if ":" in name else inet(name, 9)
        assert matches(rule, address) == (addresses.scope(socket.AF_INET, address) == scope), name
        found += matches(rule, address)
    assert 10 < found < len(names) - 10
    assert not matches(rule, b"\1\0/run/a.sock")


@pytest.mark.parametrize(
    ("who", "inside", "outside"),
    [
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["11.0.0.0", "::ffff:11.0.0.0", "::1"]),
        ("192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1"], ["192.0.2.0", "192.0.2.3"]),
        ("::ffff:10.0.0.0/104", ["10.9.9.9", "::ffff:10.9.9.9"], ["11.0.0.0"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db9::", "32.1.13.184"]),
        ("::1", ["::1"], ["::", "::2", "127.0.0.1"]),
        ("0.0.0.0/0", ["8.8.8.8", "::ffff:8.8.8.8"], ["2001:db8::"]),
        ("inet", ["127.0.0.1", "8.8.8.8", "::ffff:8.8.8.8"], ["::1"]),
        ("inet6", ["::1", "2001:db8::", "::ffff:8.8.8.8"], ["8.8.8.8"]),
    ],
)
def test_a_network_holds_however_its_addresses_are_written(who: str, inside: list[str], outside: list[str]) -> None:
    for rule in rules.parse(f"connect:{who}"):
        for names, expected in ((inside, True), (outside, False)):
            for name in names:
                address = inet6(name, 9) if ":" in name else inet(name, 9)
                assert matches(rule, address) is expected, name


@pytest.mark.parametrize("family", ["unix", "netlink", "packet", "vsock"])
def test_a_family_stands_for_all_its_addresses(family: str) -> None:
    number = {name: number for number, name in addresses.FAMILIES.items()}[family]
    assert {rule.prefixes for rule in rules.parse(f"bind:{family}")} == {(Prefix(number),)}


def test_a_datagram_to_an_address_of_no_family_is_one_of_inet() -> None:
    unspecified = bytes(2) + inet("10.0.0.1", 9)[2:]
    for rule in rules.parse("connect:10.0.0.0/8"):
        name = syscalls.name(rule.number, rule.compat)
        assert matches(rule, unspecified) is (name != "connect"), f"connect ends an association so, {name} does not"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no system call"),
        ("=EPERM", "names no system call"),
        (":global", "names no system call"),
        ("conect:global", "there is no system call 'conect' on this machine; did you mean connect?"),
        ("%nework", "%network"),
        ("connect:globl", "did you mean global?"),
        ("connect:", "is no network"),
        ("connect:10.0.0.0/33", "is no network"),
        ("connect:10.1.0.0/8", "the network is 10.0.0.0/8"),
        ("connect:2001:db8::1/32", "the network is 2001:db8::/32"),
        ("connect:fe80::1%lo", "names an interface"),
        ("connect:example.org", "is no network"),
        ("socket:netlnk", "did you mean netlink?"),
        ("socket:global", "is no address family"),
        ("execve:/bin/sh", "but for connect, bind, sendto, sendmsg, sendmmsg, socket, socketpair"),
        ("%network:global", "nothing comes behind a colon"),
        ("ptrace=EPREM", "did you mean EPERM?"),
        ("ptrace=", "is no errno"),
        ("ptrace=0", "is no errno"),
        ("ptrace=512", "is no errno"),  # ERESTARTSYS: the kernel would make the call again, for ever
        ("ptrace=-1", "is no errno"),
    ],
)
def test_what_is_no_rule_is_an_error_of_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        rules.parse(text)
    message = str(caught.value)
    assert message.startswith("--deny ") and said in message and "\n" not in message
    assert caught.value.exit_status == EXIT_USAGE


def call(name: str) -> tuple[int, bool]:
    """The call of the ABI of 64 bits."""
    return syscalls.numbers(name)[0]


def test_a_class_that_is_refused_leaves_a_program_its_end() -> None:
    refused = calls(rules.parse("%process"))
    assert {"clone", "execve", "wait4"} <= refused.keys()
    assert not {"exit", "exit_group"} & refused.keys()
    assert calls(rules.parse("exit_group")).keys() == {"exit_group"}
