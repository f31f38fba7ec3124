# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary: what it says, and what it must not do to a terminal."""

from __future__ import annotations

import errno
import io
import os
import re
import termios
from dataclasses import replace
from typing import Any

import pytest

from ptmon.outputs import summary
from ptmon.outputs.report_output import Style
from ptmon.outputs.verdicts import how_it_ended
from ptmon.records import Connected, FallbackReason, Incomplete, Reason, SocketSeen
from ptmon.report import Report
from tests.unit.build import (
    ATTACHED,
    HEADER,
    ROOT,
    born,
    close,
    connect,
    executes,
    exits,
    falls_back,
    inet6,
    received,
    report_of,
    sent,
    server,
    tcp,
    unix,
)
from tests.unit.test_report import REPORTS


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal, of 80 columns."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="strict", newline="")

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        self.flush()
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


class Plain(Terminal):
    """A file."""

    def isatty(self) -> bool:
        return False


def summed_up(name: str = "server", units: str = "iec") -> str:
    file = Plain()
    summary.write_report(REPORTS[name], file, Style(units))
    return file.text()


def shown(report: Report, columns: int = 0) -> str:
    """As on a terminal of so many columns, without colours; 0: in a file."""
    file = Plain()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summary, "width", lambda _file: columns or summary.COLUMNS)
        summary.write_report(report, file, Style())
    return file.text()


def line(text: str, start: str) -> list[str]:
    """The words of the one line that starts so."""
    (found,) = [row for row in text.splitlines() if row.strip().startswith(start)]
    return re.split(r"\s{2,}", found.strip())


def test_the_main_figures_are_there() -> None:
    text = summed_up()
    assert text.startswith("ptmon: ./server.out · 1.25 s · exit 0 · complete\n")
    assert "payload bytes" in text
    assert line(text, "total") == ["total", "175 B", "175 B"]
    assert line(text, "loopback") == ["loopback", "175 B", "175 B"]
    assert line(text, "calls") == ["calls", "5", "5"]
    assert line(text, "server.out") == ["server.out", "17", "175 B", "175 B"]
    assert line(text, "sendto") == ["sendto", "5", "0", "175 B"]
    assert line(text, "tcp  :8080 ⇄ 127.0.0.1:50003") == ["tcp", ":8080 ⇄ 127.0.0.1:50003", "17", "35 B", "35 B"]
    assert line(text, "bytes per second") == ["bytes per second", "max", "average", "min"]
    assert line(text, "rx") == ["rx", "received", "175 B/s", "140 B/s", "140 B/s"]
    assert "audit: the kernel's TCP counters agree on 5 of 5 sockets" in text


@pytest.mark.parametrize("name", REPORTS)
def test_lines_stay_within_80_columns(name: str) -> None:
    assert max(map(len, summed_up(name).splitlines())) <= 80


def test_nothing_of_a_program_reaches_the_terminal_as_control() -> None:
    text = summed_up("eventful")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "a\\xff\\x1b[0m" in text


def test_a_run_shorter_than_a_second_has_one_rate() -> None:
    text = shown(report_of([tcp(1), received(70), exits()], duration=0.5))
    assert line(text, "bytes per second") == ["bytes per second", "average"]
    assert line(text, "rx") == ["rx", "received", "140 B/s"]
    assert line(text, "tx") == ["tx", "sent", "0 B/s"]


IPV6 = "[2001:db8:1234:5678:9abc:def0:1234:5678]:50000"
FROM, TO = f"/run/{'a' * 90}/from", f"/run/{'b' * 90}/to"


def long_peers() -> list[SocketSeen]:
    """A connection by IPv6, and one by unix paths as long as they can be."""
    host, port = IPV6[1:].split("]:")
    ends = (inet6("::1", 8080), inet6(host, int(port)))
    paths = (unix(FROM.encode() + b"\0"), unix(TO.encode() + b"\0"))
    return [
        SocketSeen(0.1, ROOT, ROOT, 4, 1, 1001, 10, 1, 6, *ends),
        SocketSeen(0.1, ROOT, ROOT, 5, 2, 1002, 1, 1, 0, *paths),
    ]


@pytest.mark.parametrize("columns", [0, 40, 60, 80, 120, 200, 400])
def test_no_peer_is_cut_however_narrow_the_terminal(columns: int) -> None:
    text = shown(report_of([*long_peers(), sent(35, 1), sent(36, 2), exits()]), columns)
    assert f"tcp  :8080 ⇄ {IPV6}" in text
    assert f"unix stream  {FROM} ⇄ {TO}" in text
    assert "…" not in text


def test_a_name_that_does_not_fit_has_a_line_of_its_own_and_its_numbers_below() -> None:
    lines = shown(report_of([*long_peers(), sent(35, 1), sent(36, 2), exits()])).splitlines()
    at = lines.index(f"tcp  :8080 ⇄ {IPV6}")
    assert lines[at + 1].split() == ["17", "35", "B", "0", "B"]
    assert len(lines[at + 1]) == 80


def test_tables_are_wider_than_80_columns_only_for_a_name() -> None:
    few = shown(report_of([tcp(1), sent(35), exits()]), 200)
    assert {len(row) for row in few.splitlines() if row.endswith(" B")} == {80}
    long = shown(report_of([*long_peers()[:1], sent(35, 1), exits()]), 200).splitlines()
    (row,) = [row for row in long if IPV6 in row]
    assert row.split()[-5:] == ["17", "35", "B", "0", "B"]
    assert {len(other) for other in long if other.endswith(" B")} == {len(row)}


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_long_command_is_wrapped_and_not_cut(columns: int) -> None:
    words = [f"--file={number}.txt" for number in range(40)]
    text = shown(report_of([executes("cp"), exits()], replace(HEADER, command=("cp", *words))), columns)
    head = text[: text.index("\n\n")]
    assert head.split()[2:-8] == words
    assert head.endswith("complete")
    assert max(map(len, head.splitlines())) in range(columns - 15, columns + 1)


def test_a_word_of_the_command_that_is_longer_than_a_line_stays_whole() -> None:
    path = f"/srv/{'x' * 90}/server"
    text = shown(report_of([executes("server"), exits()], replace(HEADER, command=(path, "-v"))))
    assert text.startswith(f"ptmon: {path}\n-v · 1.25 s · exit 0 · complete\n")


@pytest.mark.parametrize(("columns", "taken"), [(0, 80), (20, 40), (61, 61), (250, 250)])
def test_the_width_is_the_terminals(columns: int, taken: int) -> None:
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    with open(master), open(slave, "w") as file:
        assert summary.width(file) == taken


def test_a_file_has_80_columns() -> None:
    with open(os.devnull, "w") as file:
        assert summary.width(file) == 80


def test_names_are_no_markup() -> None:
    file = Plain()
    summary.write_report(report_of([executes("[red]x[/red]"), exits()]), file, Style())
    assert "[red]x[/red]" in file.text()


def test_what_is_missing_is_said() -> None:
    text = summed_up("eventful")
    assert "NOT COMPLETE" in text
    assert "io_uring" in text
    assert "differ on 1" in text


def test_beyond_ten_rows_the_rest_is_summed_up() -> None:
    records = [record for number in range(1, 31) for record in (tcp(number, port=number), sent(100 + number, number))]
    file = Plain()
    summary.write_report(report_of([executes("server.out"), *records]), file, Style("raw"))
    text = file.text()
    rest = sum(100 + number for number in range(1, 21))
    assert line(text, "… and 20 more sockets") == ["… and 20 more sockets", f"{rest} B", "0 B"]
    assert line(text, "tcp  127.0.0.1 ") == ["tcp", "127.0.0.1", "30", "3465 B", "0 B"]


def test_folded_sockets_are_counted_one_by_one() -> None:
    records = [
        record
        for number in range(1, 31)
        for record in (tcp(number, port=number), sent(10, number), close(number, (10, 0)))
    ]
    file = Plain()
    summary.write_report(report_of(records, max_sockets=12), file, Style())
    assert "agree on 30 of 30 sockets" in file.text()
    assert "… and 20 more sockets" in file.text()


def test_more_than_ten_notes_are_cut() -> None:
    notes = [Incomplete(0.1, pid, Reason.AIO, None, 0) for pid in range(20, 35)]
    file = Plain()
    summary.write_report(report_of(notes), file, Style())
    assert file.text().count("note: ") == 10
    assert "… and 5 notes more" in file.text()


def test_how_calls_were_counted_is_said_in_plain_words_and_only_where_it_is_news() -> None:
    assert "speed" not in summed_up()
    records = [tcp(1), sent(5, calls=199_990, fast=True), sent(1, calls=10), falls_back(FallbackReason.SANDBOX)]
    assert shown(report_of(records), 100).splitlines()[-2:] == [
        "speed: 199,990 calls were counted inside the program (fast), 10 by stopping it (slow)",
        "  process 17: it has a seccomp filter of its own",
    ]


def test_where_all_calls_were_counted_the_same_way_no_zero_is_said() -> None:
    inside = shown(report_of([tcp(1), sent(5, calls=66, fast=True)]))
    assert inside.splitlines()[-1] == "speed: all 66 calls were counted inside the program, which is fast"
    at_stops = shown(report_of([tcp(1), sent(5, calls=7), falls_back(FallbackReason.COMPAT)]))
    assert at_stops.splitlines()[-2:] == [
        "speed: all 7 calls were counted by stopping the program, which is slow",
        "  process 17: it makes 32-bit calls",
    ]


def test_more_than_ten_fallbacks_are_cut() -> None:
    text = shown(report_of([falls_back(FallbackReason.CODE, pid) for pid in range(20, 35)]))
    assert text.count("\n  process ") == 10
    assert text.endswith("  … and 5 more\n")


def test_units() -> None:
    records = [tcp(1), received(1_500_000)]
    shown = []
    for units in ("iec", "si", "raw"):
        file = Plain()
        summary.write_report(report_of(records), file, Style(units))
        shown.append(line(file.text(), "total")[2])
    assert shown == ["1.43 MiB", "1.50 MB", "1500000 B"]


@pytest.mark.parametrize(
    ("when", "environment", "terminal", "colored"),
    [
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"TERM": "xterm"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"TERM": "xterm"}, True, False),
    ],
)
def test_color(
    monkeypatch: pytest.MonkeyPatch, when: str, environment: dict[str, str], terminal: bool, colored: bool
) -> None:
    for name in ("TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    file = Terminal() if terminal else Plain()
    summary.write_report(REPORTS["server"], file, Style(color=when))
    assert ("\x1b[" in file.text()) == colored


def test_a_terminal_that_knows_no_unicode_gets_none() -> None:
    file = Terminal("latin-1")
    summary.write_report(REPORTS["eventful"], file, Style(color="never"))
    assert "tcp  :8080 - 127.0.0.1:50000" in file.text()


def test_how_a_run_ended() -> None:
    ends = [
        (report_of([exits(ROOT, 3)]), "exit 3"),
        (report_of([exits(ROOT, None, 11)]), "killed by SIGSEGV"),
        (report_of([exits(ROOT, None, 63)]), "killed by signal 63"),
        (report_of([born(ROOT, ROOT, 1)]), "still running"),
        (report_of([born(ROOT, ROOT, 1)], ATTACHED), "detached"),
    ]
    for report, text in ends:
        assert how_it_ended(report) == text


def test_the_example_of_a_server_is_short() -> None:
    assert len(summed_up().splitlines()) < 40
    assert len(server()) == 23


def busy() -> Report:
    """Three connections: one with most calls, one with most bytes sent, one that lasted longest."""
    return report_of(
        [
            *(tcp(number, port=50000 + number) for number in (1, 2, 3)),
            *(received(1, 1) for _ in range(5)),
            sent(100, 2),
            received(300, 3),
            replace(close(1, (0, 5)), time=0.2),
            replace(close(2, (100, 0)), time=0.3),
            replace(close(3, (0, 300)), time=1.2),
        ]
    )


def ordered(**style: Any) -> list[int]:
    """The number of each connection in the order in which the summary has them, and where they are not all there 0."""
    file = Plain()
    summary.write_report(busy(), file, Style(**style))
    table = file.text().partition("by socket")[2].partition("\n\n")[0]
    return [int(found[2]) if found[2] else 0 for found in re.finditer(r"(50000|⇄ [0-9.]+:5000(\d)|… and)", table)]


def test_sockets_are_in_the_order_that_is_asked_for() -> None:
    assert ordered() == [3, 2, 1]
    assert ordered(sort="sent") == [2, 1, 3]
    assert ordered(sort="received") == [3, 1, 2]
    assert ordered(sort="calls") == [1, 2, 3]
    assert ordered(sort="duration") == [3, 2, 1]


def test_so_many_sockets_are_shown_as_are_asked_for() -> None:
    assert ordered(top=1) == [3, 0]
    assert ordered(top=2, sort="calls") == [1, 2, 0]
    assert ordered(top=3) == [3, 2, 1]


def test_by_duration_connections_are_shown_with_their_times() -> None:
    file = Plain()
    summary.write_report(busy(), file, Style(sort="duration", top=2))
    table = file.text().partition("by tcp connection")[2].partition("\n\n")[0]
    assert line(table, "tcp  :8080 ⇄ 127.0.0.1:50003")[2:] == ["1.10 s", "0.021 ms", "0 B"]
    assert "… and 1 more connections" in table
    assert "by tcp connection" not in summed_up()


def test_connects_in_vain_are_told_with_their_reason() -> None:
    refused, unknown = connect(error=errno.ECONNREFUSED), connect(end=Connected.FAILED, inode=7, took=None)
    begun = connect(error=errno.EINPROGRESS, inode=7)
    text = shown(report_of([refused, refused, replace(refused, error=errno.ETIMEDOUT), begun]))
    assert "connect: 3 failed (ECONNREFUSED 2, ETIMEDOUT 1) -> 127.0.0.1:1\n" in text
    assert "connect: 1 in progress, and what became of it was not seen -> 127.0.0.1:1\n" in text
    assert "connect: 1 failed (why was not seen) -> 127.0.0.1:1\n" in shown(report_of([begun, unknown]))
    abandoned = connect(end=Connected.ABANDONED, inode=7, took=None)
    assert "connect: 1 closed while in progress -> 127.0.0.1:1\n" in shown(report_of([begun, abandoned]))
    assert "connect:" not in shown(report_of([connect()]))
