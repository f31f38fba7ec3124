# SPDX-License-Identifier: GPL-2.0-or-later
"""What an event costs ptmon itself: ``python -m benchmarks.events [FORMAT] [SOCKETS]``.

Batches of transfers as the C core makes them, of so many sockets (2) in turn, go into the ledger and into a log
(jsonl). It says how many microseconds of CPU time each takes, the writing of the file included.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native.batches import BatchReader
from ptmon.ledger.ledger import Ledger
from ptmon.outputs import Outputs
from ptmon.outputs.log import LogOutput
from ptmon.report import Header

ROWS = 4096
BATCHES = 100
START = 10**9


def batch_of(records: Any, sockets: int) -> Any:
    """One byte sent, one received, and so on, a microsecond apart."""
    for index in range(ROWS):
        row = records[index]
        row.kind, row.time, row.calls, row.bytes = lib.PT_TRANSFER, START + 1_234_567 + index * 1013, 1, 1
        row.tgid = row.tid = 4711
        row.fd, row.socket = 3 + index % sockets, 1 + index % sockets
        row.syscall, row.direction, row.fast = index % 2, 1 + index % 2, 1
    return ffi.new("struct pt_batch *", {"records": records, "count": ROWS})


def measure(form: str, sockets: int) -> dict[str, float]:
    """Seconds of CPU time, by what they were spent on."""
    records = ffi.new("struct pt_record[]", ROWS)
    batch = batch_of(records, sockets)
    header = Header("host", ("program",), "launch", "native", "", 4711, None)
    reader, ledger = BatchReader(START), Ledger(header)
    spent = dict.fromkeys(("read", "sum", "log"), 0.0)
    with tempfile.NamedTemporaryFile() as file, Outputs([LogOutput(file.name, form, "host")]) as outputs:
        outputs.start(header)
        for _ in range(BATCHES):
            begin = time.process_time()
            told = reader.read(batch)
            read = time.process_time()
            for record in told:
                ledger.add(record)
            summed = time.process_time()
            outputs.write(told)
            end = time.process_time()
            for name, seconds in zip(spent, (read - begin, summed - read, end - summed), strict=True):
                spent[name] += seconds
    return spent


def main() -> None:
    form, sockets = (*sys.argv[1:], *("jsonl", "2")[len(sys.argv) - 1 :])
    spent = measure(form, int(sockets))
    each = {name: seconds / (ROWS * BATCHES) * 1e6 for name, seconds in spent.items()}
    told = ", ".join(f"{name} {micros:.2f}" for name, micros in each.items())
    print(f"{sum(each.values()):.2f} µs an event ({told})")


if __name__ == "__main__":
    main()
