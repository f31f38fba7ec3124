# SPDX-License-Identifier: GPL-2.0-or-later
"""--explain and --explain-step: what the reference engine does is told, and the program does as without it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.reference import port_of, talk
from tests.support import DEADLINE, PTMON, Targets, process_state, started, until

COUNTED = re.compile(r"^ *\d+\. counted: (\d+) bytes (sent|received) by (\w+) on fd \d+$", re.MULTILINE)
STEP = re.compile(r"^ *\d+\. ([\w-]+)", re.MULTILINE)


def explained(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PTMON, "-q", "--explain", *words], capture_output=True, text=True, timeout=DEADLINE)


def test_what_is_told_as_counted_is_what_the_target_tells(targets: Targets) -> None:
    with started([*PTMON, "-q", "--explain", targets("send_recv_server"), "0"]) as server:
        talk(targets, port_of(server), 5)
        server.send_signal(signal.SIGINT)  # ptmon passes it on
        output, errors = server.communicate(timeout=DEADLINE)
    assert (server.returncode, output) == (0, "Server exited.\n")
    counted = COUNTED.findall(errors)
    for way in ("sent", "received"):
        assert [int(count) for count, this, _ in counted if this == way] == [35] * 5


def test_the_steps_are_those_of_a_tracer_in_their_order(targets: Targets) -> None:
    done = explained(targets("processes"), "leaf")
    assert (done.returncode, done.stdout) == (0, "")
    steps = STEP.findall(done.stderr)
    first = ["fork", "PTRACE_TRACEME", "PTRACE_SETOPTIONS", "PTRACE_CONT", "PTRACE_EVENT_EXEC", "PTRACE_SYSCALL"]
    assert steps[: len(first)] == first
    assert steps[-2:] == ["PTRACE_EVENT_EXIT", "waitpid"]
    around = [steps[index - 2 : index] for index, step in enumerate(steps) if step == "counted"]
    assert around == [["syscall-entry-stop", "syscall-exit-stop"]] * 2


def test_signals_and_the_programs_end_are_told(targets: Targets) -> None:
    done = explained("sh", "-c", "trap : USR1; kill -USR1 $$; kill -KILL $$")
    assert done.returncode == -signal.SIGKILL
    assert "signal-delivery-stop: SIGUSR1 is about to be delivered" in done.stderr
    assert "waitpid: it is gone, killed by SIGKILL" in done.stderr


def test_attach_and_detach_are_told(targets: Targets) -> None:
    with started([targets("send_recv_server"), "0"]) as server:
        port = port_of(server)
        with started([*PTMON, "-q", "--explain", "-p", str(server.pid)]) as tracer:
            assert tracer.stderr is not None
            lines = iter(tracer.stderr.readline, "")
            assert any("PTRACE_SYSCALL" in line for line in lines)
            talk(targets, port, 1)
            assert any("counted: 35 bytes sent" in line for line in lines)
            tracer.send_signal(signal.SIGINT)
            rest = tracer.communicate(timeout=DEADLINE)[1]
        assert tracer.returncode == 0
        assert STEP.findall(rest)[-1] == "PTRACE_DETACH"
        talk(targets, port, 1)


def test_the_native_engine_explains_nothing() -> None:
    done = explained("--engine", "native", "true")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--engine native" in done.stderr


def test_without_a_terminal_there_is_nothing_to_wait_on() -> None:
    words = [*PTMON, "--explain-step", "true"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, start_new_session=True)
    assert done.returncode == 125
    assert done.stderr.startswith("ptmon: --explain-step waits for Enter on the terminal, and there is none (ENXIO")


class Terminal:
    """ptmon on a terminal of its own."""

    def __init__(self, *words: str | Path) -> None:
        self.pid, self._fd = pty.fork()
        self.seen = ""
        if self.pid == 0:
            os.execv(sys.executable, [*PTMON, *map(str, words)])

    def until(self, said: str) -> None:
        """Reads until that is shown; what is behind it is kept."""
        end = time.monotonic() + DEADLINE
        while said not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self._fd], [], [], 0.1)[0]:
                self.seen += os.read(self._fd, 65536).decode().replace("\r", "")
        self.seen = self.seen.partition(said)[2]

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self) -> int:
        """The rest is read meanwhile, as a terminal does it."""
        until(self._read_to_end, "the end of the terminal's output")
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read_to_end(self) -> bool:
        try:
            while select.select([self._fd], [], [], 0)[0]:
                self.seen += os.read(self._fd, 65536).decode().replace("\r", "")
        except OSError:  # EIO: nobody has it open any more
            return True
        return False


def test_each_step_waits_for_enter(targets: Targets) -> None:
    terminal = Terminal("-q", "--explain-step", targets("processes"), "leaf")
    prompt = "[Enter: the next step; c and Enter: go on without waiting] "
    for step in range(1, 7):
        terminal.until(f"{step}. ")
        terminal.until(prompt)
        assert "7. " not in terminal.seen
        assert process_state(terminal.pid) in ("S", "R")
        terminal.type("\n")
    terminal.until(prompt)
    terminal.type("c\n")
    assert terminal.end() == 0
    assert prompt not in terminal.seen
    assert COUNTED.findall(terminal.seen) == [("17", "sent", "sendto"), ("17", "received", "recvfrom")]
    assert "it is gone, with exit status 0" in terminal.seen


def test_ctrl_c_at_a_prompt_ends_the_program_as_without_ptmon(targets: Targets) -> None:
    terminal = Terminal("-q", "--explain-step", targets("processes"), "leaf")
    for _ in range(7):
        terminal.until("without waiting] ")
        terminal.type("\n")
    terminal.until("without waiting] ")
    terminal.type("\x03")
    assert terminal.end() == -signal.SIGINT
    assert "killed by SIGINT" in terminal.seen
