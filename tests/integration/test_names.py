# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers have the names by which the traced program knows them."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.naming import ADDRESS, NAME, PORT, in_namespaces, namespaces_work
from tests.support import DEADLINE, assert_sums_agree, run_ptmon, tracing

needs_namespaces = pytest.mark.skipif(not namespaces_work(), reason="no network and mount namespaces to be had")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, format: str, *args: Any) -> None:
        return None


@pytest.fixture
def http_port() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def sink() -> Iterator[int]:
    """Takes what comes, on each connection until the other side has sent all, and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while connection.recv(65536):
                        pass

        thread = threading.Thread(target=run)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def peers(report: dict[str, Any], port: int) -> list[Any]:
    return [row["peer_name"] for row in report["sockets"] if row["peer_port"] == port]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_names_its_peer(tmp_path: Path, http_port: int) -> None:
    outcome = run_ptmon(["curl", "-s", f"http://localhost:{http_port}/"], tmp_path / "report")
    assert (outcome.returncode, outcome.stdout, outcome.report["complete"]) == (0, "hi", True)
    assert peers(outcome.report, http_port) == ["localhost"]
    assert [row["names"] for row in outcome.report["by_peer"] if row["port"] == http_port] == [["localhost"]]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_summary_and_the_log_tell_the_name(http_port: int) -> None:
    words = [*tracing("--log"), "curl", "-s", f"http://localhost:{http_port}/"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert f"⇄ 127.0.0.1:{http_port} (localhost)" in done.stderr
    assert any("name" in line and "127.0.0.1 is localhost  (http)" in line for line in done.stderr.splitlines())


def test_with_names_off_there_are_none(tmp_path: Path, sink: int) -> None:
    outcome = run_ptmon(talker(sink, b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), tmp_path / "r", ["--names", "off"])
    assert peers(outcome.report, sink) == [None]
    assert outcome.report["by_peer"][0]["names"] == []


def talker(port: int, first: bytes, rounds: int = 1) -> list[str]:
    """A program that sends ``first``, and then a byte, ``rounds`` times by connections of their own."""
    code = f"""
import socket
for _ in range({rounds}):
    with socket.create_connection(("127.0.0.1", {port})) as connection:
        connection.sendall({first!r})
        connection.sendall(b"x")
"""
    return [sys.executable, "-c", code]


def test_tls_names_its_server_before_anything_is_encrypted(tmp_path: Path, sink: int) -> None:
    code = f"""
import socket, ssl
out = ssl.MemoryBIO()
try:
    ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="tls.example.test").do_handshake()
except ssl.SSLWantReadError:
    pass
with socket.create_connection(("127.0.0.1", {sink})) as connection:
    connection.sendall(out.read())
"""
    outcome = run_ptmon([sys.executable, "-c", code], tmp_path / "report")
    assert peers(outcome.report, sink) == ["tls.example.test"]


@pytest.mark.parametrize("way", ["sendall", "sendmsg", "writev"])
def test_first_bytes_in_parts_of_one_call_are_read(tmp_path: Path, sink: int, way: str) -> None:
    parts = [b"GET / HT", b"TP/1.1\r\nHo", b"st: parts.test\r\n\r\n"]
    calls = {
        "sendall": f"c.sendall({b''.join(parts)!r})",
        "sendmsg": f"c.sendmsg({parts!r})",
        "writev": f"os.writev(c.fileno(), {parts!r})",
    }
    code = f"import os, socket\nwith socket.create_connection(('127.0.0.1', {sink})) as c: {calls[way]}"
    outcome = run_ptmon([sys.executable, "-c", code], tmp_path / "report")
    assert peers(outcome.report, sink) == ["parts.test"]
    assert outcome.totals["sent"] == len(b"".join(parts))


def test_names_that_a_terminal_would_obey_do_no_harm(tmp_path: Path, sink: int) -> None:
    hostile = b"GET / HTTP/1.1\r\nHost: \x1b]0;owned\x07\x1b[31m\r\n\r\n"
    words = [*tracing("--log", "--color", "never", "--format", "summary"), *talker(sink, hostile)]
    done = subprocess.run(words, capture_output=True, timeout=DEADLINE, check=True)
    assert b"\x1b" not in done.stderr
    assert b"\x07" not in done.stderr
    assert run_ptmon(talker(sink, hostile), tmp_path / "report").report["complete"]


def test_many_connections_are_counted_inside_and_have_their_names(tmp_path: Path, sink: int) -> None:
    """The first bytes of 64 connections with one peer are looked at; what moves behind them is counted inside."""
    first = b"GET / HTTP/1.1\r\nHost: many.test\r\n\r\n"
    options = ["--fast", "auto", "--fast-after", "1"]
    outcome = run_ptmon(talker(sink, first, rounds=100), tmp_path / "report", options)
    assert outcome.report["complete"]
    assert outcome.totals["sent"] == 100 * (len(first) + 1)
    assert set(peers(outcome.report, sink)) == {"many.test"}, "the others have the name that was told of their address"


def run_there(kind: str, folder: Path, *options: str, what: str = "client", rounds: int = 1) -> dict[str, Any]:
    """The client under ptmon, in namespaces; the report."""
    report = folder / "report"
    client = [sys.executable, "-m", "tests.naming", what, str(rounds)]
    words = in_namespaces(kind, folder, *tracing(*options, "--format", "json", "-o", report, "--", *client))
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (0, f"{5 * rounds if what == 'client' else 5}\n"), done.stderr
    document: dict[str, Any] = json.loads(report.read_text())
    assert_sums_agree(document)
    assert document["complete"], document["warnings"]
    return document


@needs_namespaces
@pytest.mark.parametrize("fast", ["--fast-after=50", "--fast-after=1", "--fast=off"])
@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_name_of_dns_is_in_the_report(tmp_path: Path, kind: str, fast: str) -> None:
    """By a server of the test's own, which sends a forged answer before each: that names nobody, and does no harm."""
    report = run_there(kind, tmp_path, fast)
    assert peers(report, PORT) == [NAME]
    named = [row["names"] for row in report["by_peer"] if (row["peer_address"], row["port"]) == (ADDRESS, PORT)]
    assert named == [[NAME]]
    assert "forged" not in json.dumps(report)


@needs_namespaces
def test_a_name_of_nscd_is_in_the_report(tmp_path: Path) -> None:
    report = run_there("nscd", tmp_path)
    assert peers(report, PORT) == [NAME]
    assert not [row for row in report["sockets"] if row["peer_port"] == 53], "it was nscd that answered"


@needs_namespaces
def test_who_asks_all_the_time_is_soon_counted_inside(tmp_path: Path) -> None:
    report = run_there("udp", tmp_path, "--fast-after=1", what="flood", rounds=3000)
    (asked,) = (row for row in report["by_peer"] if row["port"] == 53 and row["sockets"] and row["calls_sent"] > 2000)
    assert asked["calls_sent"] >= 3000 and asked["calls_received"] >= 6000
    assert report["path"]["stop"] < 2000 < report["path"]["fast"]
