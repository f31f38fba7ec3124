# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives: rows that are told in one piece come to the same report as those that are told event by event."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native.batches import BatchReader
from ptmon.frozen import replace
from ptmon.ledger.ledger import Ledger
from ptmon.ledger.lives import LifeBook
from ptmon.records import LIFE, Direction, Lives, Origin, Record, SocketClosed, SocketSeen, TcpCounters, Transfer
from tests.support import assert_sums_agree
from tests.unit.build import HEADER, ROOT, close, inet, inet6, received, sent, tcp, unix
from tests.unit.lives import START, Packer

PEERS = (inet("10.0.0.1", 1), inet("10.0.0.1", 2), inet("10.0.0.2", 1), inet6("fe80::1", 5, 2), inet6("fe80::1", 6, 3))


def opened(number: int, **other: Any) -> SocketSeen:
    """A TCP connection that was first seen at a time of its own."""
    return replace(tcp(number), **{"opened": number / 1000, **other})


def report_of(batches: Sequence[Sequence[Record]], most: int) -> dict[str, Any]:
    ledger = Ledger(HEADER, max_sockets=most)
    for batch in batches:
        ledger.add_all(batch)
        ledger.snapshot(1.0)
    report = ledger.report(20.0).to_json()
    assert_sums_agree(report)
    return report


def assert_same(batches: Sequence[Sequence[Record]], most: int = 1000) -> dict[str, Any]:
    """Both forms come to one report, which is returned."""
    packer = Packer()
    packed = [packer.pack(batch) for batch in batches]
    report = report_of(batches, most)
    assert report_of(packed, most) == report
    return report


class Script:
    """A random program: what an engine tells of it, event by event."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._next = 0
        self._rows: dict[int, SocketSeen] = {}
        self._sums: dict[int, list[int]] = {}
        self._now = 0.0
        self._alive: dict[int, tuple[int, bytes, bytes]] = {}
        """Of this batch, by number: no engine tells a socket as two rows at a time."""
        self._strange = self._random.random() < 0.5
        """It does also what hardly any program does."""

    def batch(self) -> list[Record]:
        self._alive.clear()
        return [self._step() for _ in range(self._random.randrange(60))]

    def _step(self) -> Record:
        self._now += 0.001
        if not self._rows or self._random.random() < 0.3:
            return self._open()
        number = self._random.choice(sorted(self._rows)[-8:])
        choice = self._random.random()
        if choice < 0.3:
            return self._close(number)
        if self._strange and choice < 0.4:
            return self._change(number)
        return self._move(number)

    def _open(self) -> SocketSeen:
        self._next += self._random.choice([1, 1, 2])
        inode = 100 + self._next
        if self._strange and self._random.random() < 0.3:
            inode = self._random.choice([0, 100, 101, max(1, inode - 3)])
        ends: tuple[bytes, bytes] = (inet("10.0.0.9", 80), self._random.choice(PEERS))
        if self._random.random() < 0.2:
            ends = (unix(b"/tmp/" + b"x" * self._random.choice([3, 40])), self._random.choice([b"", unix(b"")]))
        if (inode, *ends) in self._alive.values():
            inode = 100 + self._next
        self._alive[self._next] = (inode, *ends)
        family = int.from_bytes(ends[0][:2], "little")
        row = SocketSeen(
            self._now,
            ROOT,
            ROOT,
            4,
            self._next,
            inode,
            -1 if self._strange and not inode else family,
            1,
            6,
            *ends,
            self._now,
            self._random.choice(list(Origin)),
            self._random.choice([None, 0.25]),
        )
        self._rows[self._next], self._sums[self._next] = row, [0, 0]
        return row

    def _close(self, number: int) -> SocketClosed:
        self._alive.pop(number, None)
        counters = None
        if self._random.random() < 0.8:
            wrong = self._random.random() < 0.1
            sums = self._sums[number]
            counters = TcpCounters(sums[0] + wrong, sums[1], 0, self._random.randrange(9), self._random.random() < 0.9)
        if not self._strange:
            del self._rows[number]
            return SocketClosed(self._now, ROOT, ROOT, 4, number, counters)
        fd = self._random.choice([4, 4, 4, -1])
        return SocketClosed(self._now, ROOT, ROOT, fd, number, counters, self._random.random() < 0.1)

    def _change(self, number: int) -> SocketSeen:
        row = replace(self._rows[number], peer=self._random.choice(PEERS), time=self._now)
        self._rows[number] = row
        return row

    def _move(self, number: int) -> Transfer:
        way = self._random.choice(list(Direction))
        count, error = self._random.choice([(0, 11), (self._random.randrange(100), 0)])
        if way is not Direction.PEEKED:
            self._sums[number][way is Direction.RECEIVED] += count
        pid = self._random.choice([ROOT, 20]) if self._strange and self._random.random() < 0.3 else ROOT
        calls = self._random.choice([0, 1, 3])
        return Transfer(self._now, pid, pid, "read", 4, number, way, calls, count, error, True)


@pytest.mark.parametrize("most", [1, 2, 5, 20, 1000])
@pytest.mark.parametrize("seed", range(40))
def test_any_program_has_one_report_in_both_forms(seed: int, most: int) -> None:
    script = Script(seed)
    assert_same([script.batch() for _ in range(20)], most)


def connection(number: int, **other: Any) -> list[Record]:
    counters = (number, 2 * number)
    return [opened(number, **other), received(2 * number, number), sent(number, number), close(number, counters)]


def test_connections_that_begin_and_end_in_a_batch_are_rows_of_their_own() -> None:
    report = assert_same([[record for number in range(1, 6) for record in connection(number)]])
    rows = report["sockets"]
    assert [(row["id"], row["sent"], row["received"], row["audit"]) for row in rows] == [
        (number, number, 2 * number, "match") for number in range(1, 6)
    ]
    assert [row["closed_s"] for row in rows] == [0.9] * 5


def test_a_connection_may_end_in_a_later_batch_than_it_began_in() -> None:
    records = connection(3)
    for cut in range(len(records) + 1):
        (row,) = assert_same([records[:cut], records[cut:]])["sockets"]
        assert (row["sent"], row["received"], row["audit"]) == (3, 6, "match")


def test_those_that_ended_first_are_folded_first() -> None:
    numbers = range(1, 9)
    begin = [opened(number) for number in numbers]
    ends = [close(number, (0, 0)) for number in reversed(numbers)]
    report = assert_same([[*begin, *ends], [opened(20), opened(21)]], most=6)
    assert [row["id"] for row in report["sockets"] if not row.get("folded")] == [1, 2, 3, 4, 20, 21]


def test_a_full_table_stays_full_however_many_come_at_once() -> None:
    batches = [[record for number in range(at, at + 50) for record in connection(number)] for at in (1, 51, 101)]
    for most in (1, 49, 50, 51, 100, 150):
        report = assert_same(batches, most)
        assert sum(not row.get("folded") for row in report["sockets"]) == most


def test_an_inode_that_comes_again_is_another_socket_unless_all_is_the_same() -> None:
    again = [*connection(1, inode=7), *connection(2, inode=7, peer=inet("10.0.0.1", 9)), *connection(3, inode=7)]
    report = assert_same([again])
    assert [(row["id"], row["sent"]) for row in report["sockets"]] == [(1, 4), (2, 2)]


def test_what_follows_a_close_makes_the_verdict_stale() -> None:
    report = assert_same([[*connection(1), sent(5, 1)], [*connection(2)], [sent(5, 2)]])
    assert [(row["audit"], row["sent"]) for row in report["sockets"]] == [("unavailable", 6), ("unavailable", 7)]


def test_the_owners_of_a_row_are_listed_in_their_order() -> None:
    report = assert_same([[opened(1), sent(1, pid=30), sent(1, pid=20), close(1)], [sent(2, pid=40)]])
    assert report["sockets"][0]["pids"] == (30, 20, 40)


def test_a_look_at_the_rows_in_between_changes_nothing() -> None:
    packer, ledger, plain = Packer(), Ledger(HEADER, max_sockets=4), Ledger(HEADER, max_sockets=4)
    for at in range(1, 40, 3):
        batch = [record for number in range(at, at + 3) for record in connection(number)]
        ledger.add_all(packer.pack(batch))
        plain.add_all(batch)
        mine, its = ledger.view(1.0).sockets, plain.view(1.0).sockets
        assert [(row.id, row.sent, row.audit) for row in mine] == [(row.id, row.sent, row.audit) for row in its]
    assert ledger.report(2.0).to_json() == plain.report(2.0).to_json()


def test_rows_share_what_is_equal() -> None:
    packer, book = Packer(), LifeBook(START)
    alike: list[list[Record]] = [[opened(number), sent(5, number), close(number, (5, 0))] for number in (1, 2)]
    packed = packer.pack([record for records in alike for record in records])
    (lives,) = [record for record in packed if isinstance(record, Lives)]
    first, second = (book.tally(life) for life in lives.rows)
    assert first.local is second.local and first.tcp is second.tcp and first.pids is second.pids


def batch_of(lives: Sequence[bytes], steps: Sequence[int], runs: Sequence[int]) -> Any:
    """A batch of the C core, with so many steps in each run; and what it points to."""
    records = ffi.new("struct pt_record[]", [{"kind": lib.PT_LIVES, "calls": count} for count in runs])
    rows = ffi.new("struct pt_life[]", max(1, len(lives)))
    ffi.buffer(rows)[: len(lives) * LIFE.size] = b"".join(lives)
    numbers = ffi.new("uint32_t[]", list(steps) or 1)
    batch = ffi.new("struct pt_batch *")
    batch.records, batch.count = records, len(runs)
    batch.lives, batch.life_count, batch.steps, batch.step_count = rows, len(lives), numbers, len(steps)
    return batch, (records, rows, numbers)


def test_lives_are_read_run_by_run_as_the_core_tells_them() -> None:
    packed = Packer().pack([record for number in (4, 5, 6) for record in connection(number)])
    (told,) = [record for record in packed if isinstance(record, Lives)]
    reader = BatchReader(START)
    batch, kept = batch_of(told.rows, told.steps, [3, 3])
    first, second = reader.read(batch)
    assert isinstance(first, Lives) and isinstance(second, Lives)
    assert (first.steps, second.steps) == ([0, 4, 0], [5, 0, 6])
    assert (first.sockets, second.sockets) == ([4, 5], [6])
    assert (first.inodes, second.inodes) == ([1004, 1005], [1006])
    assert [*first.rows, *second.rows] == told.rows
    assert first.start == START
    later, also = batch_of([], [7], [1])
    (record,) = reader.read(later)
    assert isinstance(record, Lives) and (record.rows, record.steps) == ([], [7])
    assert kept and also
