# SPDX-License-Identifier: GPL-2.0-or-later
"""--deny: ``NAME[:WHAT][=ERRNO]`` -> the rules by which an engine refuses calls.

This is a guard rail for one's own programs, no sandbox: another thread may change an address in memory between the
check and the call, and io_uring makes no call at all (deny io_uring_setup too).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Iterator

from ptmon import syscalls
from ptmon.addresses import FAMILIES, Network, networks, with_mapped
from ptmon.errors import ERRNOS, UsageError
from ptmon.text import did_you_mean
from ptmon.watches import Condition, Prefix, Rule

REACHING = {
    "connect": (Condition.ADDRESS, 1),
    "bind": (Condition.ADDRESS, 1),
    "sendto": (Condition.ADDRESS, 4),
    "sendmsg": (Condition.MESSAGE, 1),
    "sendmmsg": (Condition.MESSAGES, 1),
}
"""The calls that name an address: where it is, and in which argument."""
SENDING = ("sendto", "sendmsg", "sendmmsg")
MEANT = {"connect": ("connect", *SENDING), "bind": ("bind",), **dict.fromkeys(SENDING, SENDING)}
"""Which calls a rule is for that names one: a datagram, or TCP_FASTOPEN, reaches its peer without a connect."""
BY_FAMILY = ("socket", "socketpair")
SCOPES = ("global", "private", "loopback")
WHO = {name: number for number, name in FAMILIES.items()}
ADDRESS_FAMILIES = {
    name.removeprefix("AF_").lower(): int(number)
    for name, number in socket.AddressFamily.__members__.items()
    if number != socket.AF_UNSPEC
}
"""What ``socket:`` may name: every AF_* that Python knows here."""
ENDING = ("exit", "exit_group")
"""A program that cannot end crashes: no class of calls that is refused means these."""
DEFAULT = "EACCES"


def parse(text: str, told: bool = True) -> tuple[Rule, ...]:
    """The rules that ``text`` stands for: one for each call and ABI that it concerns.

    ``told`` False: nobody asks about each refusal (see Rule.told). Raises UsageError, which suggests the nearest.
    """
    words, equals, error = text.rpartition("=")
    if not equals:
        words, error = text, DEFAULT
    name, colon, what = words.partition(":")
    if not name:
        raise _wrong(text, "it names no system call: a rule is NAME[:WHAT][=ERRNO], as connect:global or ptrace=EPERM")
    names = syscalls.resolve([name], f"--deny {text}")
    if name not in names:  # a class
        names = tuple(each for each in names if each not in ENDING)
    number = _error_number(text, error)
    if not colon:
        made = [each_abi(text, each, number, told) for each in names]
    elif name in MEANT:
        made = _reaching(text, name, what, number, told)
    elif name in BY_FAMILY:
        made = [each_abi(text, name, number, told, Condition.VALUE, 0, value=_family(text, what))]
    else:
        takers = ", ".join((*REACHING, *BY_FAMILY))
        raise _wrong(text, f"{name} is refused as a whole, nothing comes behind a colon (but for {takers})")
    return tuple(rule for rules in made for rule in rules)


def _reaching(text: str, name: str, what: str, error: int, told: bool) -> list[list[Rule]]:
    found, outside = _who(text, what)
    made = []
    for each in MEANT[name]:
        condition, argument = REACHING[each]
        # A datagram socket of AF_INET takes AF_UNSPEC for AF_INET where it sends (net/ipv4/udp.c, udp_sendmsg);
        # connect(2) takes it for the end of the association, which is no way to reach anybody.
        more = as_unspec(found) if each in SENDING else ()
        made.append(each_abi(text, each, error, told, condition, argument, prefixes=(*found, *more), outside=outside))
    return made


def each_abi(
    text: str,
    name: str,
    error: int,
    told: bool,
    condition: Condition = Condition.ALWAYS,
    argument: int = 0,
    *,
    value: int = 0,
    prefixes: tuple[Prefix, ...] = (),
    outside: bool = False,
) -> list[Rule]:
    """A rule for each ABI that has the call."""
    return [
        Rule(text, number, compat, error, condition, argument, value, prefixes, outside, told)
        for number, compat in syscalls.numbers(name)
    ]


def _who(text: str, what: str) -> tuple[tuple[Prefix, ...], bool]:
    """The prefixes that WHO stands for, and whether it means all that is outside of them."""
    if what in WHO:
        family = WHO[what]
        if family == socket.AF_INET:  # an address of AF_INET that AF_INET6 writes as ::ffff:… is one, too
            return tuple(prefixes(with_mapped(Network(family, bytes(4), 0)))), False
        return (Prefix(family),), False
    if what == "global":
        return tuple(prefixes((*networks("loopback"), *networks("private")))), True
    if what in SCOPES:
        return tuple(prefixes(networks(what))), False
    try:
        return tuple(prefixes(with_mapped(network(what)))), False
    except ValueError as error:
        raise _wrong(text, str(error)) from None


def network(what: str) -> Network:
    """``10.0.0.0/8`` or an address. Raises ValueError with what is wrong about it."""
    if "%" in what:
        raise ValueError(f"{what} names an interface: no rule looks at it, leave it out")
    try:
        found = ipaddress.ip_network(what)
    except ValueError:
        raise ValueError(_not_a_network(what)) from None
    family = socket.AF_INET if found.version == 4 else socket.AF_INET6
    return Network(family, found.network_address.packed, found.prefixlen)


def _not_a_network(what: str) -> str:
    try:
        wider = ipaddress.ip_network(what, strict=False)
    except ValueError:
        known = (*SCOPES, *WHO)
        return f"{what!r} is no network (as 10.0.0.0/8), nor one of {', '.join(known)}{did_you_mean(what, known)}"
    return f"{what} has bits behind its prefix: the network is {wider}"


def prefixes(found: Iterable[Network]) -> Iterator[Prefix]:
    """Networks as rules have them."""
    return (Prefix(each.family, each.address, each.bits) for each in found)


def as_unspec(found: Iterable[Prefix]) -> tuple[Prefix, ...]:
    """What is meant by an address of AF_UNSPEC, where datagrams are sent: the prefixes of AF_INET."""
    return tuple(Prefix(socket.AF_UNSPEC, each.address, each.bits) for each in found if each.family == socket.AF_INET)


def _family(text: str, what: str) -> int:
    if what not in ADDRESS_FAMILIES:
        raise _wrong(
            text, f"{what!r} is no address family, as {', '.join(WHO)} are{did_you_mean(what, ADDRESS_FAMILIES)}"
        )
    return ADDRESS_FAMILIES[what]


def _error_number(text: str, word: str) -> int:
    number = ERRNOS.get(word) or next((number for number in errno.errorcode if str(number) == word), None)
    if number is None:  # others could be codes that the kernel keeps to itself, as ERESTARTSYS
        raise _wrong(text, f"{word!r} is no errno, as {DEFAULT} or EPERM are{did_you_mean(word.upper(), ERRNOS)}")
    return number


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(f"--deny {text}: {why}")
