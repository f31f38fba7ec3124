# SPDX-License-Identifier: GPL-2.0-or-later
"""--fast-explain: what an engine told of sites becomes rows with words, and these a table."""

from __future__ import annotations

import json
import re

import pytest

from ptmon import syscalls
from ptmon.outputs.fast_explain import MACHINE, PROCESSES_MOST, SITES_MOST, UNUSED_MOST, WIDTH, lines
from ptmon.records import FallbackReason, Inside, Record, Site, Verdict
from ptmon.report import Report, SiteReport
from ptmon.sites import WORDS, explained
from tests.unit.build import ROOT, falls_back, report_of, server
from tests.unit.schema import validator

LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
SENDTO = next(number for number, compat in syscalls.numbers("sendto") if not compat)


def site(verdict: Verdict = Verdict.REPLACED, **other: object) -> Site:
    fields = {
        "pid": ROOT, "address": 0x7F0000010123, "file": LIBC, "offset": 0x10123, "numbers": (SENDTO,), "more": False,
        "compat": False, "stops": 3, **other,
    }  # fmt: skip
    return Site(**fields, verdict=verdict)  # type: ignore[arg-type]


def told(*records: Site | Inside, after: int = 50, but: tuple[Record, ...] = ()) -> Report:
    return explained(records, report_of([*server(), *but]), after)


def rows(report: Report) -> tuple[SiteReport, ...]:
    assert report.explained is not None
    return report.explained.sites


def table(report: Report, machine: str = MACHINE) -> list[str]:
    assert report.explained is not None
    return list(lines(report, report.explained, machine))


def test_every_verdict_has_words() -> None:
    assert set(WORDS) == set(Verdict)
    for verdict in Verdict:
        (row,) = rows(told(site(verdict)))
        assert (row.reason is None) == (row.verdict == "replaced")
        assert row.reason is None or "{" not in row.reason
        validator().validate(json.loads(json.dumps(told(site(verdict)).to_json())))


def test_a_process_that_fell_back_says_why_in_the_words_of_the_report() -> None:
    report = told(site(Verdict.FELL_BACK), site(Verdict.WITHDRAWN, offset=1), but=(falls_back(FallbackReason.SANDBOX),))
    (fallback,) = report.fallbacks
    fell_back, withdrawn = rows(report)
    assert (fell_back.verdict, fell_back.reason) == ("refused", fallback.reason)
    assert withdrawn.verdict == "withdrawn"
    assert withdrawn.reason is not None and withdrawn.reason.endswith(f": {fallback.reason}")


def test_a_library_that_is_met_again_has_one_row() -> None:
    report = told(site(), site(address=0x7F1111110123, stops=4, numbers=(SENDTO, 45)), Inside(ROOT, "sendto", 5))
    (row,) = rows(report)
    assert row.stops == 7
    assert len(row.calls) == 2
    assert len(rows(told(site(file=""), site(file="", address=1)))) == 2


def test_a_report_that_was_not_asked_has_no_sites() -> None:
    document = report_of(server()).to_json()
    assert "sites" not in document and "inside" not in document


def test_the_table_has_a_line_for_each_site() -> None:
    assert table(told(site(), site(Verdict.ENTERED, offset=0x20, stops=1), Inside(ROOT, "sendto", 12345))) == [
        "ptmon: where system calls are made, and how they were counted (--fast-explain)",
        "",
        f"process {ROOT} (server.out)",
        "  replaced by a jump, to count inside",
        "    libc.so.6+0x10123                            3 stops  sendto",
        "  refused: the program may jump into the middle of the bytes that a jump would",
        "    replace",
        "    libc.so.6+0x20                                1 stop  sendto",
        "  calls counted inside: 12,345 sendto",
    ]


def test_the_most_frequent_sites_come_first_and_the_rest_is_summed_up() -> None:
    many = [site(Verdict.OTHER, offset=number, stops=number) for number in range(1, SITES_MOST + 4)]
    said = table(told(*many))
    named = [line for line in said if "+0x" in line]
    assert len(named) == SITES_MOST
    assert named[0].startswith(f"    libc.so.6+{SITES_MOST + 3:#x} ")
    assert "    … and 3 more, with 6 stops" in said


def test_replaced_sites_where_no_call_stopped_are_but_named() -> None:
    many = [site(offset=number, stops=0) for number in range(0x1000, 0x1000 + UNUSED_MOST + 2)]
    said = " ".join(table(told(*many)))
    assert "no stops: libc.so.6+0x1000 sendto, +0x1001 sendto," in re.sub(" +", " ", said)
    assert said.endswith(", and 2 more")


def test_processes_beyond_the_most_are_counted() -> None:
    said = table(told(*(site(pid=pid) for pid in range(100, 102 + PROCESSES_MOST))))
    assert said[-1] == "… and 2 more processes (see the JSON report)"


@pytest.mark.parametrize("file", ["/x/\x1b[2J\n\u202e.so", "/" + "long" * 30, "", "[vdso]", "/a/\udcff"])
def test_the_table_is_narrow_and_moves_no_cursor(file: str) -> None:
    calls = tuple(range(12))
    said = table(told(*(site(verdict, file=file, numbers=calls, more=True) for verdict in Verdict)))
    assert all(line.isprintable() for line in said)
    assert all(len(line) < WIDTH for line in said if "long" not in line)


def test_sites_that_there_was_no_room_for_have_one_row() -> None:
    said = table(told(site(Verdict.OTHER, address=0, file="", offset=0, numbers=(), stops=9)))
    assert said[-1].split("  ")[2] == "elsewhere, in too many places"


def test_nothing_is_said_where_there_was_nothing() -> None:
    assert table(told()) == []


def test_what_can_not_be_is_said() -> None:
    (off,) = table(told(after=0))
    assert off == "ptmon: --fast off: nothing was counted inside the program, and no code changed"
    assert " ".join(table(told(), "aarch64")) == (
        "ptmon: no calls are counted inside programs here, on aarch64: all stop"
    )
