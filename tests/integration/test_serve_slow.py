# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that never reads: the tracee is as fast as without it, and the client is told what it missed."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.serving import Caller, dropped, objects, said_port
from tests.support import DEADLINE, PTMON, Targets, started

CALLS = 10_000
"""Of each kind, a round."""
ROUNDS = 11
MOST_ROUNDS = 3 * ROUNDS
"""Others may have that CPU, too, and not in each round."""


def is_slow(times: list[tuple[int, int]]) -> bool:
    """Of each the round that had the CPU most for itself."""
    return min(served for _, served in times) >= 1.5 * min(alone for alone, _ in times)


def go(process: subprocess.Popen[str]) -> int:
    """A round of the target ``rounds``: how many microseconds it took."""
    assert process.stdin and process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def on_one_cpu() -> None:
    """Both runs: where threads are woken is no matter of chance, and the server's thread has no other CPU either."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def test_a_client_that_never_reads_does_not_slow_the_tracee(targets: Targets, tmp_path: Path) -> None:
    times: list[tuple[int, int]] = []
    log = tmp_path / "log"
    command = ["-q", "--serve", "0", "--", str(targets("rounds")), str(CALLS)]
    with ExitStack() as stack:
        alone, served = (
            stack.enter_context(
                started(
                    [*PTMON, f"--log={path}", "--log-format", "jsonl", *command],
                    stdin=subprocess.PIPE,
                    preexec_fn=on_one_cpu,
                )
            )
            for path in (tmp_path / "other", log)
        )
        assert alone.stderr and served.stderr and served.stdin
        said_port(alone.stderr)
        client = stack.enter_context(Caller(said_port(served.stderr), receive_buffer=4096))
        client.say("format jsonl\n")
        assert objects([client.line()])[0]["schema"] == "ptmon.event/1"
        while len(times) < ROUNDS or (is_slow(times) and len(times) < MOST_ROUNDS):
            times.append((go(alone), go(served)))
        lines = client.until('"dropped"')  # only now it reads
        served.stdin.write("end\n")
        served.stdin.flush()
        lines += client.rest()
        assert served.wait(DEADLINE) == 0
        assert served.stderr.read() == ""
    assert not is_slow(times), times
    events = 2 * CALLS * len(times)
    assert events >= 200_000

    told, missed = objects(lines), dropped(lines)
    got = [line for line in told if line.get("event") in ("send", "receive")]
    logged = [line for line in objects(log.read_text().splitlines()) if line.get("event") in ("send", "receive")]
    assert len(logged) == events
    assert missed > events // 2
    assert len(got) + missed == events
    (gap, *_) = (place for place, line in enumerate(told) if line.get("event") == "dropped")
    before = [line for line in told[:gap] if line.get("event") in ("send", "receive")]
    assert before == logged[: len(before)] != []  # up to the gap nothing is missing
    assert [line["event"] for line in told[-1:]] == ["exit"]


def test_a_client_that_never_reads_nor_goes_does_not_keep_ptmon(targets: Targets) -> None:
    with ExitStack() as stack:
        words = [*PTMON, "-q", "--serve", "0", "--", str(targets("rounds")), "30000"]
        run = stack.enter_context(started(words, stdin=subprocess.PIPE))
        assert run.stderr and run.stdin
        client = stack.enter_context(Caller(said_port(run.stderr), receive_buffer=4096))
        client.line()
        go(run)
        run.stdin.write("end\n")
        run.stdin.flush()
        assert run.wait(DEADLINE / 2) == 0
