# SPDX-License-Identifier: GPL-2.0-or-later
"""--connect without a connection: the lines of an event stream -> the view that the other ptmon would have."""

from __future__ import annotations

import pytest

from ptmon.events import EventMaker
from ptmon.live.model import PANELS, Model
from ptmon.live.stream import Stream
from ptmon.outputs.formats import create
from ptmon.records import Incomplete, Reason
from tests.unit.build import HEADER, PTMON, ROOT, born, close, executes, exits, inet6, peeked, received, sent, tcp, udp
from tests.unit.test_live_model import book_of

RECORDS = [
    born(ROOT, ROOT, PTMON),
    executes("server.out"),
    born(30, 30, ROOT),
    tcp(1),
    udp(2, 77, inet6("2001:db8::1", 53)),
    sent(1000, 1, calls=2, time=0.2),
    received(70, 1, time=0.3),
    peeked(9, 1, time=0.3),
    sent(0, 2, error=11, time=0.4),
    sent(5, 2, pid=30, time=0.5, syscall="write"),
    close(1, (1000, 70)),
    exits(30),
]


def told(stream: Stream, records: list[object], moment: float) -> None:
    """What a server sends of these, and of the totals at that moment."""
    formatter, maker = create("jsonl"), EventMaker()
    lines = formatter.begin(HEADER)
    lines += "".join(formatter.lines(event) for event in maker.events(records))  # type: ignore[arg-type]
    lines += formatter.lines(maker.snapshot(book_of(records).snapshot(moment)))
    for line in lines.encode().splitlines():
        assert stream.feed(line), line


def test_a_stream_shows_what_the_ledger_of_the_other_shows() -> None:
    stream, here, there = Stream(100), Model(), Model()
    told(stream, [*RECORDS], 2.0)
    view = stream.view(None)
    assert view is not None
    here.update(view)
    there.update(book_of(RECORDS).view(2.0))
    assert view.snapshot.totals == book_of(RECORDS).snapshot(2.0).totals
    for panel in PANELS:
        assert here.table(panel).rows == there.table(panel).rows
    assert "connected" in here.counted()


def test_rates_are_from_snapshot_to_snapshot() -> None:
    stream, model = Stream(100), Model()
    told(stream, [*RECORDS], 2.0)
    view = stream.view(model.last)
    assert view is not None
    model.update(view)
    assert stream.view(model.last) is None  # no news
    assert not model.sent  # what came before is no rate
    told(stream, [*RECORDS, sent(4000, 1)], 4.0)
    view = stream.view(model.last)
    assert view is not None
    model.update(view)
    assert list(model.sent) == [2000]


def test_warnings_and_missed_events_are_shown() -> None:
    stream, model = Stream(100), Model()
    told(stream, [*RECORDS, Incomplete(0.4, ROOT, Reason.AIO, None, 0)], 2.0)
    assert stream.feed(b'{"event": "dropped", "count": 1234}')
    view = stream.view(None)
    assert view is not None and not view.snapshot.complete
    model.update(view)
    assert "Linux AIO" in model.warnings()[0] and "1,234 events were missed" in model.warnings()[1]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"ptmon: wrong token",
        b"\xff\xfe",
        b"[" * 100_000,
        b"[]",
        b'{"schema": "ptmon.event/1"}',
        b'{"t": NaN, "event": "clone", "pid": 17, "tid": 17, "parent": 1}',
        b'{"t": 1, "event": "clone", "pid": -1, "tid": 17, "parent": 1}',
        b'{"t": 1, "event": "clone", "pid": 1e99, "tid": [], "parent": 1}',
        b'{"t": 1, "event": "send", "pid": 17, "tid": 17, "syscall": "write", "fd": 1, "socket": 1, "bytes": "7"}',
        b'{"t": 1, "event": "socket", "pid": 17, "tid": 17, "fd": 1, "socket": 1, "inode": null, "family": "inet",'
        b' "type": "stream", "protocol": "tcp", "local": "999.1.1.1:1", "peer": null, "scope": "x"}',
        b'{"t": 1, "event": "socket", "pid": 17, "tid": 17, "fd": 1, "socket": 1, "inode": null, "family": {},'
        b' "type": "stream", "protocol": "tcp", "local": null, "peer": "[::1]:99999999", "scope": "x"}',
        b'{"t": 1, "event": "close", "pid": 17, "tid": 17, "fd": 1, "socket": 1, "tcp": 7}',
        b'{"event": "snapshot", "t": 1, "sent": 7}',
    ],
)
def test_what_is_no_event_changes_nothing(line: bytes) -> None:
    stream = Stream(100)
    told(stream, [*RECORDS], 2.0)
    before = stream.view(None)
    assert not stream.feed(line)
    assert stream.view(None) == before


def test_events_of_a_kind_that_is_not_known_are_passed_over() -> None:
    assert Stream(100).feed(b'{"t": 1, "event": "news"}')
