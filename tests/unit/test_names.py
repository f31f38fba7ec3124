# SPDX-License-Identifier: GPL-2.0-or-later
"""Which name a report gives to which socket."""

from __future__ import annotations

import socket
import struct

from ptmon.ledger.names import TOLD_MOST, NameTable
from ptmon.ledger.socket_tally import SocketTally
from ptmon.records import Named


def tally(number: int, opened: float, address: str = "192.0.2.7") -> SocketTally:
    made = SocketTally(number, opened)
    made.family = socket.AF_INET
    made.peer = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 80) + socket.inet_aton(address) + bytes(8)
    return made


def named(moment: float, name: str, address: str = "192.0.2.7", number: int | None = None) -> Named:
    return Named(moment, 1, 1, address, name, "dns" if number is None else "tls", number)


def test_a_socket_has_the_name_that_was_told_last_before_it_was_opened() -> None:
    table = NameTable(10)
    for moment, name in ((1.0, "a.test"), (3.0, "b.test"), (5.0, "a.test")):
        table.add(named(moment, name))
    assert [table.of_socket(tally(1, opened)) for opened in (0.5, 2.0, 4.0, 6.0)] == [
        None,
        "a.test",
        "b.test",
        "a.test",
    ]
    assert table.of_address(tally(1, 0.0).peer) == ("a.test", "b.test")


def test_what_a_connection_calls_its_peer_is_its_name() -> None:
    table = NameTable(10)
    table.add(named(1.0, "cdn.test"))
    table.add(named(3.0, "shop.test", number=1))
    assert table.of_socket(tally(1, 2.0)) == "shop.test"
    assert table.of_socket(tally(2, 2.0)) == "cdn.test"


def test_many_names_take_no_more_memory_than_few() -> None:
    table = NameTable(10)
    for number in range(200):
        table.add(named(float(number), f"n{number}.test"))
        table.add(named(float(number), "x.test", f"10.0.0.{number}", number))
    assert len(table.of_address(tally(1, 0.0).peer)) == 0, "the address told of longest ago is forgotten"
    assert table.of_socket(tally(199, 0.0)) == "x.test"
    for number in range(200):
        table.add(named(float(number), f"n{number}.test"))
    assert len(table.of_address(tally(1, 0.0).peer)) == TOLD_MOST


def test_a_row_of_many_sockets_has_all_names_of_its_address() -> None:
    table, many = NameTable(10), tally(1, 0.0)
    table.add(named(1.0, "a.test"))
    table.add(named(2.0, "b.test"))
    many.folded = 7
    assert table.of_row(many) == ("a.test", "b.test")
    assert table.of_row(tally(2, 1.5)) == ("a.test",)
