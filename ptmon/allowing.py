# SPDX-License-Identifier: GPL-2.0-or-later
"""--allow: ``connect:WHO`` or ``sendto:WHO`` -> the rules that refuse to reach anybody else.

An allow list is for what leaves the machine: the loopback, unix sockets and netlink, which is the kernel itself, are
free without being named. It is as little of a sandbox as --deny is (ptmon/rules.py).
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from ptmon.addresses import Network, networks
from ptmon.errors import UsageError, kernel_word
from ptmon.rules import (
    ADDRESS_FAMILIES,
    MEANT,
    REACHING,
    SCOPES,
    SENDING,
    WHO,
    as_unspec,
    each_abi,
    network,
    prefixes,
)
from ptmon.text import did_you_mean, printable
from ptmon.watches import NOTED, Prefix, Rule

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

MENTIONED = 3
"""So many of the rules stand in the text of a refusal."""
FREE = (socket.AF_UNIX, socket.AF_NETLINK)
IP = (socket.AF_INET, socket.AF_INET6)
OTHERS = range(1, 64)
"""Every AF_* that there is (AF_MAX, include/linux/socket.h), and some that there may be."""
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


def parse(given: Sequence[str], told: bool = True) -> tuple[Rule, ...]:
    """The rules that refuse what none of ``given`` names; each is a rule or ``@FILE``. None if there are none given.

    Raises UsageError, and suggests the nearest.
    """
    if not given:
        return ()
    words = [pair for text in given for pair in (_read(text[1:]) if text.startswith("@") else [(text, text)])]
    allowed: dict[str, list[str]] = {call: [] for call in MEANT["connect"]}
    for word, shown in words:
        name, what = _taken_apart(word, shown)
        for call in MEANT[name]:
            allowed[call].append(what)
    return tuple(rule for call, whom in allowed.items() for rule in _others(_text(given), call, whom, told))


def noting() -> tuple[Rule, ...]:
    """Rules that tell of whatever ``--allow`` would have to name, and refuse nothing."""
    return tuple(rule for call in MEANT["connect"] for rule in _others("noted", call, (), True, NOTED))


def _others(text: str, call: str, whom: Sequence[str], told: bool, error: int = errno.EACCES) -> list[Rule]:
    """What refuses ``call`` to reach anybody but ``whom`` and what is free."""
    ways, families = _whom(tuple(whom))
    condition, argument = REACHING[call]
    inside = tuple(prefixes(ways))
    if call in SENDING:
        inside = (*inside, *as_unspec(inside))
    outside = tuple(Prefix(family) for family in OTHERS if family not in families)
    return [
        *each_abi(text, call, error, told, condition, argument, prefixes=inside, outside=True),
        *each_abi(text, call, error, told, condition, argument, prefixes=outside),
    ]


@cache
def _whom(whom: tuple[str, ...]) -> tuple[tuple[Network, ...], frozenset[int]]:
    """The networks that are allowed, and the families about which networks say nothing more."""
    families: set[int] = {*FREE, *IP}
    found: dict[Network, None] = dict.fromkeys(_plain(networks("loopback")))
    for what in whom:
        if what == "global":
            found.update(dict.fromkeys(_global()))
        elif what in SCOPES:
            found.update(dict.fromkeys(_plain(networks(what))))
        elif what in ("inet", "inet6"):
            found.update(dict.fromkeys(_plain([network("0.0.0.0/0" if what == "inet" else "::/0")])))
        elif what in ADDRESS_FAMILIES:
            families.add(ADDRESS_FAMILIES[what])
        else:
            found.update(dict.fromkeys(_plain([network(what)])))
    return tuple(found), frozenset(families)


def _plain(found: Iterable[Network]) -> Iterator[Network]:
    """Each address once: ::ffff:192.0.2.1 is 192.0.2.1, so an IPv6 network that has all of these means none of them."""
    for each in found:
        bits = _bits(each)
        if not isinstance(bits, ipaddress.IPv6Network):
            yield each
        elif bits.subnet_of(_MAPPED):
            yield Network(socket.AF_INET, each.address[12:], each.bits - _MAPPED.prefixlen)
        elif bits.supernet_of(_MAPPED):
            yield from map(_network, bits.address_exclude(_MAPPED))
        else:
            yield each


def _global() -> Iterator[Network]:
    """What is neither on this machine nor in a private network."""
    taken = [*map(_bits, _plain((*networks("loopback"), *networks("private")))), _MAPPED]
    for whole in (ipaddress.IPv4Network("0.0.0.0/0"), ipaddress.IPv6Network("::/0")):
        at = whole.network_address
        # One behind the last address is no address: the end of IPv4 is taken, and that of IPv6 is not.
        for first, last in sorted((one[0], one[-1]) for one in taken if one.version == whole.version):
            if int(at) < int(first):
                yield from map(_network, ipaddress.summarize_address_range(at, first - 1))
            if last == whole[-1]:
                break
            at = max(at, last + 1)
        else:
            yield from map(_network, ipaddress.summarize_address_range(at, whole[-1]))


def _bits(one: Network) -> IPNetwork:
    return ipaddress.ip_network((one.address, one.bits))


def _network(one: IPNetwork) -> Network:
    family = socket.AF_INET if one.version == 4 else socket.AF_INET6
    return Network(family, one.network_address.packed, one.prefixlen)


def _taken_apart(word: str, shown: str) -> tuple[str, str]:
    """``connect`` and WHO."""
    name, colon, what = word.partition(":")
    if name not in ("connect", *SENDING) or not colon:
        raise _wrong(shown, "a rule is connect:WHO, or sendto:WHO if it only sends, as connect:10.0.0.0/8")
    if "=" in what:
        raise _wrong(shown, "what is allowed has no errno")
    if what not in SCOPES and what not in ADDRESS_FAMILIES:
        try:
            network(what)
        except ValueError as error:
            known = (*SCOPES, *WHO)
            near = "" if "did you mean" in str(error) else did_you_mean(what, known)
            raise _wrong(shown, f"{error}{near}") from None
    return name, what


def _read(path: str) -> list[tuple[str, str]]:
    """The rules in a file, one a line; # begins a comment. Each as it is, and as errors name it."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except UnicodeDecodeError:
        raise _wrong(f"@{path}", "it is no text") from None
    except (OSError, ValueError) as error:
        word = kernel_word(error.errno or 0) if isinstance(error, OSError) else str(error)
        raise _wrong(f"@{path}", f"cannot read it: {word}") from None
    found = ((number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1))
    return [(rule, f"@{path}, line {number}, {rule}") for number, rule in found if rule]


def _text(given: Sequence[str]) -> str:
    """What the refusals are told by: all of the rules have refused a call, not one of them."""
    more = len(given) - MENTIONED
    words = [*given[:MENTIONED], *([f"(and {more} more)"] if more > 0 else [])]
    return f"--allow {' '.join(words)}"


def _wrong(shown: str, why: str) -> UsageError:
    return UsageError(f"--allow {printable(shown)}: {why}")
