# SPDX-License-Identifier: GPL-2.0-or-later
"""The event server with made-up events: who gets what, and what clients may say."""

from __future__ import annotations

import time

import pytest

from ptmon.outputs.server import hub
from ptmon.outputs.server.commands import HELP
from tests.serving import FAREWELL, objects
from tests.support import until
from tests.unit.build import HEADER
from tests.unit.schema import event_validator
from tests.unit.served import SNAPSHOT, Serve, is_start, numbers, stuck_server_thread


def test_it_says_where_it_listens(serve: Serve, said: list[str]) -> None:
    with serve() as served:
        assert said == [f"serving events on 127.0.0.1:{served.port} (telnet 127.0.0.1 {served.port})"]


def test_sixteen_clients_get_all_events_and_the_seventeenth_one_line(serve: Serve) -> None:
    with serve() as served:
        callers = [served.joined("format jsonl\n" if number % 2 else "") for number in range(16)]
        late = served.call()
        assert late.rest() == ["ptmon: 16 clients are connected already, no more are served"]
        for start in range(1, 5001, 1000):
            served.write(1000, start)
        served.finish()
        for number, caller in enumerate(callers):
            lines = caller.rest()
            if number % 2:
                assert numbers(lines) == list(range(1, 5001))
            else:
                assert len(lines) == 5001
                assert " end " in lines[-1]


def test_each_jsonl_line_is_as_the_schema_says(serve: Serve) -> None:
    with serve(start=False) as served:
        caller = served.call("format jsonl\nsnapshot\n")
        lines = [caller.line()]
        served.output.start(HEADER)
        served.output.snapshot_source = lambda: SNAPSHOT
        lines.append(caller.line())
        with stuck_server_thread(served, caller):
            for _ in range(17):
                served.write(4096)
        served.output.snapshot_source = lambda: SNAPSHOT
        served.finish()
        lines += caller.rest()
    documents = objects(lines)
    assert {document.get("event", "") for document in documents} == {"", "note", "send", "dropped"}
    for document in [*documents[:5], *documents[-5:]]:
        event_validator().validate(document)


def test_a_client_that_comes_first_gets_the_start_when_there_is_one(serve: Serve) -> None:
    with serve(start=False) as served:
        caller = served.call()
        until(lambda: served.output._thread and served.output._thread.hub.audience, "the client has not joined")
        served.output.start(HEADER)
        assert is_start(caller.line())


def test_a_client_that_comes_late_gets_the_start_and_what_comes_from_then_on(serve: Serve) -> None:
    with serve() as served:
        early = served.joined("format jsonl\n")
        served.write(1, 1)
        assert numbers([early.line()]) == [1]
        late = served.joined("format jsonl\n")
        served.write(1, 2)
        assert numbers([early.line()]) == numbers([late.line()]) == [2]


def test_the_form_can_be_changed_at_any_time(serve: Serve) -> None:
    with serve() as served:
        caller = served.joined()
        served.write(1)
        assert "server.out[17]" in caller.line()
        caller.say("format jsonl\r\n")
        assert objects([caller.line()])[0]["schema"] == "ptmon.event/1"
        served.write(1)
        assert numbers([caller.line()]) == [1]
        caller.say("format dmesg\n")
        assert objects([caller.line()]) == [
            {"event": "note", "message": "ptmon: there is no format dmesg: text or jsonl"}
        ]
        caller.say("format text\n")
        assert is_start(caller.line())


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_done_is_answered_by_a_farewell(serve: Serve, form: str) -> None:
    with serve(max_clients=1) as served:
        caller = served.joined(f"format {form}\n")
        caller.say("done\r\n")
        (line,) = caller.rest()
        assert line == (FAREWELL if form == "text" else f'{{"event": "note", "message": "{FAREWELL}"}}')
        served.joined()  # its slot is free


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_help_tells_the_client_that_asks_what_it_can_say(serve: Serve, said: list[str], form: str) -> None:
    with serve() as served:
        other, caller = served.joined(), served.joined(f"format {form}\n")
        caller.say("help\r\n")
        lines = [caller.line() for _ in HELP]
        told = lines if form == "text" else [line["message"] for line in objects(lines)]
        assert told == list(HELP)
        served.write(1)
        assert "server.out[17]" in other.line()  # and nobody else
    words = [line.split(": ")[1] for line in HELP[:-1]]
    assert words == ["help", "format text", "format jsonl", "snapshot", "done"]
    assert len(said) == 1  # that it listens


def test_a_snapshot_is_answered_in_the_client_s_form(serve: Serve) -> None:
    with serve(start=False) as served:
        caller = served.call("snapshot\n")
        assert caller.line() == "ptmon: nothing is counted yet"
        served.output.snapshot_source = lambda: SNAPSHOT
        served.output.start(HEADER)
        caller.line()
        time.sleep(hub.SNAPSHOT_SECONDS)
        caller.say("snapshot\n")
        assert "sent 35 B" in caller.line()
        caller.say("format jsonl\nsnapshot\n")
        _, line = objects([caller.line(), caller.line()])
        assert (line["event"], line["sent"], line["sockets"]) == ("snapshot", 35, 2)


def test_many_who_ask_for_snapshots_get_the_same_one(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "SNAPSHOT_SECONDS", 600.0)  # on a busy machine the server may take a while for all of them
    made = []
    with serve() as served:
        served.output.snapshot_source = lambda: made.append(1) or SNAPSHOT  # type: ignore[func-returns-value]
        caller = served.joined()
        caller.say("snapshot\n" * 12)
        assert len([caller.line() for _ in range(12)]) == 12
    assert len(made) == 1


def test_any_other_line_is_shown_without_control_characters(serve: Serve, said: list[str]) -> None:
    with serve() as served:
        caller = served.joined("hello \x1b[2J\r\n")
        caller.say(b"\xff\xfd\x06\xe4junk\n\ndone now\ndone\n")
        caller.rest()
    assert said[1:] == [
        f"client-> {caller.name}, says: {text}" for text in ("hello \\x1b[2J", "\\xe4junk", "", "done now")
    ]


def test_a_line_of_a_mebibyte_is_cut_and_the_next_is_obeyed(serve: Serve, said: list[str]) -> None:
    with serve() as served:
        caller = served.joined("x" * (1 << 20) + "\ndone\n")
        assert caller.rest() == [FAREWELL]
    assert said[1:] == [f"client-> {caller.name}, says: {'x' * 1024} …"]


def test_a_flood_of_lines_is_obeyed_in_order_but_not_shown(serve: Serve, said: list[str]) -> None:
    with serve() as served:
        caller = served.joined()
        began = time.monotonic()
        caller.say("hello\n" * 300 + "done\n")
        assert caller.rest() == [FAREWELL]
        seconds = int(time.monotonic() - began) + 2
    shown = [line for line in said if line.endswith(": hello") or "before it" in line]
    assert 10 <= len(shown) <= 10 * seconds
    counts = [int(line.split("(")[1].split()[0]) for line in said if "before it" in line]
    counts += [int(line.split(": ")[1].split()[0]) for line in said if "more not shown" in line]
    assert len(shown) + sum(counts) == 300


def test_a_client_that_dies_frees_its_slot(serve: Serve) -> None:
    with serve(max_clients=1) as served:
        dead = served.joined("hel")
        dead.reset()
        until(lambda: served.output._thread and not served.output._thread.hub.audience, "it is thought to be alive")
        assert served.joined().socket.fileno() >= 0


def test_a_client_that_has_closed_its_side_reads_on_until_its_slot_is_wanted(serve: Serve) -> None:
    with serve(max_clients=1) as served:
        half = served.joined("format jsonl\n")
        half.half_close()
        served.write(2)
        assert numbers([half.line(), half.line()]) == [1, 2]
        served.joined()
        assert half.socket.recv(1) == b""
