# SPDX-License-Identifier: GPL-2.0-or-later
"""Socket addresses: struct sockaddr as the kernel gives it -> text, and the scope of a peer. Pure functions.

Layouts: ip(7), ipv6(7), unix(7), netlink(7), vsock(7), packet(7).
"""

from __future__ import annotations

import _socket as socket  # what is of C in it: the rest takes ten times as long to load
import os
import struct
from functools import cache, lru_cache

from ptmon.frozen import dataclass

FAMILIES: dict[int, str] = {
    socket.AF_UNIX: "unix",
    socket.AF_INET: "inet",
    socket.AF_INET6: "inet6",
    socket.AF_NETLINK: "netlink",
    socket.AF_PACKET: "packet",
    socket.AF_VSOCK: "vsock",
}
TYPES = {1: "stream", 2: "dgram", 3: "raw", 4: "rdm", 5: "seqpacket", 6: "dccp", 10: "packet"}
INET_PROTOCOLS = {
    0: "ip",
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    33: "dccp",
    58: "icmpv6",
    132: "sctp",
    136: "udplite",
    255: "raw",
    256: "smc",
    262: "mptcp",
}
# include/uapi/linux/netlink.h
NETLINK_PROTOCOLS = {
    0: "route",
    2: "usersock",
    4: "sock_diag",
    5: "nflog",
    6: "xfrm",
    7: "selinux",
    9: "audit",
    10: "fib_lookup",
    11: "connector",
    12: "netfilter",
    15: "kobject_uevent",
    16: "generic",
    21: "crypto",
}
SHARED = 1024
"""Of so many hosts a text or a scope is kept: most sockets are of one of a few."""
LOCAL_FAMILIES = frozenset({"unix", "netlink", "vsock"})

_V4_MAPPED = bytes(10) + b"\xff\xff"
# Multicast narrower than global (RFC 4291 2.7, RFC 7346): ff, four bits of flags, four bits of scope, of which 1 is the
# interface's own and 0 reserved. The scopes 0, 2-3, 4-7, 8-b and c-d as prefixes:
_NARROW_MULTICAST = ((0x0, 16), (0x2, 15), (0x4, 14), (0x8, 14), (0xC, 15))
_NETWORKS: dict[str, tuple[str, ...]] = {
    "loopback": (
        "127.0.0.0/8",
        "0.0.0.0/32",  # the kernel takes it as a destination for the host itself
        "::1/128",
        "::/128",
        *(f"ff{flags:x}1::/16" for flags in range(16)),
    ),
    "private": (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "224.0.0.0/24",  # multicast that does not leave the network (RFC 5771, RFC 2365), and broadcast
        "239.0.0.0/8",
        "255.255.255.255/32",
        "fc00::/7",
        "fe80::/9",  # fe80::/10 and the old site-local fec0::/10
        *(f"ff{flags:x}{first:x}::/{bits}" for flags in range(16) for first, bits in _NARROW_MULTICAST),
    ),
}
"""What is not global: THE table, of which both the scope of a peer and the rules of --deny are made."""


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of AF_INET or AF_INET6 that begin with these ``bits``."""

    family: int
    address: bytes
    bits: int


def family_name(family: int) -> str:
    """The report's word for an AF_* number; ``unknown`` for -1, a socket that could not be looked at."""
    return FAMILIES.get(family, "unknown" if family < 0 else "other")


def type_name(kind: int) -> str:
    """The report's word for a SOCK_* number; the number itself where it has none, ``unknown`` for 0."""
    return TYPES.get(kind) or (str(kind) if kind else "unknown")


def protocol_name(family: int, protocol: int) -> str | None:
    """The report's word for a protocol; None in families that have but one."""
    if family in (socket.AF_INET, socket.AF_INET6):
        return INET_PROTOCOLS.get(protocol, str(protocol))
    if family == socket.AF_NETLINK:
        return NETLINK_PROTOCOLS.get(protocol, str(protocol))
    return str(protocol) if protocol > 0 else None


def address_text(address: bytes) -> str | None:
    """An address as users write it; None where there is none, as for an unnamed unix socket."""
    if len(address) < 2:
        return None
    (family,) = struct.unpack_from("=H", address)
    try:
        return _text(family, address)
    except (struct.error, ValueError):
        return f"af{family}:{address[2:].hex()}"  # shorter than its family says: shown as the bytes that it is


def host(address: bytes) -> str | None:
    """The address without its port, for inet and inet6; what :func:`address_text` says for others."""
    if len(address) < 2:
        return None
    (family,) = struct.unpack_from("=H", address)
    try:
        return _host(family, address)
    except (struct.error, ValueError):
        return f"af{family}:{address[2:].hex()}"


def port(address: bytes) -> int | None:
    """The port of an inet or inet6 address; None for others."""
    if len(address) < 4:
        return None
    (family,) = struct.unpack_from("=H", address)
    return _port(address) if family in (socket.AF_INET, socket.AF_INET6) else None


@lru_cache(SHARED)
def parts(address: bytes) -> tuple[str | None, str | None, int | None]:
    """:func:`address_text`, :func:`host` and :func:`port`."""
    return address_text(address), host(address), port(address)


def scope(family: int, peer: bytes) -> str:
    """Where a peer is: loopback, private, global, local or unknown."""
    if family_name(family) in LOCAL_FAMILIES:
        return "local"
    if len(peer) < 2:
        return "unknown"
    (peer_family,) = struct.unpack_from("=H", peer)
    if peer_family == socket.AF_INET and len(peer) >= 8:
        return _scope(socket.AF_INET, peer[4:8])
    if peer_family == socket.AF_INET6 and len(peer) >= 24:
        return _scope(socket.AF_INET6, peer[8:24])
    return "unknown"


def with_mapped(network: Network) -> tuple[Network, ...]:
    """A network, and if it is one of AF_INET the same as AF_INET6 writes it (::ffff:10.0.0.0/104), or the reverse."""
    address = network.address
    if network.family == socket.AF_INET:
        return network, Network(socket.AF_INET6, _V4_MAPPED + address, 96 + network.bits)
    if network.bits >= 96 and address.startswith(_V4_MAPPED):
        return network, Network(socket.AF_INET, address[12:], network.bits - 96)
    return (network,)


def networks(scope: str) -> tuple[Network, ...]:
    """The networks of the scopes ``loopback`` and ``private``, those of AF_INET as AF_INET6 writes them, too."""
    return tuple(network for text in _NETWORKS[scope] for network in with_mapped(_network(text)))


def _text(family: int, address: bytes) -> str | None:
    match family:
        case socket.AF_UNSPEC:
            return None
        case socket.AF_INET:
            return f"{_host(family, address)}:{_port(address)}"
        case socket.AF_INET6:
            return f"[{_host(family, address)}]:{_port(address)}"
        case socket.AF_UNIX:
            return _unix_text(address[2:])
        case socket.AF_NETLINK:
            pid, groups = struct.unpack_from("=2xII", address, 2)
            return f"netlink:{groups}/{pid}"
        case socket.AF_VSOCK:
            port, cid = struct.unpack_from("=2xII", address, 2)
            return f"vsock:{cid}:{port}"
        case socket.AF_PACKET:
            (ethertype,), (interface,) = struct.unpack_from("!H", address, 2), struct.unpack_from("=i", address, 4)
            return f"packet:{interface}/0x{ethertype:04x}"
    return f"af{family}:{address[2:].hex()}"


def _host(family: int, address: bytes) -> str | None:
    if family == socket.AF_INET:
        return _inet(address[4:8])
    if family == socket.AF_INET6:
        text = socket.inet_ntop(socket.AF_INET6, address[8:24])
        scope_id = struct.unpack_from("=I", address, 24)[0] if len(address) >= 28 else 0
        return f"{text}%{scope_id}" if scope_id else text
    return _text(family, address)


@lru_cache(SHARED)
def _inet(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET, address)


def _port(address: bytes) -> int:
    port: int = struct.unpack_from("!H", address, 2)[0]
    return port


def _unix_text(path: bytes) -> str | None:
    if not path:
        return None
    if path[0] == 0:  # abstract: every byte counts, NULs too; /proc/net/unix shows them as @ as well
        return os.fsdecode(path.replace(b"\0", b"@"))
    return os.fsdecode(path.split(b"\0", 1)[0])


def _network(text: str) -> Network:
    address, _, bits = text.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return Network(family, socket.inet_pton(family, address), int(bits))


@cache
def _prefixes(family: int) -> list[tuple[int, dict[int, str]]]:
    """For each length of a prefix: how far to shift an address to the right, and the scopes of what is left."""
    found: dict[int, dict[int, str]] = {}
    for scope in _NETWORKS:
        for network in networks(scope):
            if network.family == family:
                shift = 8 * len(network.address) - network.bits
                found.setdefault(shift, {})[int.from_bytes(network.address) >> shift] = scope
    return sorted(found.items())


@lru_cache(SHARED)
def _scope(family: int, packed: bytes) -> str:
    value = int.from_bytes(packed)
    for shift, scopes in _prefixes(family):
        if name := scopes.get(value >> shift):
            return name
    return "global"
