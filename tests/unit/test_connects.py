# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ledger makes of connects, and of peers."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

from ptmon.records import Connect, Connected, Origin, SocketSeen
from ptmon.report import ConnectReport, PeerReport
from tests.unit.build import close, connect, inet, received, report_of, sent, tcp, udp, unix

BEGUN = connect(error=errno.EINPROGRESS)


def later(end: Connected, error: int = 0, **other: Any) -> Connect:
    return connect(error=error, end=end, **{"took": None, **other})


def row(*records: Connect) -> ConnectReport:
    (one,) = report_of(records).connects
    assert one.connected + one.failed + one.in_progress + one.abandoned == one.calls
    return one


def test_a_connect_has_its_address_and_its_time() -> None:
    one = row(connect(), connect(took=0.75, inode=1002))
    assert (one.peer, one.peer_address, one.peer_port, one.scope) == ("127.0.0.1:1", "127.0.0.1", 1, "loopback")
    assert (one.calls, one.connected, one.average_s, one.longest_s) == (2, 2, 0.5, 0.75)


def test_one_in_progress_ends_once() -> None:
    assert row(BEGUN).in_progress == 1
    assert row(BEGUN).longest_s is None
    assert row(BEGUN, later(Connected.ESTABLISHED)).connected == 1
    one = row(BEGUN, later(Connected.FAILED), later(Connected.FAILED, errno.ECONNREFUSED))
    assert (one.calls, one.failed, one.errnos) == (1, 1, {"ECONNREFUSED": 1})
    one = row(BEGUN, later(Connected.ABANDONED), later(Connected.ESTABLISHED))
    assert (one.calls, one.abandoned, one.connected) == (1, 0, 1)


def test_one_whose_call_was_not_told_is_one_all_the_same() -> None:
    assert row(later(Connected.ESTABLISHED)).calls == 1


def test_errnos_are_told_with_the_most_frequent_first() -> None:
    one = row(connect(error=errno.ETIMEDOUT), *[connect(error=errno.ECONNREFUSED)] * 2)
    assert list(one.errnos.items()) == [("ECONNREFUSED", 2), ("ETIMEDOUT", 1)]


def test_addresses_beyond_the_most_are_one_row() -> None:
    records = [connect(inet("127.0.0.1", port), errno.ECONNREFUSED) for port in range(1, 100)]
    rows = report_of(records, max_sockets=10).connects
    assert sum(one.calls for one in rows) == 99
    assert [one.calls for one in rows if one.peer is None] == [89]


def seen(record: SocketSeen, origin: Origin) -> SocketSeen:
    return replace(record, origin=origin)


def test_the_port_of_a_peer_is_that_of_the_service() -> None:
    records = [
        seen(tcp(1, port=50001), Origin.ACCEPTED),
        seen(tcp(2, port=50002), Origin.ACCEPTED),
        seen(tcp(3, port=443), Origin.CONNECTED),
        seen(tcp(4, port=50004), Origin.UNKNOWN),
        seen(udp(5, 5, inet("127.0.0.1", 50005)), Origin.BOUND),
        seen(udp(6, 6, inet("127.0.0.1", 123)), Origin.NONE),
        SocketSeen(0.1, 17, 17, 4, 7, 7, 1, 1, 0, unix(b"/run/x"), unix(b""), origin=Origin.ACCEPTED),
        *(sent(number, number) for number in range(1, 8)),
    ]
    rows = {(one.transport, one.peer_address, one.port): one for one in report_of(records).by_peer}
    assert {key: (one.sockets, one.sent) for key, one in rows.items()} == {
        ("tcp", "127.0.0.1", 8080): (2, 3),
        ("tcp", "127.0.0.1", 443): (1, 3),
        ("tcp", "127.0.0.1", None): (1, 4),
        ("udp", "127.0.0.1", 53): (1, 5),
        ("udp", "127.0.0.1", 123): (1, 6),
        ("unix stream", "/run/x", None): (1, 7),
    }


def test_the_sums_over_peers_are_the_totals_also_of_folded_sockets_and_of_none() -> None:
    records: list[Any] = [sent(5, 0)]
    for number in range(1, 50):
        records += [tcp(number, port=50000 + number), received(number, number), sent(3, number), close(number)]
    report = report_of(records, max_sockets=10)

    def total(rows: tuple[PeerReport, ...], name: str) -> int:
        return sum(getattr(one, name) for one in rows)

    for name in ("sent", "received", "calls_sent", "calls_received"):
        assert total(report.by_peer, name) == getattr(report.totals, name)
    assert total(report.by_peer, "sockets") == 49 + 1
