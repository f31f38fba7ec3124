# SPDX-License-Identifier: GPL-2.0-or-later
"""The event server and clients that do not read: nobody waits for them, and what they miss is counted."""

from __future__ import annotations

import time

import pytest

from ptmon.events import Event
from ptmon.outputs.formats.text import TextFormatter
from ptmon.outputs.server import QUEUE_MOST, client, hub
from tests.serving import dropped
from tests.support import until
from tests.unit.served import Serve, numbers, stuck_server_thread


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly a client reads, it gets all: only the queue's bound is looked at."""
    monkeypatch.setattr(client, "BUFFER_HIGH", 1 << 30)
    for module in (client, hub):
        monkeypatch.setattr(module, "FLUSH_SECONDS", 60.0)


@pytest.mark.usefixtures("patient")
def test_what_does_not_fit_into_the_queue_is_counted_and_told(serve: Serve) -> None:
    batch, count = 4096, 40
    with serve() as served:
        caller = served.joined("format jsonl\n")
        with stuck_server_thread(served, caller):
            for number in range(count):
                served.write(batch, 1 + number * batch)
        hub = served.output._thread.hub if served.output._thread else None
        until(lambda: hub and hub.taken == QUEUE_MOST, "the queue is not worked off")
        served.write(1, 7)
        served.finish()
        lines = caller.rest()[1:]  # the first answers "snapshot"
    assert QUEUE_MOST % batch == 0
    assert numbers(lines) == [*range(1, QUEUE_MOST + 1), 7]
    assert dropped(lines) == batch * count - QUEUE_MOST
    assert "dropped" in lines[-2]  # where they are missing


@pytest.mark.usefixtures("patient")
def test_what_was_lost_last_is_told_at_the_end(serve: Serve) -> None:
    with serve() as served:
        caller = served.joined("format jsonl\n")
        with stuck_server_thread(served, caller):
            for _ in range(17):
                served.write(4096)
        served.finish()
        assert dropped(caller.rest()[-1:]) == 4096


def test_a_client_that_does_not_read_is_told_what_it_missed_and_others_miss_nothing(serve: Serve) -> None:
    batch, count = 1000, 60
    with serve() as served:
        stuck = served.joined(receive_buffer=4096)
        stuck.say("format jsonl\n")
        reader = served.joined("format jsonl\n")
        for number in range(count):
            served.write(batch, 1 + number * batch)
            assert numbers([reader.line() for _ in range(batch)])[-1] == (number + 1) * batch
        _, *lines = stuck.until("dropped")
        served.write(1, 7)  # it gets events again
        assert numbers([stuck.line()]) == [7]
    assert len(numbers(lines)) + dropped(lines) == batch * count
    assert numbers(lines) == sorted(set(numbers(lines)))
    assert dropped(lines) > batch


def test_nothing_is_made_into_lines_while_nobody_takes_them(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [0]
    plain = TextFormatter.lines

    def counting(self: TextFormatter, event: Event) -> str:
        made[0] += 1
        return plain(self, event)

    monkeypatch.setattr(TextFormatter, "lines", counting)
    batch = 10_000
    with serve() as served:
        served.write(batch)
        assert made == [0]
        served.joined(receive_buffer=4096)
        served.write(batch)
        hub = served.output._thread.hub if served.output._thread else None
        for number in range(2, 42):
            served.write(batch)
            until(lambda number=number: hub and hub.taken == batch * (number), "the queue is not worked off")  # type: ignore[misc]
            if number == 20:
                full = made[0]
        assert 0 < full < 20 * batch
        assert made == [full]


def test_clients_that_do_not_read_delay_the_end_by_no_more_than_the_bound(serve: Serve) -> None:
    with serve() as served:
        for _ in range(3):
            served.joined(receive_buffer=4096)
        for _ in range(20):
            served.write(5000)
        began = time.monotonic()
        served.finish()
        served.output.__exit__(None, None, None)
        assert time.monotonic() - began < client.FLUSH_SECONDS + 2.5


def test_a_client_that_reads_late_gets_the_end_and_the_count(serve: Serve) -> None:
    with serve() as served:
        caller = served.joined("format jsonl\n", receive_buffer=4096)
        for _ in range(12):
            served.write(5000)
        served.finish()
        lines = caller.rest()
        assert len(numbers(lines)) + dropped(lines) == 60_000
        assert dropped(lines[-1:]) > 0
