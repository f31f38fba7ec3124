# SPDX-License-Identifier: GPL-2.0-or-later
"""A server and its clients, who exchange 35 bytes each way: launched, attached to, and both sides at once."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import held_by
from tests.counting import assert_audits_match, assert_schema_true, moved, only_child
from tests.support import (
    DEADLINE,
    Targets,
    assert_sums_agree,
    started,
    status_field,
    tracing,
    until,
)

PAIRS = ["send_recv", "sendto_recvfrom"]
TEXT = 35
PROMPT = 5.0
"""Seconds: a detach from one sleeping process takes some milliseconds."""
BOTH_SIDES = """
mkfifo told
./server.out 0 >told &
exec 3<told
read word port <&3
for i in 1 2 3; do ./client.out "$port"; done
kill -INT $!
wait $!
echo "exit status $?"
cat <&3
"""


class Pair:
    """./server.out and ./client.out in a folder of their own."""

    def __init__(self, targets: Targets, folder: Path, name: str) -> None:
        self.folder = folder
        self.file = folder / "report.json"
        for side in ("server", "client"):
            (folder / f"{side}.out").symlink_to(targets(f"{name}_{side}"))

    def ptmon(self, *words: str) -> list[str]:
        return tracing("--format", "json", "-o", self.file, *words)

    def run_clients(self, number: int, port: str, *words: str) -> None:
        """One after another, without ptmon; each says that it sent and received its text."""
        for _ in range(number):
            done = subprocess.run(
                ["./client.out", port, *words], cwd=self.folder, capture_output=True, text=True, timeout=DEADLINE
            )
            assert (done.returncode, done.stdout) == (0, '{"sent": 35, "received": 35}\n'), done.stderr

    def report(self) -> dict[str, Any]:
        report = json.loads(self.file.read_text())
        assert isinstance(report, dict)
        assert_schema_true(report)
        assert_sums_agree(report)
        return report


@pytest.fixture(params=PAIRS)
def pair(targets: Targets, tmp_path: Path, request: pytest.FixtureRequest) -> Pair:
    return Pair(targets, tmp_path, str(request.param))


def port_of(server: subprocess.Popen[str]) -> str:
    """Waits until the server listens."""
    assert server.stdout is not None
    word, port = server.stdout.readline().split()
    assert word == "listening"
    return port


def farewell(process: subprocess.Popen[str], deadline: float = DEADLINE) -> str:
    """The rest of the standard output, once the process has exited with 0."""
    stdout, stderr = process.communicate(timeout=deadline)
    assert process.returncode == 0, stderr
    return stdout


def sockets_of(pid: int) -> int:
    """How many fds of a process are sockets: proc(5)."""
    return sum(str(fd.readlink()).startswith("socket:") for fd in Path(f"/proc/{pid}/fd").iterdir())


@contextmanager
def attached(pair: Pair, server: subprocess.Popen[str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """ptmon attached to the server, which is in its system call again."""
    with started(pair.ptmon(*words, "--attach", str(server.pid)), cwd=pair.folder) as ptmon:
        # Seized first, stopped once after that, and then asleep: it is asleep before its stop, too, but not for long.
        until(lambda: ptmon.poll() is not None or held_by(server.pid, ptmon.pid, "S"), "attach")
        assert ptmon.poll() is None, ptmon.communicate()[1]
        yield ptmon


def assert_exchanges(report: dict[str, Any], number: int) -> None:
    """So many clients had 35 bytes each way with the one process of the report."""
    total = number * TEXT
    assert report["complete"], report["warnings"]
    assert (report["totals"]["sent"], report["totals"]["received"]) == (total, total)
    assert (report["totals"]["calls_sent"], report["totals"]["calls_received"]) == (number, number)
    assert report["by_syscall"] == {
        "sendto": {"calls": number, "errors": 0, "bytes": total},
        "recvfrom": {"calls": number, "errors": 0, "bytes": total},
    }
    assert report["by_family"] == {"inet": {"sent": total, "received": total}}
    assert report["by_scope"] == {"loopback": {"sent": total, "received": total}}
    (process,) = report["processes"]
    assert (process["name"], process["argv"][0]) == ("server.out", "./server.out")
    assert (process["sent"], process["received"]) == (total, total)
    assert moved(report["sockets"]) == [(TEXT, TEXT)] * number
    assert len({row["peer"] for row in report["sockets"]}) == number


@pytest.mark.parametrize("seccomp", ["on", "off"])
@pytest.mark.parametrize("who", ["server", "ptmon"])
def test_five_clients_make_175_bytes_each_way(pair: Pair, who: str, seccomp: str) -> None:
    with started(pair.ptmon("--seccomp", seccomp, "--", "./server.out", "0"), cwd=pair.folder) as ptmon:
        pair.run_clients(5, port_of(ptmon))
        server = only_child(ptmon.pid)
        signal_to = {"server": server, "ptmon": ptmon.pid}[who]
        subprocess.run(["kill", "-INT", str(signal_to)], check=True)
        assert farewell(ptmon) == "Server exited.\n"
    report = pair.report()
    assert (report["mode"], report["exit"]) == ("launch", {"code": 0, "signal": None})
    assert report["command"] == ["./server.out", "0"]
    assert report["processes"][0]["pid"] == server
    assert_exchanges(report, 5)
    assert_audits_match(report)


def test_five_clients_of_an_attached_server_make_175_bytes_each_way(pair: Pair) -> None:
    with started(["./server.out"], cwd=pair.folder) as server:
        port = port_of(server)
        with attached(pair, server) as ptmon:
            pair.run_clients(5, port)
            server.send_signal(signal.SIGINT)
            assert farewell(server) == "Server exited.\n"
            assert farewell(ptmon) == ""
    report = pair.report()
    assert (report["mode"], report["exit"]) == ("attach", {"code": 0, "signal": None})
    assert_exchanges(report, 5)
    assert_audits_match(report)


def test_an_attached_server_serves_on_after_ptmon_has_gone(pair: Pair) -> None:
    with started(["./server.out"], cwd=pair.folder) as server:
        port = port_of(server)
        pair.run_clients(1, port)
        with attached(pair, server) as ptmon:
            pair.run_clients(3, port)
            ptmon.send_signal(signal.SIGINT)
            assert farewell(ptmon, deadline=PROMPT) == ""
        assert_exchanges(pair.report(), 3)
        assert status_field(server.pid, "TracerPid") == "0"
        pair.run_clients(1, port)
        server.send_signal(signal.SIGINT)
        assert farewell(server) == "Server exited.\n"


def test_a_connection_from_before_an_attach_is_counted_but_not_audited(pair: Pair) -> None:
    with started(["./server.out"], cwd=pair.folder) as server:
        port = port_of(server)
        with socket.create_connection(("127.0.0.1", int(port))) as client:
            until(lambda: sockets_of(server.pid) == 2, "accept")
            with attached(pair, server) as ptmon:
                client.sendall(b"x" * TEXT)
                assert len(client.recv(TEXT, socket.MSG_WAITALL)) == TEXT
                server.send_signal(signal.SIGINT)
                assert farewell(server) == "Server exited.\n"
                assert farewell(ptmon) == ""
    report = pair.report()
    assert_exchanges(report, 1)
    assert [row["audit"] for row in report["sockets"] if row["sent"]] == ["unavailable"]


def test_three_clients_and_their_server_make_105_bytes_each_way_on_both_sides(pair: Pair) -> None:
    done = subprocess.run(
        pair.ptmon("--", "sh", "-c", BOTH_SIDES), cwd=pair.folder, capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"sent": 35, "received": 35}\n' * 3 + "exit status 0\nServer exited.\n"
    report = pair.report()
    by_name: dict[str, list[tuple[int, int]]] = {}
    for process in report["processes"]:
        by_name.setdefault(process["name"], []).append((process["sent"], process["received"]))
    assert by_name["server.out"] == [(105, 105)]
    assert by_name["client.out"] == [(TEXT, TEXT)] * 3
    assert report["by_scope"] == {"loopback": {"sent": 210, "received": 210}}
    assert moved(report["sockets"]) == [(TEXT, TEXT)] * 6
    assert_audits_match(report)


@pytest.mark.parametrize("number", [3, 5])
def test_clients_by_datagrams_have_a_row_each(targets: Targets, tmp_path: Path, number: int) -> None:
    pair = Pair(targets, tmp_path, "sendto_recvfrom")
    with started(pair.ptmon("--", "./server.out", "0", "udp"), cwd=pair.folder) as ptmon:
        pair.run_clients(number, port_of(ptmon), "udp")
        ptmon.send_signal(signal.SIGINT)
        assert farewell(ptmon) == "Server exited.\n"
    report = pair.report()
    assert_exchanges_of_datagrams(report, number)


def assert_exchanges_of_datagrams(report: dict[str, Any], number: int) -> None:
    assert (report["totals"]["sent"], report["totals"]["received"]) == (number * TEXT, number * TEXT)
    assert moved(report["sockets"]) == [(TEXT, TEXT)] * number
    assert len({row["inode"] for row in report["sockets"]}) == 1
    assert {(row["family"], row["protocol"], row["scope"]) for row in report["sockets"]} == {
        ("inet", "udp", "loopback")
    }
    # Ctrl-C interrupted a recvfrom that came to nothing: it is no row.
    assert len({row["peer"] for row in report["sockets"]}) == len(report["sockets"]) == number
