# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever can happen has its place wherever there is one for each kind: no run ends because something new is told."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from ptmon.events import KINDS, Event, EventMaker
from ptmon.formats import EVENTS
from ptmon.ledger.ledger import Ledger
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs.formats import create, jsonl
from ptmon.outputs.syslog import SEVERE
from ptmon.records import Content, Lives, Payload, Record, Single, Transfer, Transfers
from tests.unit.build import HEADER
from tests.unit.schema import event_validator
from tests.unit.test_event_jsonl import RECORDS, SNAPSHOT

TRANSFERS = ("send", "receive")
CALLS = ("enter", "return")
ALL = (*TRANSFERS, *KINDS.values())
UNLOGGED = {"clone", "socket", "close", "connect", "name", "warning", "fallback", "snapshot"}
"""What the modules of the dmesg format had no line for."""


def examples() -> dict[str, Event]:
    """An event of each kind that the tests have a record of."""
    maker = EventMaker()
    events = {event.kind: event for event in maker.events(reversed(RECORDS.values()))}
    return {**events, "snapshot": maker.snapshot(SNAPSHOT)}


def test_each_class_of_records_has_a_kind() -> None:
    assert set(KINDS) == {*get_args(Single), Snapshot} - {Transfer}
    assert len(set(ALL)) == len(ALL)


def test_the_tests_of_formats_have_a_record_of_each_kind() -> None:
    assert set(examples()) == set(ALL)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("name", EVENTS)
def test_each_kind_has_its_line_in_each_format(name: str, kind: str) -> None:
    formatter = create(name)
    formatter.begin(HEADER)
    lines = formatter.lines(examples()[kind])
    assert lines.endswith("\n") or (name == "dmesg" and kind in UNLOGGED and lines == ""), lines
    if name == "text":  # when, who, what, and something about it
        assert lines.split(kind, 1)[1].strip() != ""


def test_each_kind_has_its_members_in_json() -> None:
    assert set(jsonl.MEMBERS) == set(ALL) - {*TRANSFERS, *CALLS}, "transfers and calls are made by functions"


@pytest.mark.parametrize("kind", ALL)
def test_each_kind_is_in_the_schema(kind: str) -> None:
    schema: dict[str, Any] = event_validator().schema
    assert {"$ref": f"#/$defs/{kind}"} in schema["oneOf"]
    assert schema["$defs"][kind]["properties"]["event"] == {"const": kind}
    document = json.loads(create("jsonl").lines(examples()[kind]))
    assert document["event"] == kind
    event_validator().validate(document)


def test_the_ledger_takes_each_class_of_records() -> None:
    assert set(Ledger(HEADER)._add) == {*get_args(Single), Transfers, Lives}
    beside = {Payload, Content}
    assert {*get_args(Record)} == {*get_args(Single), Transfers, Lives, *beside}, "which go no further"


def test_what_syslog_calls_severe_are_kinds() -> None:
    assert set(ALL) >= SEVERE
