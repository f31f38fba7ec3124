# SPDX-License-Identifier: GPL-2.0-only
"""The summary: what it says, and what it must not do to a terminal."""

from __future__ import annotations

import io
import re

import pytest

from ptmon.outputs import summary
from ptmon.outputs.report_output import Style
from ptmon.records import FallbackReason, Incomplete, Reason
from tests.unit.build import (
    ATTACHED,
    ROOT,
    born,
    close,
    executes,
    exits,
    falls_back,
    received,
    report_of,
    sent,
    server,
    tcp,
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
    assert line(text, "rx")[:2] == ["rx", "received"]
    assert "audit: the kernel's TCP counters agree on 5 of 5 sockets" in text


@pytest.mark.parametrize("name", REPORTS)
def test_lines_stay_within_80_columns(name: str) -> None:
    assert max(map(len, summed_up(name).splitlines())) <= 80


def test_nothing_of_a_program_reaches_the_terminal_as_control() -> None:
    text = summed_up("eventful")
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "a\\xff\\x1b[0m" in text


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


def test_how_calls_were_seen_is_said_last_and_only_where_it_is_news() -> None:
    assert "at stops" not in summed_up()
    records = [tcp(1), sent(5, calls=199_990, fast=True), sent(1, calls=10), falls_back(FallbackReason.SANDBOX)]
    file = Plain()
    summary.write_report(report_of(records), file, Style())
    assert file.text().splitlines()[-2:] == [
        "calls: 199,990 counted inside the program, 10 at stops",
        "process 17 at stops: it has a seccomp filter of its own",
    ]


def test_more_than_ten_fallbacks_are_cut() -> None:
    file = Plain()
    summary.write_report(report_of([falls_back(FallbackReason.CODE, pid) for pid in range(20, 35)]), file, Style())
    assert file.text().count("at stops: ") == 10
    assert file.text().endswith("… and 5 more at stops\n")


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
        assert summary.how_it_ended(report) == text


def test_the_example_of_a_server_is_short() -> None:
    assert len(summed_up().splitlines()) < 40
    assert len(server()) == 23
