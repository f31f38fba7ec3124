# SPDX-License-Identifier: GPL-2.0-or-later
"""nginx and redis under a tool, over loopback; their clients, wrk and redis-benchmark, are not traced."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import COMMANDS, command
from benchmarks.jobs import Built, Done, Job, Start, program, which
from benchmarks.processes import (
    LIMIT,
    Process,
    RunError,
    check_runs,
    connections,
    free_port,
    gone_after,
    listens,
    run,
    started,
    until,
    wait_for_end,
)
from benchmarks.starting import Starts, shell_loop
from benchmarks.tells import Truth
from benchmarks.workloads import SCALE, Workload

CLIENTS = 16
SECONDS = 1
"""How long wrk goes on: it knows no count."""
LONG = 600.0
"""Seconds that a run at scale may take."""
FILE_SIZE = 997
NEEDS = {
    "nginx": ("nginx", "wrk"),
    "nginx_connect": ("nginx", "wrk"),
    "redis": ("redis-server", "redis-benchmark"),
    "find": ("find",),
    "tar": ("tar",),
    "git_grep": ("git",),
    "compile": ("make",),
}
CLOSE = ("-H", "Connection: close")
NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
    }}
}}
"""
INFO = b"*2\r\n$4\r\nINFO\r\n$5\r\nstats\r\n"
RATE = re.compile(r'^"SET","([0-9.]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens."""

    process: Process
    pid: int
    port: int
    out: Path
    load: Callable[[int], Done]
    """What the client does to the port, and what it tells."""
    ended_by: int

    def work(self) -> Done:
        done = self.load(self.port)
        # The end of a connection reaches the server when it will, and an open socket can't be audited.
        until(lambda: not connections(self.port), "the server to close its side of each connection")
        return done

    def end(self) -> None:
        os.kill(self.pid, self.ended_by)
        wait_for_end(self.process, self.out)


@contextmanager
def serving(words: Sequence[str], port: int, start: Start, load: Callable[[int], Done], by: int) -> Iterator[Server]:
    out, pidfile = start.folder / "out", start.folder / "pid"
    with started(start.around(words), out, start.environment or {}) as process:

        def ready() -> int:
            check_runs(process, out)
            text = pidfile.read_text() if pidfile.exists() and listens(port) else ""
            return int(text) if text.endswith("\n") else 0

        pid = until(ready, "the server to listen")
        with gone_after(pid):
            yield Server(process, pid, port, out, load, by)


def ask_wrk(*more: str) -> Callable[[int], Done]:
    def load(port: int) -> Done:
        script = Path(__file__).with_name("requests.lua")
        options = ["-t", "1", "-c", str(CLIENTS), "-d", f"{SECONDS}s", "-s", str(script), *more]
        return wrk_done(run(["wrk", *options, f"http://127.0.0.1:{port}/file"]))

    return load


def wrk_done(text: str) -> Done:
    """wrk leaves when its time is over: a request of each client may be on its way then, and its answer."""
    told = json.loads(text.splitlines()[-1])
    requests, received = told["requests"], told["bytes"]
    if not requests:
        raise RunError("wrk got no answer")
    answers = CLIENTS * -(-received // requests)
    asked = requests * told["request"]
    truth = Truth(range(received, received + answers + 1), range(asked, asked + CLIENTS * told["request"] + 1))
    return Done(told["microseconds"] * 1000 / requests, truth)


def ask_redis(count: int) -> Callable[[int], Done]:
    def load(port: int) -> Done:
        words = ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-t", "set", "-c", str(CLIENTS)]
        rate = RATE.search(run([*words, "-n", str(count), "--csv"]))
        if rate is None:
            raise RunError("redis-benchmark tells no rate")
        return Done(1e9 / float(rate[1]), redis_truth(port))

    return load


def redis_truth(port: int) -> Truth:
    """The server's own count, the answer that carries it included."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection, connection.makefile("rb") as answer:
        connection.sendall(INFO)
        head = answer.readline()
        body = answer.read(int(head[1:]) + 2)
    told = dict(line.split(b":", 1) for line in body.splitlines() if b":" in line)
    # The command has been counted when the answer is made; the answer itself has not.
    sent = int(told[b"total_net_output_bytes"]) + len(head) + len(body)
    return Truth.exactly(sent, int(told[b"total_net_input_bytes"]))


@contextmanager
def nginx(start: Start, load: Callable[[int], Done]) -> Iterator[Job]:
    folder, port = start.folder, free_port()
    (folder / "files").mkdir()
    (folder / "files" / "file").write_bytes(os.urandom(FILE_SIZE))
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    words = [which("nginx") or "nginx", "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    with serving(words, port, start, load, signal.SIGQUIT) as server:
        yield server


@contextmanager
def redis(start: Start, count: int) -> Iterator[Job]:
    folder, port = start.folder, free_port()
    words = [which("redis-server") or "redis-server", "--port", str(port), "--bind", "127.0.0.1"]
    words += ["--dir", str(folder), "--pidfile", str(folder / "pid"), "--save", "", "--appendonly", "no"]
    # It wakes once a second rather than ten times, so that a look finds it asleep.
    with serving([*words, "--hz", "1"], port, start, ask_redis(count), signal.SIGTERM) as server:
        yield server


@contextmanager
def job(built: Built, workload: Workload, count: int, start: Start) -> Iterator[Job]:
    """Any workload, ready."""
    if workload.name in ("nginx", "nginx_connect"):
        with nginx(start, ask_wrk(*(CLOSE if workload.name == "nginx_connect" else ()))) as server:
            yield server
    elif workload.name == "redis":
        with redis(start, count) as server:
            yield server
    elif workload.name == "start_up":
        yield Starts(start, count)
    elif workload.name == "shell_loop":
        yield shell_loop(start, count)
    elif workload.name in COMMANDS:
        with command(built, workload.name, count, start) as one:
            yield one
    else:
        limit = LONG if workload.group == SCALE else LIMIT
        with program(built, workload.work or workload.name, count, start, limit=limit) as one:
            yield one


def why_missing(workload: Workload) -> str:
    """What a workload needs and is not here, in words."""
    absent = [name for name in NEEDS.get(workload.name, ()) if which(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""
