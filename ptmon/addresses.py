# SPDX-License-Identifier: GPL-2.0-only
"""Socket addresses: struct sockaddr as the kernel gives it -> text, and the scope of a peer. Pure functions.

Layouts: ip(7), ipv6(7), unix(7), netlink(7), vsock(7), packet(7).
"""

from __future__ import annotations

import os
import socket
import struct

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
LOCAL_FAMILIES = frozenset({"unix", "netlink", "vsock"})

_V4_MAPPED = bytes(10) + b"\xff\xff"


def family_name(family: int) -> str:
    """The report's word for an AF_* number."""
    return FAMILIES.get(family, "other")


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


def scope(family: int, peer: bytes) -> str:
    """Where a peer is: loopback, private, global, local or unknown."""
    if family_name(family) in LOCAL_FAMILIES:
        return "local"
    if len(peer) < 2:
        return "unknown"
    (peer_family,) = struct.unpack_from("=H", peer)
    if peer_family == socket.AF_INET and len(peer) >= 8:
        return _scope4(peer[4:8])
    if peer_family == socket.AF_INET6 and len(peer) >= 24:
        packed = peer[8:24]
        return _scope4(packed[12:]) if packed.startswith(_V4_MAPPED) else _scope6(packed)
    return "unknown"


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
        return socket.inet_ntop(socket.AF_INET, address[4:8])
    if family == socket.AF_INET6:
        text = socket.inet_ntop(socket.AF_INET6, address[8:24])
        scope_id = struct.unpack_from("=I", address, 24)[0] if len(address) >= 28 else 0
        return f"{text}%{scope_id}" if scope_id else text
    return _text(family, address)


def _port(address: bytes) -> int:
    port: int = struct.unpack_from("!H", address, 2)[0]
    return port


def _unix_text(path: bytes) -> str | None:
    if not path:
        return None
    if path[0] == 0:  # abstract: every byte counts, NULs too; /proc/net/unix shows them as @ as well
        return os.fsdecode(path.replace(b"\0", b"@"))
    return os.fsdecode(path.split(b"\0", 1)[0])


def _scope4(packed: bytes) -> str:
    first, second = packed[0], packed[1]
    if first == 127 or packed == bytes(4):  # the kernel takes 0.0.0.0 as a destination for the host itself
        return "loopback"
    if first == 10 or (first == 172 and 16 <= second < 32) or (first, second) in ((192, 168), (169, 254)):
        return "private"
    # Multicast that does not leave the network (RFC 5771, RFC 2365), and broadcast.
    if packed[:3] == b"\xe0\0\0" or first == 239 or packed == b"\xff" * 4:
        return "private"
    return "global"


def _scope6(packed: bytes) -> str:
    if packed in (bytes(16), bytes(15) + b"\1"):
        return "loopback"
    if packed[0] & 0xFE == 0xFC or (packed[0] == 0xFE and packed[1] & 0x80):  # fc00::/7, fe80::/10, fec0::/10
        return "private"
    if packed[0] == 0xFF and packed[1] & 0x0F < 0x0E:  # multicast narrower than global (RFC 7346)
        return "loopback" if packed[1] & 0x0F == 1 else "private"
    return "global"
