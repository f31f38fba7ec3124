# SPDX-License-Identifier: GPL-2.0-or-later
"""Sums by peer: a row for each peer's address, transport and port of the service, whichever side has that.

A client's port says nothing, and a server may have seen thousands of them: what it did with one client is one row. So
the port is that of the side that was there first: of the peer where this side has connected, of this side where it has
accepted or was bound. Where that is not known, and of folded sockets, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ptmon import addresses
from ptmon.ledger.socket_tally import SocketTally
from ptmon.records import Origin
from ptmon.report import PeerReport

Key = tuple[str, str | None, int | None, str]


def peers(tallies: Iterable[SocketTally], names: Callable[[SocketTally], tuple[str, ...]]) -> tuple[PeerReport, ...]:
    """The rows of the sockets that were used, the busiest first. Their sums are the totals. ``names``: of a row."""
    sums: dict[Key, list[int]] = {}
    called: dict[Key, dict[str, None]] = {}
    for tally in tallies:
        if tally.calls_sent or tally.calls_received or tally.sent or tally.received:
            key = _key(tally)
            row = sums.setdefault(key, [0] * 5)
            called.setdefault(key, {}).update(dict.fromkeys(names(tally)))
            counts = (tally.folded or 1, tally.sent, tally.received, tally.calls_sent, tally.calls_received)
            for index, count in enumerate(counts):
                row[index] += count
    rows = (
        PeerReport(*key, count, sent, received, calls_sent, calls_received, tuple(called[key]))
        for key, (count, sent, received, calls_sent, calls_received) in sums.items()
    )
    return tuple(sorted(rows, key=lambda row: -row.sent - row.received))


def _key(tally: SocketTally) -> Key:
    protocol, family = addresses.protocol_name(tally.family, tally.protocol), tally.family_name
    transport = f"{family} {addresses.type_name(tally.type)}"
    if family in ("inet", "inet6"):
        transport = protocol or family
    elif family == "netlink":
        transport = f"{family} {protocol}"
    elif family == "unknown":
        transport = family
    # A unix socket that was accepted seldom has a peer with a name; its own is that of the service.
    peer = tally.peer if len(tally.peer) > 2 or family != "unix" else tally.local
    return transport, addresses.host(peer), None if tally.folded else _service(tally), tally.scope


def _service(tally: SocketTally) -> int | None:
    if tally.origin in (Origin.CONNECTED, Origin.NONE):
        return addresses.port(tally.peer)
    return addresses.port(tally.local) if tally.origin in (Origin.ACCEPTED, Origin.BOUND) else None
