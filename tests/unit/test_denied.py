# SPDX-License-Identifier: GPL-2.0-or-later
"""Refused calls in the report: by rule, system call and errno."""

from __future__ import annotations

import errno
import json
from io import StringIO
from typing import Any

from ptmon import syscalls
from ptmon.outputs import json as json_output
from ptmon.outputs.report_output import Style
from ptmon.outputs.summary import write_report
from ptmon.records import Called, Denied
from ptmon.report import Report
from tests.unit.build import ROOT, report_of, sent, tcp
from tests.unit.schema import validator


def refused(rule: str, name: str, error: int = errno.EACCES, pid: int = ROOT) -> Denied:
    number, compat = syscalls.numbers(name)[0]
    return Denied(0.5, pid, pid, Called(number, compat, (0,) * 6), rule, error)


def rows(report: Report) -> list[Any]:
    file = StringIO()
    json_output.write_report(report, file, Style())
    document = json.loads(file.getvalue())
    validator().validate(document)
    assert isinstance(document["denied"], list)
    return document["denied"]


def summary(report: Report) -> str:
    class Plain(StringIO):
        encoding = "utf-8"

    file = Plain()
    write_report(report, file, Style())
    return file.getvalue()


def test_refusals_are_rows_by_rule_call_and_errno() -> None:
    records = [
        refused("connect:global", "connect"),
        refused("connect:global", "sendto"),
        refused("connect:global", "connect", pid=20),
        refused("hook guard", "execve", errno.EPERM),
        refused("hook guard", "execve", errno.ENOENT),
    ]
    assert rows(report_of(records)) == [
        {"rule": "connect:global", "syscall": "connect", "errno": "EACCES", "calls": 2},
        {"rule": "connect:global", "syscall": "sendto", "errno": "EACCES", "calls": 1},
        {"rule": "hook guard", "syscall": "execve", "errno": "EPERM", "calls": 1},
        {"rule": "hook guard", "syscall": "execve", "errno": "ENOENT", "calls": 1},
    ]


def test_a_refused_call_is_no_transfer() -> None:
    report = report_of([tcp(1), sent(7), refused("connect:global", "sendto")])
    assert (report.totals.calls_sent, report.totals.errors, report.totals.sent) == (1, 0, 7)
    assert report.complete


def test_without_a_refusal_the_report_has_no_row_and_the_summary_no_block() -> None:
    report = report_of([tcp(1), sent(7)])
    assert rows(report) == []
    assert "denied" not in summary(report)


def test_the_summary_says_what_was_refused_and_how_often() -> None:
    report = report_of([*[refused("connect:global", "connect")] * 3, refused("ptrace=EPERM", "ptrace", errno.EPERM)])
    lines = [line.split() for line in summary(report).splitlines()]
    assert ["denied", "calls"] in lines
    assert ["connect:global", "(connect,", "EACCES)", "3"] in lines
    assert ["ptrace=EPERM", "(ptrace)", "1"] in lines


def test_the_summary_ends_a_long_list_by_its_sum() -> None:
    report = report_of([refused(f"hook h{number}", "execve") for number in range(12) for _ in range(number)])
    lines = [line.split() for line in summary(report).splitlines()]
    assert ["…", "and", "1", "more", "11"] in lines
