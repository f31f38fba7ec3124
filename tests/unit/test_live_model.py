# SPDX-License-Identifier: GPL-2.0-or-later
"""--live without a terminal: what is to be seen, by made-up records, and how it is laid out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from rich.text import Text

from ptmon.ledger.ledger import Ledger
from ptmon.live import picture
from ptmon.live.ansi import LINE_MOST, Lines, clean
from ptmon.live.model import PANELS, Model
from ptmon.live.spool import Spool
from ptmon.records import Incomplete, Reason, SocketSeen
from tests.unit.build import HEADER, ROOT, born, close, executes, exits, received, sent, tcp, unix


def book_of(records: Iterable[Any]) -> Ledger:
    book = Ledger(HEADER)
    for record in records:
        book.add(record)
    return book


def model_of(records: Iterable[Any], moment: float = 2.0) -> Model:
    model = Model()
    model.update(book_of(records).view(moment))
    return model


def names(model: Model, panel: str) -> list[str]:
    return [row.name for row in model.table(panel).rows]


def two_peers() -> list[Any]:
    """One that gets much in few calls, and one that sends much in many."""
    return [
        born(ROOT, ROOT, 16),
        executes("server.out"),
        tcp(1, port=50001),
        tcp(2, port=50002, peer="10.0.0.9"),
        sent(1000, 1, calls=2, time=0.2),
        sent(10, 2, calls=30, time=0.3, syscall="write"),
        received(5000, 2, calls=7, time=0.4),
        received(1, 1, calls=1, time=1.5, syscall="read"),
    ]


@pytest.mark.parametrize(
    ("key", "first", "call"),
    [
        ("s", ":50001", "sendto"),
        ("r", ":50002", "recvfrom"),
        ("c", ":50002", "write"),
        ("b", ":50002", "recvfrom"),
        ("t", ":50001", "read"),
    ],
)
def test_a_key_sorts_connections_and_calls(key: str, first: str, call: str) -> None:
    model = model_of(two_peers())
    model.sort = key
    assert names(model, "connections")[0].endswith(first)
    assert names(model, "calls")[0] == call


def test_the_rows_are_what_the_ledger_says() -> None:
    model = model_of(two_peers())
    (process,) = model.table("processes").rows
    assert (process.name, process.middle, process.sent, process.received, process.calls) == (
        "server.out", str(ROOT), 1010, 5001, 40
    )  # fmt: skip
    assert process.seconds == 2.0
    assert sum(row.sent for row in model.table("calls").rows) == 1010
    assert sum(row.received for row in model.table("calls").rows) == 5001
    assert sum(row.received for row in model.table("connections").rows) == 5001


def test_connections_are_summed_up_by_peer() -> None:
    model = model_of([*two_peers(), tcp(3, port=50003), sent(7, 3)])
    model.by_peer = True
    rows = {row.name: (row.middle, row.sent, row.received) for row in model.table("connections").rows}
    assert rows == {"tcp  127.0.0.1": ("2", 1007, 1), "tcp  10.0.0.9": ("1", 10, 5000)}


def test_a_filter_leaves_rows_that_have_its_text() -> None:
    model = model_of(two_peers())
    model.filter = "10.0.0.9"
    table = model.table("connections")
    assert len(table.rows) == 1 and table.all == 2
    assert names(model, "calls") == []
    model.filter = "SERVER"
    assert names(model, "processes") == ["server.out"]


def test_rates_are_what_came_from_view_to_view() -> None:
    book, model = book_of(two_peers()), Model()
    model.update(book.view(2.0, model.last))
    book.add(sent(3000, 1))
    model.update(book.view(4.0, model.last))
    model.update(book.view(5.0, model.last))
    assert list(model.sent) == [505, 1500, 0]
    assert list(model.received)[1:] == [0, 0]


def test_what_was_moved_before_the_first_view_of_an_attach_is_no_peak() -> None:
    model = model_of(two_peers(), moment=0.01)
    assert not model.sent


def test_a_sparkline_is_as_high_as_its_most_and_blank_where_nothing_came() -> None:
    assert picture.sparkline([0, 1, 50, 100], 6) == "   ▁▄█"
    assert picture.sparkline([7, 7, 0], 2) == "█ "
    assert picture.sparkline([], 3) == "   "
    assert picture.sparkline([1], 0) == ""


def test_who_has_ended_stays_and_lasts_no_longer() -> None:
    model = model_of([*two_peers(), close(1), exits()], moment=60.0)
    (process,) = model.table("processes").rows
    assert process.over and process.seconds == 1.0
    connections = {row.name[-5:]: row for row in model.table("connections").rows}
    assert connections["50001"].over and not connections["50002"].over


def test_how_bytes_were_counted_is_said() -> None:
    assert "at stops (slow): 40 calls" in model_of(two_peers()).counted()
    said = model_of([*two_peers(), sent(5, 1, calls=60, fast=True)]).counted()
    assert "inside the program (fast): 60 calls" in said and "at stops (slow): 40" in said
    assert Model().counted() == ""


def test_a_warning_takes_the_place_of_how_it_was_counted() -> None:
    model = model_of([*two_peers(), Incomplete(0.4, ROOT, Reason.IO_URING, None, 0)])
    head = [line.plain for line in picture.head(model, 80, "iec")]
    assert "NOT COMPLETE" in head[0]
    assert head[3].startswith("note: process 17 uses io_uring")


def screen(model: Model, width: int, height: int) -> list[Text]:
    needs = {name: len(model.table(name).rows) + 1 for name in PANELS}
    lines = picture.head(model, width, "iec")
    for name, count in picture.heights(height, False, needs).items():
        lines += picture.table(model, name, width, count, "iec") if count else []
    return [*lines, picture.keys(width)]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (40, 10), (20, 8)])
def test_a_screen_is_never_wider_or_higher_than_the_terminal(width: int, height: int) -> None:
    many = [record for number in range(1, 300) for record in (tcp(number, port=number), sent(number, number))]
    lines = screen(model_of([*two_peers(), *many]), width, height)
    assert max(line.cell_len for line in lines) <= width
    assert len(lines) == max(height, 8)


def test_hostile_names_move_no_cursor_and_are_no_markup() -> None:
    evil = SocketSeen(0.1, ROOT, ROOT, 4, 9, 99, 1, 1, 0, b"", unix(b"/\x1b[2J[bold]\xff\x9b1\xe2\x80\xae"))
    model = model_of([born(ROOT, ROOT, 16), executes("[red]\x1b]0;x\x07\n"), evil, sent(5, 9)])
    text = "\n".join(line.plain for line in screen(model, 120, 24))
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "[red]\\x1b]0;x\\x07\\x0a" in text
    assert "[bold]" in text


def test_each_table_gets_what_it_has_use_for() -> None:
    few = picture.heights(24, True, {"processes": 2, "connections": 6, "calls": 3})
    assert (few["processes"], few["connections"], few["calls"]) == (2, 6, 3)
    assert sum(few.values()) == 24 - picture.HEAD - 1
    many = picture.heights(24, True, dict.fromkeys(PANELS, 1000))
    assert min(many.values()) >= 4 and sum(many.values()) == 24 - picture.HEAD - 1
    assert picture.heights(24, True, {}, "calls") == {"processes": 0, "connections": 0, "calls": 19, "output": 0}


def test_times_stand_still_while_they_count() -> None:
    assert [picture.clock(value) for value in (7.9, 754, 10921, 442920)] == ["0:07", "12:34", "3:02:01", "5d 03:02"]


def test_of_a_programs_output_colours_are_kept_and_all_else_is_escaped() -> None:
    lines = Lines(100)
    (one, two) = lines.feed(b"\x1b[31mred\x1b[2J\x1b[0m plain\r\n\x1b]0;title\x07a\x08b\x9b[bold]\xff\n")
    assert one.plain == "red plain"
    assert one.markup == "[color(1)]red[/color(1)] plain"
    assert two.plain == "a\\x08b\\x9b[bold]\\xff"
    assert lines.feed(b"unfin") == [] and lines.part.plain == "unfin"
    assert [line.plain for line in lines.feed(b"ished\r10 %\r20 %\n")] == ["20 %"]


def test_a_line_that_is_cut_in_a_sequence_shows_none_of_it_raw() -> None:
    (line,) = Lines(10).feed(b"x" * (LINE_MOST - 2) + b"\x1b[31mred\n")
    assert line.plain.isprintable()
    assert "\x1b" not in clean("a\x1b").replace("\\x1b", "")


def test_of_too_many_lines_at_once_the_last_are_shown() -> None:
    assert [line.plain for line in Lines(2).feed(b"1\n2\n3\n4\n")] == ["3", "4"]


def test_a_spool_gives_back_all_that_it_was_given() -> None:
    spool = Spool()
    data = [bytes([number]) * 70_000 for number in range(40)]  # more than it keeps in memory
    for one in data:
        spool.put(one)
    assert b"".join(spool.chunks()) == b"".join(data)
    assert b"".join(spool.chunks()) == b"" and spool.lost == 0


def test_a_spool_that_is_full_keeps_the_last_and_counts_the_rest() -> None:
    spool = Spool(most=100)
    for number in range(10):
        spool.put(bytes([number]) * 60)
    kept = b"".join(spool.chunks())
    assert kept.endswith(bytes([9]) * 60) and len(kept) >= 100
    assert spool.lost + len(kept) == 600


def test_a_view_is_made_without_copying_rows() -> None:
    """So the tracer waits for it no longer than it takes to make a list."""
    book = book_of(two_peers())
    view = book.view(2.0)
    book.add(sent(7, 1))
    assert view.processes[0].sent == 1017 and view.snapshot.totals.sent == 1010
    book.add(tcp(3, port=50003))
    assert len(view.sockets) == 2
