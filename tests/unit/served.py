# SPDX-License-Identifier: GPL-2.0-or-later
"""A server driven with made-up events, for the tests of the event server."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ptmon.events import Event
from ptmon.ledger.snapshot import Since, Snapshot
from ptmon.outputs.server import ServerOutput, hub
from ptmon.report import Totals
from tests.serving import Caller, objects
from tests.unit.build import report_of, sent, server

SNAPSHOT = Snapshot(0.5, Totals(sent=35), 0, 0, 1, 2, True, Since(0.5, 35, 0))


def is_start(line: str) -> bool:
    """Whether it is the first line of the text form."""
    return line.split()[:3] == ["0.000000", "ptmon", "start"]


def numbers(lines: list[str]) -> list[int]:
    """The bytes of the transfers that these jsonl lines tell."""
    return [document["bytes"] for document in objects(lines) if document["event"] == "send"]


class Served:
    """A server, and what it is driven with."""

    def __init__(self, output: ServerOutput) -> None:
        self.output = output
        self.port = int(output.addresses[0].rpartition(":")[2])
        self.callers: list[Caller] = []
        self._number = 0

    def call(self, words: str = "", **keywords: Any) -> Caller:
        """A client, that has said ``words``."""
        caller = Caller(self.port, **keywords)
        self.callers.append(caller)
        if words:
            caller.say(words)
        return caller

    def joined(self, words: str = "", **keywords: Any) -> Caller:
        """A client that gets events from now on, of a program that runs."""
        caller = self.call(words, **keywords)
        first = caller.line()
        assert is_start(first) or first.startswith('{"schema": "ptmon.event/1"'), first
        return caller

    def write(self, count: int, size: int = 1) -> None:
        """A batch. The transfers' bytes are numbers, from ``size`` on."""
        self.output.write(tuple(Event("send", sent(size + number), "server.out", None) for number in range(count)))

    def finish(self) -> None:
        self.output.finish(report_of(server()))


Serve = Callable[..., contextlib.AbstractContextManager[Served]]


@contextlib.contextmanager
def stuck_server_thread(served: Served, caller: Caller) -> Iterator[None]:
    """The server's thread gets nowhere meanwhile."""
    inside, go_on = threading.Event(), threading.Event()
    time.sleep(hub.SNAPSHOT_SECONDS)  # else the last snapshot is good enough

    def source() -> None:
        inside.set()
        go_on.wait(60)

    served.output.snapshot_source = source
    caller.say("snapshot\n")
    assert inside.wait(60)
    try:
        yield
    finally:
        go_on.set()
