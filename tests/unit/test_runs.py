# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of transfers: what C sums and writes is, to the byte, what becomes of them one by one."""

from __future__ import annotations

import random
import weakref
from collections.abc import Sequence
from typing import Any

import pytest

from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native.batches import BatchReader
from ptmon.engines.native.rows import ROW
from ptmon.engines.native.runs import FEW, GROUP, NUMBERS, CoreRows
from ptmon.errors import PtmonError
from ptmon.events import EventMaker
from ptmon.ledger.ledger import Ledger
from ptmon.outputs.formats import RunFormatter, create
from ptmon.records import Record, Transfers, singles
from tests.unit.build import HEADER

START = 5_000_000_000
KEPT: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def row(moment: int = 0, **fields: int) -> dict[str, int]:
    """A PT_TRANSFER, ``moment`` nanoseconds after the start."""
    facts = {"kind": lib.PT_TRANSFER, "tgid": 7, "tid": 7, "fd": 4, "socket": 1, "direction": 1, "calls": 1}
    return {**facts, "time": START + moment, **fields}


def batch_of(rows: Sequence[dict[str, int]]) -> Any:
    records = ffi.new("struct pt_record[]", list(rows))
    batch = ffi.new("struct pt_batch *", {"records": records, "count": len(rows)})
    KEPT[batch] = records
    return batch


def read(rows: Sequence[dict[str, int]]) -> list[Record]:
    return BatchReader(START).read(batch_of(rows))


def one_run(rows: Sequence[dict[str, int]]) -> Transfers:
    (run,) = read(rows)
    assert isinstance(run, Transfers)
    return run


def text(run: Transfers) -> str:
    formatter = create("jsonl")
    assert isinstance(formatter, RunFormatter)
    return formatter.run(run).decode()


def one_by_one(records: Sequence[Record]) -> str:
    formatter = create("jsonl")
    return "".join([formatter.lines(event) for event in EventMaker().events(records)])


def anything(rng: random.Random, count: int) -> list[dict[str, int]]:
    """Rows that are alike now and then."""
    step = rng.choice([1, 500, 1000, 10**5, 10**9])
    moment = rng.choice([-(10**6), 0, 10**9 * rng.randrange(10**6)])
    rows = []
    for _ in range(count):
        moment += rng.randrange(step + 1)
        rows.append(
            row(
                moment,
                tgid=rng.choice([7, 2**31 - 1]),
                tid=rng.randrange(7, 10),
                fd=rng.choice([0, 4, 65_000]),
                socket=rng.choice([0, 1, 2**32 - 1]),
                direction=rng.randrange(1, 4),
                syscall=rng.randrange(4),
                error=rng.choice([0, 0, 0, 11, 512]),
                calls=rng.choice([0, 1, 1, 1, 3]),
                bytes=rng.choice([0, 1, 35, 2**31, 2**50]),
                fast=rng.randrange(2),
            )
        )
    return rows


@pytest.mark.parametrize("seed", range(50))
def test_the_lines_are_those_of_single_transfers(seed: int) -> None:
    rng = random.Random(seed)
    run = one_run(anything(rng, rng.choice([FEW, 17, 300])))
    assert text(run) == one_by_one([run])


MOMENTS = [0, 1, 499, 500, 501, 999, 1000, 1500, 2500, 9_500, 10_000, 12_500, 98_999, 99_499, 99_500, 100_000, 100_500]
MOMENTS += [999_999_499, 999_999_500, 10**9, 12_345_678_950, 86_400 * 10**9, 86_400 * 10**9 + 500, 2**52 + 1, 2**60]


def test_times_are_rounded_and_written_as_python_does() -> None:
    rng = random.Random(1)
    halves = [rng.randrange(10 ** rng.randrange(1, 11)) * 1000 + 500 for _ in range(2000)]
    long = [rng.randrange(2**51, 2**53) for _ in range(500)]
    moments = [*MOMENTS, *halves, *long, -1, -(START // 2)]
    run = one_run([row(moment, bytes=2**64 - 1) for moment in moments])
    for moment, line, expected in zip(moments, text(run).splitlines(), one_by_one([run]).splitlines(), strict=True):
        assert line == expected, moment


@pytest.mark.parametrize("seed", range(20))
def test_the_sums_are_those_of_single_transfers(seed: int) -> None:
    run = one_run(anything(random.Random(seed), 300))
    summed, single = Ledger(HEADER), Ledger(HEADER)
    summed.add(run)
    for record in singles([run]):
        single.add(record)
    assert summed.report(2.0).to_json() == single.report(2.0).to_json()
    assert len(run.groups) <= len(run.rows) == 300


def test_rows_of_another_second_are_another_group() -> None:
    run = one_run([row(1, bytes=5), row(10**9 - 1, bytes=6), row(10**9, bytes=7), row(2, bytes=8)])
    assert [(group.sum.time, group.sum.bytes, group.sum.calls) for group in run.groups] == [(1e-9, 19, 3), (1.0, 7, 1)]


def test_other_records_stay_between_the_runs() -> None:
    clone = {**row(), "kind": lib.PT_CLONE}
    kinds = [type(record).__name__ for record in read([clone, *[row()] * FEW, clone, *[row()] * FEW, row(), clone])]
    assert kinds == ["Clone", "Transfers", "Clone", "Transfers", "Clone"]


def test_a_few_transfers_come_one_by_one() -> None:
    assert [type(record).__name__ for record in read([row()] * (FEW - 1))] == ["Transfer"] * (FEW - 1)


def test_a_run_outlives_the_batch_that_it_was_read_from() -> None:
    batch = batch_of([row(moment, bytes=moment) for moment in range(10)])
    (run,) = BatchReader(START).read(batch)
    assert isinstance(run, Transfers)
    before = one_by_one([run])
    ffi.memmove(batch.records, bytes(ROW.size * 10), ROW.size * 10)
    assert text(run) == before == one_by_one([run])


def test_an_event_each_comes_of_a_run_for_outputs_that_take_none() -> None:
    run = one_run([row(direction=1), row(direction=2), row(direction=3), row(direction=1)])
    assert [event.kind for event in EventMaker().events([run])] == ["send", "receive", "receive", "send"]
    assert list(EventMaker().runs([run])) == [run]


def test_rows_are_laid_out_as_in_c() -> None:
    fields = ffi.typeof("struct pt_record").fields
    assert ROW.size == ffi.sizeof("struct pt_record")
    assert len(ROW.unpack(bytes(ROW.size))) == len(fields)
    assert GROUP.size == ffi.sizeof("struct pt_group")
    assert ffi.sizeof("struct pt_frame") == 12


def test_text_for_which_there_is_no_room_is_an_error_and_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of([row()] * 10)
    rows = CoreRows(batch.records, 10, START, lambda _: "read")
    rows.groups()
    assert len(rows.text([("a", "b", "c")])) == 10 * len("a0.0b0c")
    monkeypatch.setattr("ptmon.engines.native.runs.NUMBERS", NUMBERS - 46)
    with pytest.raises(PtmonError, match="ENOSPC"):
        rows.text([("a", "b", "c")])
