# SPDX-License-Identifier: GPL-2.0-only
"""What is done under the tools, and how often in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Speed(Enum):
    """How many operations a tool can be asked for. All figures are nanoseconds per operation, so counts may differ."""

    FULL = "full"
    """The program never stops, or only at the beginning."""
    LINES = "lines"
    """A line is written for each call."""
    STOPS = "stops"
    """Each call stops, or something else takes as long."""
    SLOW = "slow"
    """Each call stops, and Python looks at it."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One column of the table."""

    name: str
    title: str
    """Two short lines."""
    operation: str
    """What one is, in words."""
    counts: Mapping[Speed, int]
    """Operations of one run. A speed that is not in it does not do this workload."""
    server: bool = False
    """The tool holds a server; its client is not traced."""

    def count(self, speed: Speed, quick: bool) -> int:
        """Operations of one run; at least a few in each of four threads."""
        return max(self.counts[speed] // (20 if quick else 1), 40) if speed in self.counts else 0


def counts(full: int, stops: int, slow: int = 0, lines: int = 0) -> dict[Speed, int]:
    """0: does not do it."""
    named = {Speed.FULL: full, Speed.LINES: lines or stops, Speed.STOPS: stops, Speed.SLOW: slow}
    return {speed: count for speed, count in named.items() if count}


CALLS = counts(full=1_000_000, lines=200_000, stops=10_000, slow=2_000)
FILE_CALLS = counts(full=200_000, stops=10_000, slow=2_000)
WORKLOADS = (
    Workload("ping_pong", "1-byte\nping-pong", "send or recv of 1 byte on a socket pair", CALLS),
    Workload(
        "ping_pong_threads",
        "the same,\n4 threads",
        "send or recv of 1 byte in each of 4 threads, a socket pair each",
        counts(full=1_000_000, lines=200_000, stops=10_000),
    ),
    Workload(
        "tcp_stream",
        "TCP\nstream",
        "64 KiB from one thread to another over TCP, every byte checked",
        counts(full=10_000, stops=2_000, slow=500),
    ),
    Workload(
        "connect_close",
        "connect,\nclose",
        "a TCP connection that carries a byte each way",
        counts(full=5_000, stops=500, slow=60),
    ),
    Workload(
        "nginx",
        "nginx,\nrequest",
        "wrk's request of a small file from nginx, 16 connections",
        counts(full=1, stops=1),
        server=True,
    ),
    Workload(
        "redis",
        "redis,\nSET",
        "redis-benchmark's SET on redis, 16 clients",
        counts(full=100_000, stops=20_000),
        server=True,
    ),
    Workload("file_read", "read of\na file", "read of 1 byte of a regular file", FILE_CALLS),
    Workload("fork_exec", "fork,\nexec", "fork, exec and wait", counts(full=300, stops=300)),
    Workload(
        "unwatched",
        "unwatched\ncall",
        "getppid, which moves nothing",
        counts(full=3_000_000, lines=200_000, stops=10_000, slow=2_000),
    ),
    Workload(
        "start_up",
        "start-up,\nof true",
        "start and end of the tool, which runs true; native: python3 -c pass",
        counts(full=40, stops=40, slow=40),
    ),
)
