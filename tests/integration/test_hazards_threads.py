# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads: many of them, and their ends at awkward moments."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hazards import child_running, children_of
from tests.support import DEADLINE, PTMON, Outcome, Targets, assert_sums_agree, run_ptmon, started, until

Hazard = Callable[..., Outcome]


def test_64_threads_are_counted_each_by_itself(hazard: Hazard) -> None:
    traced = hazard("threads", "pairs", "64")
    (process,) = traced.report["processes"]
    sent = sorted(thread["sent"] for thread in process["threads"])
    assert sent == [0, *((7 * number + 1) * 101 for number in range(64))]


def test_threads_that_end_do_not_disturb_one_blocked_in_recv(hazard: Hazard) -> None:
    hazard("threads", "exits")


def test_a_process_may_end_while_its_threads_are_blocked_in_recv(hazard: Hazard) -> None:
    traced = hazard("threads", "exit_group", calls=False)
    assert traced.returncode == 7
    assert traced.report["exit"] == {"code": 7, "signal": None}


def test_threads_go_on_after_their_leader_has_ended(hazard: Hazard) -> None:
    traced = hazard("threads", "leader")
    assert traced.returncode == 3
    assert traced.report["exit"] == {"code": 3, "signal": None}
    assert len(traced.report["processes"]) == 1


class Peers:
    """The other ends of a flooding target's sockets, held outside of what is traced."""

    def __init__(self, count: int, tcp: bool) -> None:
        pairs = [tcp_pair() if tcp else socket.socketpair() for _ in range(count)]
        self.theirs = [pair[0] for pair in pairs]
        self.ours = [pair[1] for pair in pairs]
        self.moved = 0

    def fds(self) -> list[int]:
        return [end.fileno() for end in self.theirs]

    def close(self) -> None:
        for end in [*self.theirs, *self.ours]:
            end.close()

    def move(self, end: socket.socket, sending: bool) -> bool:
        """Sends to, or receives from, the target once; False at the end."""
        try:
            step = end.send(bytes(100_000)) if sending else len(end.recv(1 << 20))
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.moved += step
        return step > 0

    def run(self, tracer: subprocess.Popen[str], sending: bool, victim: int | None) -> None:
        """Moves bytes until the tracer has ended and nothing more comes; kills ``victim`` when it says "enough"."""
        assert tracer.stdout is not None
        with selectors.DefaultSelector() as selector:
            for ours in self.ours:
                ours.setblocking(False)
                selector.register(ours, selectors.EVENT_WRITE if sending else selectors.EVENT_READ)
            selector.register(tracer.stdout, selectors.EVENT_READ)
            while selector.get_map() and not (sending and tracer.poll() is not None):
                for key, _ in selector.select(timeout=0.05):
                    if isinstance(key.fileobj, socket.socket):
                        if not self.move(key.fileobj, sending):
                            selector.unregister(key.fileobj)
                    else:
                        if tracer.stdout.readline() == "enough\n" and victim is not None:
                            os.kill(victim, signal.SIGKILL)
                        selector.unregister(tracer.stdout)

    def unread(self) -> int:
        """Bytes that were sent to the target and that it has not taken: they are still in its sockets' queues."""
        left = 0
        for ours, theirs in zip(self.ours, self.theirs, strict=True):
            ours.shutdown(socket.SHUT_WR)
            while got := len(theirs.recv(1 << 20)):
                left += got
        return left


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def flood(target: Path, file: Path, way: str, death: str, *, tcp: bool) -> None:
    """Lets death hit the target's threads in the middle of transfers; the total must be what the outside counted."""
    peers = Peers(8, tcp)
    words = [*PTMON, "--format", "json", "-o", str(file), "--", str(target), way, death, *map(str, peers.fds())]
    pipe = subprocess.PIPE
    tracer = subprocess.Popen(words, pass_fds=peers.fds(), stdout=pipe, stderr=pipe, text=True)
    try:
        if way == "send":  # so that the peers see the end; for receive they stay, to look at what was left unread
            for end in peers.theirs:
                end.close()
        peers.run(tracer, way == "recv", child_running(tracer.pid, target) if death == "wait" else None)
        errors = tracer.communicate(timeout=DEADLINE)[1]
        expected = peers.moved if way == "send" else peers.moved - peers.unread()
    finally:
        tracer.kill()
        tracer.communicate()
        peers.close()
    assert tracer.returncode == (9 if death in ("exit", "exec") else -signal.SIGKILL), errors
    report = json.loads(file.read_text())
    assert_sums_agree(report)
    assert report["totals"]["sent" if way == "send" else "received"] == expected


@pytest.mark.parametrize("seccomp", ["auto", "off"])
def test_threads_that_call_all_the_time_leave_the_others_their_turns(
    targets: Targets, tmp_path: Path, seccomp: str
) -> None:
    command: list[str | Path] = [targets("threads"), "turns", "16"]
    traced = run_ptmon(command, tmp_path / "report.json", ["--seccomp", seccomp])
    assert traced.returncode == 0, traced.stderr
    assert traced.totals["sent"] == traced.totals["received"] == traced.told["sent"] >= 16 * 200


@pytest.mark.parametrize("tcp", [False, True], ids=["unix", "tcp"])
@pytest.mark.parametrize("death", ["exit", "kill", "exec", "wait"])
@pytest.mark.parametrize("way", ["send", "recv"])
def test_bytes_moved_by_a_call_that_death_hits_are_counted(
    targets: Targets, tmp_path: Path, way: str, death: str, tcp: bool
) -> None:
    for round_ in range(5):
        flood(targets("flood"), tmp_path / f"{round_}.json", way, death, tcp=tcp)


def test_a_program_killed_at_its_birth_is_no_riddle(tmp_path: Path) -> None:
    for delay in range(40):
        with started([*PTMON, "-o", tmp_path / "r.json", "--", "sleep", "1000"]) as tracer:
            (child,) = until(lambda tracer=tracer: children_of(tracer.pid), "the child")  # type: ignore[misc]
            time.sleep(delay / 10_000)
            os.kill(child, signal.SIGKILL)
            errors = tracer.communicate(timeout=DEADLINE)[1]
        if tracer.returncode != -signal.SIGKILL:  # it was not yet the program
            assert tracer.returncode == 125
            (line,) = errors.splitlines()
            assert re.match("ptmon: cannot (start|trace) sleep: ", line)
