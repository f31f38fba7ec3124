# SPDX-License-Identifier: GPL-2.0-or-later
"""Attaches, launches and kills ptmon again and again, on a loaded machine, and proves that it did no harm.

python -m tests.soak --attach-cycles 2000 --launches 200 --kills 100 --storms 200 --load 2
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.attaching import attached
from tests.soaking import BROKEN, Memory, TrappedError, Verifier, Worker, counted, load, some_after, verifier, worker
from tests.support import DEADLINE, Targets, assert_sums_agree, started, tracing, until

EXACT_EVERY = 3
"""Each third attach is between two points at which all is known; the others are in the middle of traffic."""
INTERRUPTS = 8
"""epoll_wait may fail by EINTR so many times an attach: signal(7) has it that a stop interrupts it."""
STORMS = ["storm", "nested", "jump", "own", "waited"]
"""What asking.c does with signals."""
TOUCHES = 5
IN_PARALLEL = 3
"""Python starts slowly: processes that are to be killed are started beforehand."""


class Progress:
    """Lines on stderr, ten for each kind of work."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.start = what, total, time.monotonic()

    def __call__(self, done: int) -> None:
        if done == self.total or done % max(1, self.total // 10) == 0:
            print(f"{time.monotonic() - self.start:8.1f} s  {self.what}: {done} of {self.total}", file=sys.stderr)


def attach_cycles(program: Path, folder: Path, cycles: int) -> None:
    progress = Progress("attaches", cycles)
    with verifier(program, folder / "shared") as target, worker() as tracer:
        assert tracer.hear() == "ready"
        for number in range(1, cycles + 1):
            if number % EXACT_EVERY:
                tracer.touch(target, some_after())
            else:
                tracer.count(target, some_after(), random.randrange(10, 400))
            target.assert_free()
            target.traffic(3)
            progress(number)
        interrupts = target.memory.read().eintr
        print(f"epoll_wait failed by EINTR {interrupts} times in {cycles} attaches", file=sys.stderr)
        assert interrupts <= INTERRUPTS * cycles
        target.end()


def launch(program: Path, folder: Path) -> None:
    """Counts inside the tracee while its threads are at work; all of it is counted from the first call to the last."""
    shared, file = folder / "shared", folder / "report.json"
    shared.unlink(missing_ok=True)
    words = tracing("--fast-after", "3", "--format", "json", "-o", file, "--", program, shared, "4")
    with started(words) as tracer:
        memory = Memory(shared)

        def going() -> bool:
            assert tracer.poll() is None, tracer.communicate()
            assert memory.read().state != BROKEN, tracer.communicate(timeout=DEADLINE)
            return memory.read().rounds > 300

        until(going, "traffic")
        os.kill(memory.read().pids[0], signal.SIGTERM)
        out, errors = tracer.communicate(timeout=DEADLINE)
    assert (tracer.returncode, out.splitlines()[:1]) == (0, ["ok"]), errors
    report, known = json.loads(file.read_text()), memory.read()
    assert_sums_agree(report)
    assert report["complete"], report["warnings"]
    told = {key: getattr(known, key) for key in ("sent", "received", "calls", "errors")}
    assert counted(report["totals"]) == told, f"ptmon's figures and the target's: {report['totals']}, {told}"


def launches(program: Path, folder: Path, times: int) -> None:
    progress = Progress("launches", times)
    for number in range(1, times + 1):
        launch(program, folder)
        progress(number)


def kill_one(victim: Worker, target: Verifier) -> None:
    """Kills a ptmon that is attaching, counting or letting go. What it held lives on."""
    assert victim.hear() == "ready"
    moment = random.random()
    victim.say("hold", some_after(), *target.pids)
    if moment > 0.4:
        assert victim.hear() == "held"
    time.sleep(random.random() * (0.01 if moment < 0.4 else 0.1))  # a random moment is what this is about
    if moment > 0.8:
        victim.say("enough")
        time.sleep(random.random() * 0.01)
    victim.process.kill()
    victim.process.wait(DEADLINE)
    target.assert_free()
    target.traffic()


def kills_of_one(program: Path, folder: Path, times: int, progress: Progress) -> int:
    """How many ptmons one verifier has survived: all, but where it came to a breakpoint that one of them has left."""
    with ExitStack() as stack:
        target = stack.enter_context(verifier(program, folder / "shared"))
        tracer = stack.enter_context(worker())
        assert tracer.hear() == "ready"
        waiting: list[tuple[Worker, ExitStack]] = []
        for number in range(times):
            while len(waiting) < IN_PARALLEL:
                own = stack.enter_context(ExitStack())
                waiting.append((own.enter_context(worker()), own))
            victim, own = waiting.pop(0)
            try:
                kill_one(victim, target)
                own.close()
                tracer.count(target, some_after(), 50)
                target.assert_free()
            except TrappedError:
                return number
            progress(number + 1)
        target.end()
    return times


def kills(program: Path, folder: Path, times: int) -> None:
    progress, done, trapped = Progress("kills", times), 0, 0
    while done < times:
        survived = kills_of_one(program, folder, times - done, progress)
        trapped += done + survived < times
        done += survived + 1
    assert trapped <= 1 + times // 20, f"{trapped} of {times}"


def storm(program: Path, file: Path) -> None:
    """Attaches to threads that ask about their calls while signals come, and counts to their end."""
    with started([program, random.choice(STORMS), "wait"], stdin=subprocess.PIPE) as target:
        assert target.stdout is not None
        assert target.stdout.readline() == "ready\n"
        with attached(target.pid, file, "--fast-after", str(random.choice([1, 3, 50])), states="StR") as ptmon:
            out, errors = target.communicate("\n", timeout=DEADLINE)
            ptmon.finish()
    assert (target.returncode, errors) == (0, ""), (target.returncode, errors)
    told, totals = json.loads(out), counted(ptmon.report["totals"])
    assert ptmon.report["complete"], ptmon.report["warnings"]
    assert totals == told, f"ptmon's figures and the target's: {totals}, {told}"


def touch_in_storm(program: Path, tracer: Worker) -> None:
    """Attaches and lets go in the middle of it; the target looks at all that it receives."""
    mode = random.choice([mode for mode in STORMS if mode != "waited"])  # sigtimedwait may fail by EINTR: signal(7)
    with started([program, mode]) as target:
        for _ in range(TOUCHES):
            assert target.poll() is None, (mode, target.communicate())
            tracer.say("touch", some_after(), target.pid)
            assert json.loads(tracer.hear())["complete"]
        assert target.poll() is None, (mode, target.communicate())
        target.kill()


def storms(targets: Targets, folder: Path, times: int) -> None:
    progress = Progress("attaches in a storm of signals", times)
    with worker() as tracer:
        assert tracer.hear() == "ready"
        for number in range(1, times + 1):
            if number % TOUCHES:
                storm(targets("asking"), folder / "storm.json")
            else:
                touch_in_storm(targets("asking", "-DROUNDS=1000000"), tracer)
            progress(number)


def soak(targets: Targets, folder: Path, cycles: int, launched: int, killed: int, stormed: int, hogs: int) -> None:
    """Raises AssertionError at the first thing that is not as it should be."""
    program = targets("verifier")
    with load(hogs):
        if cycles:
            attach_cycles(program, folder, cycles)
        if launched:
            launches(program, folder, launched)
        if killed:
            kills(program, folder, killed)
        if stormed:
            storms(targets, folder, stormed)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--attach-cycles", type=int, default=2000)
    parser.add_argument("--launches", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--storms", type=int, default=200)
    parser.add_argument("--load", type=int, default=os.cpu_count(), help="processes that keep the processors busy")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    given = parser.parse_args(words)
    random.seed(given.seed)
    start, verdict = time.monotonic(), "ok"
    with tempfile.TemporaryDirectory() as folder:
        try:
            targets = Targets(Path(folder))
            soak(targets, Path(folder), given.attach_cycles, given.launches, given.kills, given.storms, given.load)
        except AssertionError as error:
            verdict = f"FAILED: {error}"
    print(
        f"soak: {given.attach_cycles} attaches, {given.launches} launches, {given.kills} kills, {given.storms} storms,"
        f" load {given.load},"
        f" seed {given.seed}, {time.monotonic() - start:.0f} s: {verdict}"
    )
    return verdict != "ok"


if __name__ == "__main__":
    sys.exit(main())
