# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a report: what is in it, and that all of it is text."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import pytest

from ptmon.frozen import replace
from ptmon.outputs import html
from ptmon.outputs.html.tree import in_order
from ptmon.outputs.report_output import Style
from ptmon.report import Report
from tests.unit.test_report import REPORTS

MOST = 2_000_000
EVIL = "<script>alert(1)</script>\x1b[31m\"'&<!--\udcff\u202e"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Reads a page: which elements, and what text; that each is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes |= {name for name, _value in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data


def page(report: Report, units: str = "iec") -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    html.write_report(report, file, Style(units))
    file.flush()
    assert isinstance(file.buffer, io.BytesIO)
    return file.buffer.getvalue().decode()


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("units", ["iec", "si", "raw"])
def test_a_page_of_any_report_is_well_formed(name: str, units: str) -> None:
    made = page(REPORTS[name], units)
    assert Reader(made).seen.count("h1") == 1
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", re.sub(r"<code>.*?</code>", "", made))


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_has_all_that_the_report_has(name: str) -> None:
    report = REPORTS[name]
    text = Reader(page(report, "raw")).text
    for process in report.processes:
        assert str(process.pid) in text
    for socket in report.sockets:
        assert (socket.peer or "") in text
        assert f"{socket.sent} B" in text
    for call in report.by_syscall:
        assert call in text
    for warning in report.warnings:
        assert warning.message in text
    assert ("NOT COMPLETE" in text) is not report.complete


def test_what_others_have_chosen_is_text() -> None:
    report = REPORTS["server"]
    evil = replace(
        report,
        command=(EVIL,),
        processes=tuple(replace(row, name=EVIL, argv=(EVIL, EVIL)) for row in report.processes),
        sockets=tuple(replace(row, local=EVIL, peer=EVIL) for row in report.sockets),
        warnings=tuple(replace(row, message=EVIL) for row in REPORTS["eventful"].warnings),
    )
    plain, read = Reader(page(report)), Reader(page(evil))
    assert read.seen.count("script") == plain.seen.count("script")
    assert read.attributes <= plain.attributes
    assert "\x1b" not in read.text and "\u202e" not in read.text
    assert "<script>alert(1)</script>\\x1b[31m\"'&<!--\\xff\\u202e" in read.text


def test_only_the_pages_own_script_may_run() -> None:
    made = page(REPORTS["server"])
    policy = re.findall(r'Content-Security-Policy" content="([^"]*)"', made)[0]
    (script,) = re.findall(r"<script>(.*?)</script>", made, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("letter", ['"', "\U0001f600"])
def test_a_page_of_very_many_rows_is_small_and_says_what_it_leaves_out(letter: str) -> None:
    report = REPORTS["server"]
    (socket, *_), (process, *_) = report.sockets, report.processes
    evil = letter * 400
    large = replace(
        report,
        command=(evil,) * 10_000,
        sockets=tuple(replace(socket, id=at, sent=at, local=evil, peer=evil) for at in range(1, 5_000)),
        processes=tuple(replace(process, pid=at, argv=(evil,) * 5) for at in range(1, 5_000)),
        history=tuple((at / 10, at * 10**12, at * 10**12) for at in range(2000)),
    )
    made = page(large)
    assert len(made.encode()) < MOST
    left = re.findall(r"… and ([\d,]+) more (\w+): a report as JSON or CSV has them all", made)
    assert {what for _count, what in left} >= {"processes", "sockets"}
    rows = made.partition('id="sockets"')[2].partition("</tbody>")[0].count("<tr>") - 1
    assert rows + int({what: count for count, what in left}["sockets"].replace(",", "")) == 4_999
    assert f"{4_999 / 1024:.2f} KiB" in made  # the busiest is there


def test_where_the_encoding_has_no_letter_a_reference_stands_for_it() -> None:
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    html.write_report(replace(REPORTS["server"], command=("näher",)), file, Style())
    file.flush()
    assert isinstance(file.buffer, io.BytesIO)
    assert "näher" in Reader(file.buffer.getvalue().decode("ascii")).text


def test_processes_stand_below_their_parents() -> None:
    process = REPORTS["server"].processes[0]
    kin = [(1, None), (2, 1), (3, 2), (4, 1), (9, 77), (1, 4), (5, 1)]
    rows = [replace(process, pid=pid, ppid=ppid) for pid, ppid in kin]
    assert [(depth, row.pid) for depth, row in in_order(rows)] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (1, 4),
        (2, 1),
        (3, 5),
        (0, 9),
    ]


def test_a_tree_may_be_very_deep_and_have_circles() -> None:
    (process, *_) = REPORTS["server"].processes
    deep = [replace(process, pid=at, ppid=at - 1) for at in range(1, 3_000)]
    assert [depth for depth, _row in in_order(deep)] == list(range(2_999))
    circle = [replace(process, pid=1, ppid=2), replace(process, pid=2, ppid=1), replace(process, pid=3, ppid=3)]
    assert len(list(in_order(circle))) == 3
