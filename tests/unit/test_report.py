# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as JSON and CSV, and its schema."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import jsonschema
import pytest

from ptmon.outputs import csv as csv_output
from ptmon.outputs import json as json_output
from ptmon.outputs.report_output import Style
from ptmon.records import FallbackReason, Incomplete, Reason, Record
from ptmon.report import Report
from tests.support import assert_sums_agree
from tests.unit.build import (
    ATTACHED,
    HEADER,
    ROOT,
    born,
    close,
    executes,
    exits,
    falls_back,
    peeked,
    received,
    report_of,
    sent,
    server,
    tcp,
)
from tests.unit.schema import validator

EVENTFUL: list[Record] = [
    born(ROOT, ROOT, 16),
    executes("a\udcff\x1b[0m", argv=("a\udcff", "é")),
    tcp(1),
    received(0, error=11),
    peeked(3),
    sent(7),
    close(1, (8, 0)),
    tcp(2),
    sent(7, 2, fast=True),
    close(2),
    tcp(3),
    close(3),
    tcp(4),
    Incomplete(0.1, ROOT, Reason.IO_URING, "io_uring_setup", 0),
    falls_back(FallbackReason.SANDBOX),
    falls_back(FallbackReason.MEMORY, 20, 12),
    sent(5, 0),
    born(20, 20, ROOT),
    exits(20, None, 11),
]
REPORTS = {
    "server": report_of(server()),
    "empty": report_of([]),
    "eventful": report_of(EVENTFUL, max_sockets=2),
    "attached": report_of(EVENTFUL, ATTACHED),
}


def as_json(report: Report) -> str:
    file = io.StringIO()
    json_output.write_report(report, file, Style())
    return file.getvalue()


@pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
def test_the_report_is_true_to_its_schema(report: Report) -> None:
    document = json.loads(as_json(report))
    validator().validate(document)
    assert_sums_agree(document)


@pytest.mark.parametrize("report", REPORTS.values(), ids=list(REPORTS))
def test_what_is_written_row_by_row_is_the_whole_document(report: Report) -> None:
    text = as_json(report)
    assert json.loads(text) == json.loads(json.dumps(report.to_json()))
    assert text.isascii()
    assert text.endswith("}\n")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(validator().schema)


def broken(document: dict[str, Any], *path: str | int, value: object) -> dict[str, Any]:
    copy: Any = json.loads(json.dumps(document))
    place = copy
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert isinstance(copy, dict)
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("totals", "sent"), 1.5),
        (("totals", "sent"), -1),
        (("schema",), "ptmon.report/2"),
        (("started",), "2026-11-21 20:00:00"),
        (("sockets", 0, "audit"), "maybe"),
        (("sockets", 0, "surprise"), 1),
        (("path",), {"fast": 1}),
        (("path", "fast"), -1),
        (("fallbacks",), [{"pid": 0, "reason": "x"}]),
        (("fallbacks",), [{"pid": 1, "reason": "x"}] * 2),
        (("exit",), {"code": None, "signal": None}),
        (("exit",), {"code": 0, "signal": 9}),
        (("by_family",), {"ipx": {"sent": 0, "received": 0}}),
        (("processes", 0, "threads"), []),
    ],
)
def test_the_schema_refuses_what_is_not_a_report(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(as_json(REPORTS["server"]))
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(broken(document, *path, value=value))


def test_members_stand_in_the_order_of_the_contract() -> None:
    assert list(REPORTS["server"].to_json()) == [
        *("schema", "ptmon", "host", "rank", "command", "mode", "engine", "started", "duration_s", "exit", "complete"),
        *("warnings", "totals", "by_family", "by_scope", "by_syscall", "by_peer", "rates", "path"),
        *("fallbacks", "denied", "connects", "processes", "sockets"),
    ]


def test_how_calls_were_seen_is_told() -> None:
    document = REPORTS["eventful"].to_json()
    assert document["path"] == {"fast": 1, "stop": 4}
    assert document["fallbacks"] == [
        {"pid": ROOT, "reason": "it has a seccomp filter of its own"},
        {"pid": 20, "reason": "the kernel refuses the memory (ENOMEM)"},
    ]


def test_names_that_are_not_utf8_come_back_as_they_were() -> None:
    document = json.loads(as_json(REPORTS["eventful"]))
    assert document["processes"][0]["argv"] == ["a\udcff", "é"]


def test_csv_has_one_row_a_socket() -> None:
    file = io.StringIO(newline="")
    report = REPORTS["eventful"]
    csv_output.write_report(report, file, Style())
    rows = list(csv.DictReader(io.StringIO(file.getvalue(), newline="")))
    assert len(rows) == len(report.sockets)
    assert sum(int(row["sent"]) for row in rows) == report.totals.sent
    assert sum(int(row["received"]) for row in rows) == report.totals.received
    assert None not in rows[0] and None not in rows[0].values()


def test_csv_columns_are_the_members_of_a_socket() -> None:
    file = io.StringIO(newline="")
    csv_output.write_report(report_of([tcp(1), sent(35, pid=20), sent(1, pid=30), close(1, (36, 0))]), file, Style())
    (row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert row == {
        "id": "1",
        "inode": "1001",
        "family": "inet",
        "type": "stream",
        "protocol": "tcp",
        "local": "127.0.0.1:8080",
        "peer": "127.0.0.1:50000",
        "scope": "loopback",
        "opened_s": "0.1",
        "closed_s": "0.9",
        "pids": "20 30",
        "sent": "36",
        "received": "0",
        "peeked": "0",
        "calls_sent": "2",
        "calls_received": "0",
        "tcp_bytes_sent": "36",
        "tcp_bytes_received": "0",
        "tcp_retransmitted": "0",
        "tcp_rtt_us": "21",
        "audit": "match",
        "folded": "0",
        "direction": "unknown",
        "local_address": "127.0.0.1",
        "local_port": "8080",
        "peer_address": "127.0.0.1",
        "peer_port": "50000",
        "connect_s": "",
        "duration_s": "0.8",
        "peer_name": "",
    }


def test_a_program_without_sockets_has_a_header_line_only() -> None:
    file = io.StringIO(newline="")
    csv_output.write_report(report_of([], HEADER), file, Style())
    assert file.getvalue().count("\n") == 1
