# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks --merge``: what it takes to make one report of very many (ptmon --merge)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import RunError

REPORTS, SOCKETS = 1000, 1000
QUICK = 20, 50
"""The same of --quick."""
PEERS = 250
"""Hosts that each run reaches."""
PROGRAM = "import socket as s; a, b = s.socketpair(); a.send(b'x'); b.recv(1)"
"""Of whose report the others are made."""
READ = "import json, sys\nfor path in sys.argv[1:]: json.load(open(path))"
"""The least that whoever reads them in Python has to do."""


@dataclass(frozen=True, slots=True)
class Merging:
    """What came out of it."""

    reports: int
    sockets: int
    """Of each report."""
    size: int
    """Bytes of all of them."""
    seconds: float
    """Of CPU time: others may work on the machine."""
    peak: int
    """KiB that ptmon had in memory at most."""
    plain_seconds: float
    """What Python's json module takes to read them and to do nothing with them."""

    def __str__(self) -> str:
        return (
            f"ptmon --merge of {self.reports:,} reports of {self.sockets:,} sockets ({self.size / 1e6:,.0f} MB): "
            f"{self.seconds:.1f} s of CPU time ({self.seconds / self.plain_seconds:.1f} times json.load's), "
            f"{self.peak / 1024:.0f} MiB at most"
        )


def measured(quick: bool) -> Merging:
    """Writes the reports, and merges them. Raises RunError where that goes wrong."""
    reports, sockets = QUICK if quick else (REPORTS, SOCKETS)
    with tempfile.TemporaryDirectory(prefix="ptmon-bench-") as folder:
        paths = list(written(Path(folder), reports, sockets))
        size = sum(path.stat().st_size for path in paths)
        plain, _peak = run([sys.executable, "-c", READ, *map(str, paths)])
        merged = Path(folder) / "all.json"
        words = [sys.executable, "-m", "ptmon", "-o", str(merged), "--merge", *map(str, paths)]
        passed, peak = run(words)
        sent = json.loads(merged.read_text())["totals"]["sent"]
        if sent != reports * sockets:
            raise RunError(f"the sum of {reports * sockets} reports is {sent}")
    return Merging(reports, sockets, size, passed, peak, plain)


def written(folder: Path, reports: int, sockets: int) -> Iterator[Path]:
    """Reports that are like real ones: made of one, with more sockets."""
    real = folder / "real.json"
    run([sys.executable, "-m", "ptmon", "-q", "-o", str(real), "--", sys.executable, "-c", PROGRAM])
    template = json.loads(real.read_text())
    for number in range(reports):
        path = folder / f"r-{number}.json"
        with path.open("w") as file:
            rows(template, number, sockets)
            json.dump(template, file)
        yield path


def rows(document: dict[str, Any], number: int, count: int) -> None:
    """Gives a report ``count`` sockets, each of which has sent a byte."""
    row, process = document["sockets"][0], document["processes"][0]
    document["host"], document["rank"] = f"node{number // 4}", number
    document["sockets"] = []
    for index in range(count):
        host = f"10.{number % 200}.0.{index % PEERS}"
        ends = {"peer": f"{host}:443", "peer_address": host, "peer_port": 443, "local": f"10.0.0.1:{1024 + index}"}
        tcp = {"family": "inet", "type": "stream", "protocol": "tcp", "scope": "private", "direction": "connected"}
        sums = {"sent": 1, "received": 0, "calls_sent": 1, "calls_received": 0, "peeked": 0}
        document["sockets"].append({**row, **ends, **tcp, **sums, "id": index + 1, "inode": index + 1})
    moved = {"sent": count, "received": 0}
    document["totals"] |= {**moved, "calls_sent": count, "calls_received": 0}
    document["by_family"], document["by_scope"] = {"inet": moved}, {"private": moved}
    document["path"] = {"fast": 0, "stop": count}
    document["processes"] = [{**process, **moved, "threads": [{**process["threads"][0], **moved}]}]
    peer = {"transport": "tcp", "port": 443, "scope": "private", "names": [], "received": 0, "calls_received": 0}
    peers = [sum(index % PEERS == host for index in range(count)) for host in range(min(PEERS, count))]
    document["by_peer"] = [
        {**peer, "peer_address": f"10.{number % 200}.0.{host}", "sockets": share, "sent": share, "calls_sent": share}
        for host, share in enumerate(peers)
    ]


def run(words: list[str]) -> tuple[float, int]:
    """Seconds of CPU time, and the KiB that it had in memory at most. Raises RunError if it fails."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RunError(f"{' '.join(words[:4])} has exit status {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss
