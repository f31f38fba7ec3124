# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as JSON, a line each, and their schema."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any

import pytest

from ptmon import decoding, syscalls
from ptmon.events import EventMaker
from ptmon.ledger.snapshot import Since, Snapshot
from ptmon.outputs.formats import create
from ptmon.records import (
    Called,
    Connected,
    Denied,
    Entered,
    FallbackReason,
    Incomplete,
    Named,
    Origin,
    Reason,
    Returned,
    Single,
    SocketSeen,
)
from ptmon.report import Totals
from tests.unit.build import (
    ATTACHED,
    HEADER,
    PTMON,
    ROOT,
    born,
    close,
    connect,
    executes,
    exits,
    falls_back,
    inet,
    peeked,
    received,
    report_of,
    sent,
    server,
    tcp,
    unix,
)
from tests.unit.schema import event_validator

CONNECT = syscalls.numbers("connect")[0][0]
PEER = inet("192.0.2.1", 80)
CALL = Called(CONNECT, False, (3, 0x7000, 16, 0, 0, 0), ((0x7000, PEER),))
COMPAT = Called(syscalls.numbers("getpid")[-1][0], True, (0, 0, 0, 0, 0, 0))
SNAPSHOT = Snapshot(1.5, Totals(180, 175, 0, 6, 5, 0), 5, 0, 1, 5, True, Since(0.5, 5, 0))
RECORDS: dict[str, Single] = {
    "send": sent(35),
    "receive": received(35, 1, pid=20, tid=21),
    "again": received(0, error=11),
    "restart": received(0, error=512),
    "peek": peeked(3),
    "share": sent(7, calls=0),
    "many": sent(21, calls=3),
    "unknown": sent(5, 0),
    "exec": executes("a\udcff\x1b[0m", argv=("a\udcff", 'é"\n')),
    "attached": executes("server.out", attached=True, parent=16),
    "dns": Named(0.5, ROOT, ROOT, "192.0.2.7", "service.example.test", "dns", None),
    "tls": Named(0.5, ROOT, ROOT, "2001:db8::7", "service.example.test", "tls", 1),
    "clone": born(20, 20, ROOT),
    "thread": born(ROOT, 18, ROOT),
    "exit": exits(ROOT, 3),
    "killed": exits(20, None, 11, name="x"),
    "tcp": tcp(1),
    "unix": SocketSeen(0.1, ROOT, ROOT, 5, 2, 4711, socket.AF_UNIX, 1, 0, unix(b"\0a\xffb"), b""),
    "bare": SocketSeen(0.1, ROOT, ROOT, -1, 3, 0, -1, 0, 0, b"", b""),
    "close": close(1, (35, 35)),
    "failed": connect(error=111),
    "later": connect(end=Connected.FAILED, took=None),
    "begun": connect(error=115),
    "abandoned": connect(end=Connected.ABANDONED, took=None),
    "accepted": replace(tcp(1), origin=Origin.ACCEPTED),
    "connect": connect(),
    "enter": Entered(0.2, ROOT, ROOT, CALL),
    "return": Returned(0.2, ROOT, ROOT, CALL, -111),
    "strange": Returned(0.2, ROOT, ROOT, CALL, -513),
    "mapped": Returned(0.2, ROOT, ROOT, CALL, -(1 << 46)),
    "compat": Entered(0.2, ROOT, ROOT, COMPAT),
    "deny": Denied(0.2, ROOT, ROOT, CALL, "connect:global", 13),
    "fallback": falls_back(FallbackReason.MEMORY, error=12),
    "fast": sent(35, fast=True),
    "warning": Incomplete(0.3, ROOT, Reason.IO_URING, "io_uring_setup", 0),
}


def line(*records: Single) -> str:
    """What the last of these records is told as."""
    *_, event = EventMaker().events(records)
    return create("jsonl").lines(event)


def told(*records: Single) -> dict[str, Any]:
    document = json.loads(line(*records))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("record", RECORDS.values(), ids=list(RECORDS))
def test_every_kind_is_a_line_that_is_true_to_the_schema(record: Single) -> None:
    text = line(record)
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    assert text.isascii()
    event_validator().validate(json.loads(text))


@pytest.mark.parametrize("header", [HEADER, ATTACHED], ids=["launch", "attach"])
def test_the_first_line_names_the_schema(header: Any) -> None:
    document = json.loads(create("jsonl").begin(header))
    event_validator().validate(document)
    assert list(document) == ["schema", "ptmon", "host", "command", "mode", "engine", "started", "pid"]
    assert (document["schema"], document["pid"]) == ("ptmon.event/1", ROOT)


def test_nothing_stands_last() -> None:
    assert create("jsonl").end(report_of(server())) == ""


def test_a_gap_is_told() -> None:
    document = json.loads(create("jsonl").dropped(123))
    event_validator().validate(document)
    assert document == {"event": "dropped", "count": 123}


@pytest.mark.parametrize("name", ["send", "receive", "again", "restart", "peek", "share", "many", "unknown"])
@pytest.mark.parametrize("moment", [0.0, -0.1, 0.000001, 0.5, 12.3456789, 86400.0, 1e-7, 100000.000001])
def test_the_lines_made_by_hand_are_those_of_json_dumps(name: str, moment: float) -> None:
    text = line(replace(RECORDS[name], time=moment))
    document = json.loads(text)
    assert json.dumps(document) + "\n" == text
    assert document["t"] == round(max(moment, 0), 6)


def test_a_transfer_is_as_documented() -> None:
    assert line(sent(35)) == (
        '{"t": 0.5, "event": "send", "pid": 17, "tid": 17, "syscall": "sendto", "fd": 4, "socket": 1, "bytes": 35}\n'
    )


def test_what_is_special_about_a_transfer_is_told_only_there() -> None:
    assert "errno" not in told(sent(35)) and "calls" not in told(sent(35)) and "peeked" not in told(sent(35))
    assert told(RECORDS["again"])["errno"] == "EAGAIN"
    assert told(RECORDS["restart"])["errno"] == "E512"
    assert (told(RECORDS["peek"])["bytes"], told(RECORDS["peek"])["peeked"]) == (0, 3)
    assert (told(RECORDS["share"])["bytes"], told(RECORDS["share"])["calls"]) == (7, 0)
    assert told(RECORDS["many"])["calls"] == 3


def test_a_name_that_is_no_utf_8_is_told_as_surrogates() -> None:
    assert told(RECORDS["exec"])["name"] == "a\udcff\x1b[0m"
    assert told(RECORDS["exec"])["argv"] == ["a\udcff", 'é"\n']


def test_a_process_that_was_running_is_told_as_attached() -> None:
    assert "attached" not in told(RECORDS["exec"])
    assert (told(RECORDS["attached"])["attached"], told(RECORDS["attached"])["parent"]) == (True, 16)


def test_an_exit_without_a_name_has_that_of_its_process() -> None:
    document = told(executes("server.out"), exits(ROOT, 3))
    assert (document["name"], document["code"], document["signal"]) == ("server.out", 3, None)
    assert (told(RECORDS["killed"])["name"], told(RECORDS["killed"])["signal"]) == ("x", 11)


def test_a_socket_is_told_in_the_words_of_the_report() -> None:
    document = told(RECORDS["tcp"])
    report = report_of(server()[:4]).sockets[0].to_json()
    for name in ("family", "type", "protocol", "scope", "local"):
        assert document[name] == report[name]
    assert (document["inode"], document["peer"]) == (1001, "127.0.0.1:50000")
    assert told(RECORDS["unix"])["local"] == "@a\udcffb"
    assert told(RECORDS["bare"])["inode"] is None


def test_a_close_tells_the_kernels_counters() -> None:
    counters = {"bytes_sent": 35, "bytes_received": 34, "retransmitted": 0, "rtt_us": 21}
    assert told(close(1, (35, 34)))["tcp"] == counters
    assert told(close(1))["tcp"] is None


def test_a_connect_tells_what_became_of_it() -> None:
    document = told(RECORDS["connect"])
    assert (document["outcome"], document["seconds"], document["peer"]) == ("connected", 0.25, "127.0.0.1:1")
    assert (document["peer_address"], document["peer_port"], "errno" in document) == ("127.0.0.1", 1, False)
    outcomes = {name: told(RECORDS[name])["outcome"] for name in ("failed", "later", "begun", "abandoned")}
    assert outcomes == {"failed": "failed", "later": "failed", "begun": "in_progress", "abandoned": "abandoned"}
    assert (told(RECORDS["later"])["later"], "errno" in told(RECORDS["later"])) == (True, False)
    assert told(RECORDS["failed"])["errno"] == "ECONNREFUSED"


def test_a_close_tells_how_long_the_socket_lasted() -> None:
    assert told(replace(tcp(1), opened=0.4), close(1, (35, 34)))["seconds"] == 0.5
    assert "seconds" not in told(tcp(1), close(1, (35, 34)))


def test_a_socket_that_stays_open_is_not_closed() -> None:
    assert line(close(1, fd=-1)) == ""


def test_a_socket_that_an_execve_may_have_left_open_is_not_closed() -> None:
    assert line(replace(close(1), maybe=True)) == ""


def test_a_call_is_told_with_its_arguments() -> None:
    texts = {row.name: row.text for row in decoding.arguments("connect", CALL, decoding.reader_of(CALL))}
    assert "192.0.2.1" in str(texts)
    assert told(RECORDS["enter"]) | {"t": 0} == {
        "t": 0,
        "event": "enter",
        "pid": ROOT,
        "tid": ROOT,
        "syscall": "connect",
        "args": texts,
    }
    assert (told(RECORDS["return"])["result"], told(RECORDS["return"])["errno"]) == (-111, "ECONNREFUSED")
    assert told(RECORDS["strange"])["errno"] == "E513"
    assert "errno" not in told(RECORDS["mapped"])
    assert told(RECORDS["compat"])["compat"] is True


def test_what_was_pointed_to_at_the_entry_is_told_at_the_return_too() -> None:
    before, after = Entered(0.1, ROOT, ROOT, CALL), Returned(0.2, ROOT, ROOT, replace(CALL, memory=()), 0)
    args = told(before)["args"]
    assert "192.0.2.1" in str(args)
    formatter = create("jsonl")

    def last(*records: Single) -> Any:
        return [json.loads(formatter.lines(event)) for event in EventMaker().events(records)][-1]["args"]

    assert last(before, after) == args
    assert last(after) != args  # each entry is for one return
    assert last(before, exits(ROOT, None, 9), after) != args
    assert last(before, replace(after, tid=18)) != args
    assert last(Entered(0.1, ROOT, ROOT, replace(COMPAT, compat=False)), after) != args


def test_a_denial_is_told_with_its_rule() -> None:
    document = told(RECORDS["deny"])
    assert (document["syscall"], document["rule"], document["errno"]) == ("connect", "connect:global", "EACCES")
    assert "192.0.2.1" in str(document["args"])


def test_a_warning_is_the_reports() -> None:
    document = told(RECORDS["warning"])
    (warning,) = report_of([born(ROOT, ROOT, PTMON), RECORDS["warning"]]).warnings
    assert (document["reason"], document["message"]) == (warning.reason, warning.message)
    assert "tid" not in document


def test_a_fallback_is_told_in_the_words_of_the_report() -> None:
    document = told(RECORDS["fallback"])
    assert (document["reason"], document["message"]) == ("memory", "the kernel refuses the memory (ENOMEM)")
    assert "tid" not in document


def test_how_a_call_was_seen_makes_no_difference_to_its_event() -> None:
    assert line(RECORDS["fast"]) == line(RECORDS["send"])


def test_a_snapshot_is_told_with_what_came_since_the_last() -> None:
    document = json.loads(create("jsonl").lines(EventMaker().snapshot(SNAPSHOT)))
    event_validator().validate(document)
    assert (document["t"], document["sent"], document["calls_sent"]) == (1.5, 180, 6)
    since = {"seconds": 0.5, "sent": 5, "received": 0, "sent_per_second": 10, "received_per_second": 0}
    assert document["since"] == since
    assert "pid" not in document


def test_the_schema_is_not_true_of_just_anything() -> None:
    good = told(sent(35))
    for wrong in (
        {**good, "event": "sent"},
        {**good, "bytes": -1},
        {**good, "calls": 1},
        {**good, "extra": 0},
        {name: value for name, value in good.items() if name != "socket"},
        {**told(RECORDS["return"]), "result": "0"},
        {"event": "dropped", "count": 0},
    ):
        assert not event_validator().is_valid(wrong), wrong


@pytest.mark.parametrize("reason", list(Reason))
def test_the_schema_knows_every_reason(reason: Reason) -> None:
    event_validator().validate(told(Incomplete(0.1, ROOT, reason, None, 0)))


@pytest.mark.parametrize("reason", list(FallbackReason))
def test_the_schema_knows_every_reason_of_a_fallback(reason: FallbackReason) -> None:
    event_validator().validate(told(falls_back(reason)))
