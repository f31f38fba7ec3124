# SPDX-License-Identifier: GPL-2.0-or-later
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
    fewest: int = 40
    """Operations that make any sense; a few in each of four threads."""
    work: str = ""
    """What workload.c calls it, if by another name."""
    group: str = ""
    """SCALE: it stands in a table of its own."""
    tools: frozenset[str] = frozenset()
    """Those that do it, beside the ones that the user gives; empty: all."""

    def count(self, speed: Speed, quick: bool) -> int:
        """Operations of one run."""
        return max(self.counts[speed] // (20 if quick else 1), self.fewest) if speed in self.counts else 0


def counts(full: int, stops: int, slow: int = 0, lines: int = 0) -> dict[Speed, int]:
    """0: does not do it."""
    named = {Speed.FULL: full, Speed.LINES: lines or stops, Speed.STOPS: stops, Speed.SLOW: slow}
    return {speed: count for speed, count in named.items() if count}


def scale(name: str, work: str, title: str, operation: str, count: int) -> Workload:
    """Every tool does as many: what they cost is not in proportion."""
    return Workload(name, title, operation, counts(full=count, stops=count), work=work, group=SCALE, tools=AT_SCALE)


SCALE = "scale"
AT_SCALE = frozenset({"native", "ptmon-fast", "ptmon-attach", "ptmon-stops", "strace"})
"""A run takes minutes under what stops at each call: one of each kind is enough."""
TREE = frozenset({"find", "tar", "git_grep"})
"""They read a tree of files, and need no socket."""
VISITS = 10
"""How often find goes through the tree."""
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
    ),
    Workload(
        "nginx_connect",
        "nginx,\nconnection",
        "wrk's request of a small file from nginx, a connection for each, 16 at a time",
        counts(full=1, stops=1),
    ),
    Workload(
        "redis",
        "redis,\nSET",
        "redis-benchmark's SET on redis, 16 clients",
        counts(full=100_000, stops=20_000),
    ),
    Workload("file_read", "read of\na file", "read of 1 byte of a regular file", FILE_CALLS),
    Workload(
        "unwatched",
        "unwatched\ncall",
        "getppid, which moves nothing",
        counts(full=3_000_000, lines=200_000, stops=10_000, slow=2_000),
    ),
    Workload("find", "find", "a file that find(1) looks at", counts(full=200_000, stops=20_000)),
    Workload("tar", "tar", "a file of 1 KiB that tar(1) puts into an archive", counts(full=20_000, stops=2_000)),
    Workload("git_grep", "git\ngrep", "a file of 1 KiB that git grep searches", counts(full=20_000, stops=2_000)),
    Workload("compile", "make\n-j2", "a small C file that make -j2 has compiled", counts(full=40, stops=40), fewest=4),
    Workload("fork_exec", "fork,\nexec", "fork, exec and wait", counts(full=300, stops=300)),
    Workload(
        "shell_loop",
        "shell\nloop",
        "a /bin/true of the 300 that sh -c runs; the tool's start and end are in the time",
        counts(full=300, stops=300),
    ),
    Workload(
        "start_up",
        "start-up,\nof true",
        "start and end of the tool, which runs true; native: python3 -c pass",
        counts(full=40, stops=40, slow=40),
    ),
    scale(
        "connections_1000",
        "connect_close",
        "1 000\nconnections",
        "one of 1 000 TCP connections of one process, which carries a byte each way",
        1_000,
    ),
    scale("connections_100000", "connect_close", "100 000\nconnections", "the same, of 100 000", 100_000),
    scale(
        "threads_1000",
        "threads",
        "1 000\nthreads",
        "one of 1 000 threads that are there at once; 10 sends and receives of 1 byte each",
        1_000,
    ),
    scale(
        "processes_5000",
        "processes",
        "5 000\nprocesses",
        "one of 5 000 processes, 500 at once; 10 sends and receives of 1 byte each",
        5_000,
    ),
)
