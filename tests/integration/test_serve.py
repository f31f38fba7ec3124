# SPDX-License-Identifier: GPL-2.0-or-later
"""--serve with real programs under it and real clients: telnet, nc, asyncio."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.hazards import lasting_state
from tests.serving import FAREWELL, Caller, objects, said_port, taken_port
from tests.support import DEADLINE, PTMON, Targets, run_plain, started, tracing, until


class Run:
    """ptmon that serves, and the port."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin and process.stdout and process.stderr
        self.process = process
        self.stdin, self.stdout, self.stderr = process.stdin, process.stdout, process.stderr
        self.port = said_port(process.stderr)

    def say(self, line: str = "") -> None:
        """To the program."""
        self.stdin.write(f"{line}\n")
        self.stdin.flush()

    def end(self) -> str:
        """Closes the program's input and waits for the end. What ptmon has said on stderr meanwhile."""
        said = self.process.communicate(timeout=DEADLINE)[1]
        assert self.process.returncode == 0, said
        return said


Serving = Callable[..., Run]


@pytest.fixture
def serving() -> Iterator[Serving]:
    """``serving("--option", "--", program, ...)``: with stdin, stdout and stderr as pipes."""
    with ExitStack() as stack:

        def run(*words: str | Path) -> Run:
            return Run(stack.enter_context(started(tracing("--serve", "0", *words), stdin=subprocess.PIPE)))

        yield run


def program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@contextmanager
def client(*words: str) -> Iterator[subprocess.Popen[str]]:
    """telnet or nc, whose stdin stays open."""
    with started(words, stdin=subprocess.PIPE) as process:
        yield process


@pytest.mark.parametrize("name", ["telnet", "nc"])
def test_what_is_typed_in_one_terminal_shows_in_the_other(serving: Serving, name: str) -> None:
    path = program(name)
    run = serving("--", "sh")
    with client(path, "127.0.0.1", str(run.port)) as reader:
        assert reader.stdin and reader.stdout
        lines: list[str] = []

        def see(word: str) -> None:
            while not lines or word not in lines[-1]:
                lines.append(reader.stdout.readline() if reader.stdout else "")
                assert lines[-1], lines

        see(" start ")
        run.say("ls /; echo done >&2")
        see("ls[")
        see(" exec ")
        see(" exit ")
        assert any(" clone " in line for line in lines)
        reader.stdin.write("hello\ndone\n")
        reader.stdin.flush()
        see(FAREWELL)
        if name == "telnet":  # nc stays while its own input is open
            assert "closed" in reader.communicate(timeout=DEADLINE)[1]
    said = run.end()
    assert re.search(r"^ptmon: client-> 127\.0\.0\.1:\d+, says: hello$", said, re.M)


def test_ctrl_c_in_telnet_sends_commands_that_are_no_line(serving: Serving) -> None:
    """The bytes that inetutils' telnet sends: IAC IP, IAC DO TIMING-MARK, the data mark as urgent data."""
    run = serving("--", "cat")
    with Caller(run.port) as caller:
        caller.line()
        caller.say(b"\xff\xf4\xff\xfd\x06done\r\n")
        assert caller.rest() == [FAREWELL]
    assert "says" not in run.end()


async def read_all(port: int, form: str, ready: asyncio.Semaphore) -> list[str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"format {form}\n".encode())
    lines = [(await reader.readline()).decode()]
    ready.release()
    while line := await reader.readline():
        lines.append(line.decode())
    writer.close()
    return lines


def test_sixteen_clients_at_once_each_get_all_events(serving: Serving, targets: Targets, tmp_path: Path) -> None:
    rounds, log = 3, tmp_path / "log"
    run = serving("-q", f"--log={log}", "--log-format", "jsonl", "--", targets("rounds"), "500")

    async def drive() -> list[list[str]]:
        ready = asyncio.Semaphore(0)
        tasks = [
            asyncio.create_task(read_all(run.port, "jsonl" if number % 2 else "text", ready)) for number in range(16)
        ]
        for _ in tasks:
            await ready.acquire()
        late, _ = await asyncio.open_connection("127.0.0.1", run.port)
        assert await late.read() == b"ptmon: 16 clients are connected already, no more are served\n"
        for _ in range(rounds):
            run.say()
        run.say("end")
        return await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE)

    streams = asyncio.run(drive())
    run.process.wait(DEADLINE)
    logged = [document for document in objects(log.read_text().splitlines()) if document.get("event") in MOVES]
    assert len(logged) == 2 * 500 * rounds
    for number, lines in enumerate(streams):
        if number % 2:
            assert [document for document in objects(lines) if document.get("event") in MOVES] == logged
        else:
            moves = [line for line in lines if re.search(r"\[\d+\] +(send|receive) ", line)]
            assert len(moves) == len(logged)


MOVES = ("send", "receive")


def test_the_first_client_starts_the_program_and_misses_nothing(serving: Serving, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    run = serving("--wait-client", "-o", tmp_path / "report.json", "--", "sh", "-c", f"echo >{mark}; exec true")
    assert not mark.exists()
    with Caller(run.port) as caller:
        caller.say("format jsonl\n")
        lines = objects(caller.rest())
    assert mark.exists()
    run.end()
    assert lines[0]["schema"] == "ptmon.event/1"
    assert [line["name"] for line in lines if line.get("event") == "exec"] == ["sh", "true"]
    assert lines[-1]["event"] == "exit"
    assert json.loads((tmp_path / "report.json").read_text())["processes"][0]["pid"] == lines[0]["pid"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_ptmon_that_waits_for_a_client_can_be_ended(serving: Serving, tmp_path: Path, number: int) -> None:
    mark = tmp_path / "mark"
    run = serving("--wait-client", "--", "touch", mark)
    until(lambda: lasting_state(run.process.pid, "S"), "ptmon to wait")
    run.process.send_signal(number)
    assert run.process.communicate(timeout=DEADLINE) == ("", "")
    assert run.process.returncode == -number
    assert not mark.exists()


def test_a_client_that_is_killed_in_the_middle_of_a_line_harms_nothing(serving: Serving, targets: Targets) -> None:
    run = serving("--max-clients", "2", "--", targets("rounds"), "2000")
    with Caller(run.port) as stays:
        stays.say("format jsonl\n")
        stays.line()
        words = ["import socket, sys, time", f"s = socket.create_connection(('127.0.0.1', {run.port}))"]
        words += ["s.sendall(b'half a li')", "print(s.recv(10), flush=True)", "time.sleep(600)"]
        with started([PTMON[0], "-c", "\n".join(words)]) as victim:
            assert victim.stdout and victim.stdout.readline()
            run.say()
            victim.kill()
        run.say()
        run.say("end")
        moved = [line for line in objects(stays.rest()) if line["event"] in MOVES]
        assert len(moved) == 8000
    run.process.wait(DEADLINE)
    assert run.process.returncode == 0
    assert json.loads(run.stdout.read().splitlines()[-1]) == {"sent": 4000, "received": 4000}


def test_junk_and_a_line_of_a_mebibyte_harm_nothing(serving: Serving) -> None:
    run = serving("-q", "--", "cat")
    for junk in (os.urandom(1 << 16), b"y" * (1 << 20)):
        with Caller(run.port) as caller:
            caller.say(junk + b"\ndone\n")
            assert caller.rest()[-1] == FAREWELL
    said = run.end()
    assert f"says: {'y' * 1024} …" in said
    assert all(line.isprintable() for line in said.splitlines())


def test_a_snapshot_has_the_totals_of_now(serving: Serving, targets: Targets) -> None:
    run = serving("-q", "--", targets("rounds"), "350")
    with Caller(run.port) as caller:
        caller.say("format jsonl\n")
        run.say()
        run.stdout.readline()
        received = 0
        while received < 350:
            received += objects([caller.line()])[0].get("event") == "receive"
        time.sleep(0.1)
        caller.say("snapshot\n")
        (line,) = objects(caller.until("snapshot")[-1:])
        assert (line["sent"], line["received"], line["processes"]) == (350, 350, 1)
    run.end()


def test_the_program_s_descriptors_and_signals_are_as_without_a_server(serving: Serving) -> None:
    script = "ls -l /proc/self/fd | wc -l; grep -E 'Sig(Pnd|Blk|Ign|Cgt)|Threads' /proc/self/status"
    plain = run_plain("sh", "-c", script, stdin=subprocess.DEVNULL)
    run = serving("-q", "--", "sh", "-c", script)
    with Caller(run.port):
        assert run.process.communicate(timeout=DEADLINE)[0] == plain.stdout


def one_line(*words: str | Path) -> str:
    done = subprocess.run([*PTMON, *words], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_port_that_is_taken_is_known_before_the_program_starts(tmp_path: Path) -> None:
    with taken_port() as port:
        line = one_line("--serve", str(port), "--", "touch", tmp_path / "mark")
    assert re.match(rf"ptmon: cannot serve on 127\.0\.0\.1:{port}: EADDRINUSE: .*; another program listens there", line)
    assert not (tmp_path / "mark").exists()


def test_an_address_that_is_not_loopback_is_refused_without_a_token(tmp_path: Path) -> None:
    line = one_line("--serve", "0.0.0.0:0", "--", "touch", tmp_path / "mark")
    assert "0.0.0.0 is not a loopback address" in line
    assert "--serve-token-file" in line
    assert not (tmp_path / "mark").exists()


def test_a_program_that_is_not_found_leaves_no_server(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PTMON, "--serve", "0", "--", "/nonexistent"], capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.returncode == 127
    assert len(done.stderr.splitlines()) == 2


def test_ctrl_c_ends_an_attach_and_the_clients_get_the_end(targets: Targets) -> None:
    with started([targets("rounds"), "100"], stdin=subprocess.PIPE) as target, ExitStack() as stack:
        words = [*PTMON, "--serve", "0", "--attach", str(target.pid)]
        run = Run(stack.enter_context(started(words, stdin=subprocess.PIPE)))
        caller = stack.enter_context(Caller(run.port))
        assert "(attach on " in caller.line()
        assert target.stdin and target.stdout
        target.stdin.write("\n")
        target.stdin.flush()
        target.stdout.readline()
        caller.until(" receive ")
        run.process.send_signal(signal.SIGINT)
        assert " end " in caller.rest()[-1]
        assert "100 B" in run.end()
        assert target.poll() is None


def test_a_signal_for_the_program_is_passed_on(serving: Serving) -> None:
    run = serving("-q", "--", "sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; read line")
    assert run.stdout.readline() == "ready\n"
    with Caller(run.port) as caller:
        caller.line()
        run.process.send_signal(signal.SIGTERM)
        assert " exit " in caller.until("status 3")[-1]  # the command, which the exec tells, has an "exit", too
    assert run.process.communicate(timeout=DEADLINE)[0] == "caught\n"
    assert run.process.returncode == 3


def test_a_stderr_that_nobody_reads_stops_neither_the_program_nor_the_server(serving: Serving) -> None:
    run = serving("-q", "--", "cat")
    fcntl.fcntl(run.stderr.fileno(), fcntl.F_SETPIPE_SZ, 4096)
    with Caller(run.port) as talker, Caller(run.port) as other:
        talker.say(("z" * 1000 + "\n") * 9)
        talker.say("done\n")
        assert talker.rest()[-1] == FAREWELL
        run.say("hello")
        assert run.stdout.readline() == "hello\n"
        other.say("done\n")
        assert other.rest()[-1] == FAREWELL
    assert 0 < run.end().count("says: zzz") <= 4  # what the pipe holds
