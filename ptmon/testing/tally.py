# SPDX-License-Identifier: GPL-2.0-or-later
"""What each test has moved, and whom it has reached: its own process while it runs, and all that it has started.

A process belongs to the test in which it was born, or to that of its parent, for all of its life.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from ptmon import addresses, notices, syscalls
from ptmon.decoding.named import addresses_of
from ptmon.outputs import SilentOutput
from ptmon.records import (
    Clone,
    Denied,
    Direction,
    Entered,
    Exec,
    Incomplete,
    Record,
    SocketSeen,
    Transfer,
    Transfers,
)
from ptmon.report import Header
from ptmon.static import Any
from ptmon.testing import marks
from ptmon.text import printable

REACHED_MOST = 20
"""So many peers of one test are told."""
TEXT_MOST = 120
"""Letters of a name or a peer."""
ROWS_MOST = 10
SOCKETS_MOST = 100_000
"""Sockets that are remembered; beyond, the one that was told of longest ago is forgotten."""

Talk = tuple[int, str, str]
"""A process id, its program, and a peer."""


class TestTally:
    """One test."""

    __test__ = False  # pytest takes what is called so for a test

    def __init__(self) -> None:
        self.sent = self.received = 0
        self.talks: Counter[Talk] = Counter()
        self.reached: dict[Talk, str] = {}
        """Peers outside of this machine and the private networks, and the first call that reached for them."""
        self.late = 0
        """So many of these only after its end."""
        self.ended = False

    def row(self) -> dict[str, Any]:
        """As it is told."""
        reached = [_told(talk, call) for talk, call in self.reached.items()]
        (most, moved), *_ = [*self.talks.most_common(1), ((0, "", ""), 0)]
        return {
            "sent": self.sent,
            "received": self.received,
            "reached": reached[:REACHED_MOST],
            "more": max(0, len(reached) - REACHED_MOST),
            "most": [*most, moved],
        }


class Tally(SilentOutput):
    """Gets each batch before others do (``take``), and answers the marks in it. Number 0 is what belongs to no test."""

    def __init__(self, answers: int, theirs: int) -> None:
        """``answers``: the fd that answers are written to. ``theirs``: the other end, to be closed once it is passed
        on to the program.
        """
        self._answers = answers
        self._theirs = theirs
        self._root = 0
        self._now = 0
        self._tests: dict[int, TestTally] = {0: TestTally()}
        self._test_of: dict[int, int] = {}
        """By process, but for that of the tests itself."""
        self._names: dict[int, str] = {}
        self._sockets: dict[int, SocketSeen] = {}
        self._missing: dict[str, None] = {}

    def start(self, header: Header) -> None:
        self._root = header.root
        os.close(self._theirs)

    def take(self, records: Sequence[Record]) -> Sequence[Record]:
        """Adds up. A mark is the last of its batch, since its thread is held there."""
        kept = []
        for record in records:
            match record:
                case Transfer():
                    self._moved(record)
                case Transfers():
                    for group in record.groups:
                        self._moved(group.sum)
                case Denied() if not record.error:
                    self._noted(record)
                    continue
                case Entered():
                    self._mark(record)
                    continue
                case _:
                    self._other(record)
            kept.append(record)
        return kept

    def _other(self, record: Record) -> None:
        match record:
            case Exec():
                self._names[record.pid] = record.name
            case Clone() if record.pid == record.tid:
                self._test_of[record.pid] = self._number(record.parent)
                self._names[record.pid] = self._names.get(record.parent, "")
            case SocketSeen():
                self._sockets.pop(record.socket, None)
                self._sockets[record.socket] = record
                if len(self._sockets) > SOCKETS_MOST:
                    del self._sockets[next(iter(self._sockets))]
            case Incomplete() if record.reason not in notices.HARMLESS:
                self._missing[notices.notice(record).message] = None

    def _number(self, pid: int) -> int:
        return self._now if pid == self._root else self._test_of.get(pid, 0)

    def _moved(self, record: Transfer) -> None:
        test = self._tests[self._number(record.pid)]
        if record.direction is Direction.SENT:
            test.sent += record.bytes
        elif record.direction is Direction.RECEIVED:
            test.received += record.bytes
        else:
            return
        socket = self._sockets.get(record.socket)
        peer = socket.peer if socket is not None else b""
        if record.bytes:
            test.talks[self._talk(record.pid, peer)] += record.bytes
        if socket is not None and addresses.scope(socket.family, peer) == "global":
            self._reached(test, record.pid, peer, record.syscall)

    def _noted(self, record: Denied) -> None:
        call = syscalls.name(record.call.number, record.call.compat)
        for address in addresses_of(call, record.call)[0]:
            if addresses.scope(int.from_bytes(address[:2], sys.byteorder), address) == "global":
                self._reached(self._tests[self._number(record.pid)], record.pid, address, call)

    def _reached(self, test: TestTally, pid: int, peer: bytes, call: str) -> None:
        talk = self._talk(pid, peer)
        if talk not in test.reached:
            test.reached[talk] = call
            test.late += test.ended

    def _talk(self, pid: int, peer: bytes) -> Talk:
        peer_text = addresses.address_text(peer) or "an unnamed peer"
        return pid, printable(self._names.get(pid) or "?")[:TEXT_MOST], printable(peer_text)[:TEXT_MOST]

    def _mark(self, record: Entered) -> None:
        mark = marks.read(record.call.memory[0][1].rstrip(b"\0")) if record.call.memory else None
        if mark is None or record.pid != self._root:
            return
        word, number = mark
        if word == marks.BEGIN:
            self._now = number
            self._tests[number] = TestTally()
        elif word == marks.END:
            self._now = 0
            self._tests[number].ended = True
        else:
            self._answer({"answers": number, **(self._tests[self._now].row() if word == marks.ASK else self._sum())})

    def _sum(self) -> dict[str, Any]:
        def size(item: tuple[int, TestTally]) -> int:
            return item[1].sent + item[1].received

        rows = sorted((item for item in self._tests.items() if item[0] and size(item)), key=size, reverse=True)
        late = [(number, test) for number, test in self._tests.items() if number and test.late]
        return {
            "rows": [(number, test.sent, test.received) for number, test in rows[:ROWS_MOST]],
            "others": len(rows[ROWS_MOST:]),
            "outside": (self._tests[0].sent, self._tests[0].received),
            "late": [(number, *_last(test)) for number, test in late[:REACHED_MOST]],
            "missing": [*self._missing][:REACHED_MOST],
        }

    def _answer(self, answer: dict[str, Any]) -> None:
        """It fits into the pipe: to wait for its reader, who may be waiting for ptmon, would be for ever."""
        data = json.dumps(answer, ensure_ascii=False).encode(errors="replace") + b"\n"
        with suppress(OSError):  # the process is gone
            if os.write(self._answers, data) < len(data):
                os.close(self._answers)  # so its reader knows


def _told(talk: Talk, call: str) -> str:
    pid, name, peer = talk
    return f"{name}[{pid}] reached out to {peer} ({call})"


def _last(test: TestTally) -> tuple[str]:
    return (_told(*[*test.reached.items()][-1]),)
