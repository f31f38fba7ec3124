# SPDX-License-Identifier: GPL-2.0-or-later
"""redis-server and its clients. The truth is redis' own counters of its network, and the sizes of RESP's texts."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.attaching import attached
from tests.real import Server, checked, connections, free_port, listening, over_tcp, program, serving, tcp_rows
from tests.support import DEADLINE, run_ptmon, until

INFO = b"*2\r\n$4\r\nINFO\r\n$5\r\nstats\r\n"
VALUE = "v" * 100_003
CLIENTS = 7


def redis(folder: Path, port: int) -> list[str]:
    words = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    # It wakes once a second rather than ten times, so that a look finds it asleep.
    return [*words, "--save", "", "--appendonly", "no", "--daemonize", "no", "--hz", "1"]


def command(*words: str) -> int:
    """The size of a command as RESP writes it: an array of bulk strings."""
    return len(f"*{len(words)}\r\n") + sum(bulk(word) for word in words)


def bulk(text: str) -> int:
    return len(f"${len(text)}\r\n{text}\r\n")


def benchmark(port: int) -> None:
    """Many small commands, some of them pipelined, by several clients."""
    words = [program("redis-benchmark"), "-h", "127.0.0.1", "-p", str(port), "-t", "set,get,lpush,lrange_100"]
    done = subprocess.run(
        [*words, "-n", "700", "-c", str(CLIENTS), "-P", "5", "-d", "113", "-q"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr


def ask_info(port: int) -> tuple[int, int]:
    """(sent, received) in redis' own words, the answer that carries them included."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(INFO)
        answer = connection.makefile("rb")
        head = answer.readline()
        body = answer.read(int(head[1:]) + 2)
    told = dict(line.split(b":") for line in body.splitlines() if b":" in line)
    # The command has been counted when the answer is made; the answer itself has not.
    sent = int(told[b"total_net_output_bytes"]) + len(head) + len(body)
    return sent, int(told[b"total_net_input_bytes"])


@contextmanager
def redis_serving(folder: Path, port: int, *options: str) -> Iterator[Server]:
    with serving(redis(folder, port), port, folder, options) as server:
        yield server


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_redis_counts_the_same_bytes_itself(tmp_path: Path, seccomp: str) -> None:
    port = free_port()
    with redis_serving(tmp_path, port, "--seccomp", seccomp) as server:
        benchmark(port)
        told = ask_info(port)
        report = server.end(signal.SIGTERM)
    assert over_tcp(report) == told
    assert told[0] > 100_000
    assert report["by_family"].keys() == {"inet"}
    assert len(tcp_rows(report)) >= CLIENTS + 1
    assert {row["local"] for row in tcp_rows(report)} == {f"127.0.0.1:{port}"}


def test_redis_counts_the_same_bytes_itself_while_ptmon_is_attached(tmp_path: Path) -> None:
    port = free_port()
    with listening(redis(tmp_path, port), port, tmp_path / "log") as server:
        with attached(server.pid, tmp_path / "report.json") as ptmon:
            benchmark(port)
            told = ask_info(port)
            # An open socket can't be audited, and the end of a connection reaches the server when it will.
            until(lambda: connections(port) == 0, "the server to close its side of each connection")
            ptmon.detach()
        assert over_tcp(checked(ptmon.report)) == told
        benchmark(port)  # it serves on
        server.send_signal(signal.SIGTERM)
        assert server.wait(DEADLINE) == 0


def test_redis_cli_sends_and_receives_what_its_protocol_says(tmp_path: Path) -> None:
    port = free_port()
    with listening(redis(tmp_path, port), port, tmp_path / "log") as server:
        client = [program("redis-cli"), "-h", "127.0.0.1", "-p", str(port)]
        stored = run_ptmon([*client, "-x", "SET", "key"], tmp_path / "set.json", input=VALUE)
        fetched = run_ptmon([*client, "GET", "key"], tmp_path / "get.json")
        server.send_signal(signal.SIGTERM)
        assert server.wait(DEADLINE) == 0
    assert (stored.returncode, stored.stdout) == (0, "OK\n")
    assert (fetched.returncode, fetched.stdout) == (0, f"{VALUE}\n")
    assert over_tcp(checked(stored.report)) == (command("SET", "key", VALUE), len("+OK\r\n"))
    assert over_tcp(checked(fetched.report)) == (command("GET", "key"), bulk(VALUE))
