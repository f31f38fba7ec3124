# SPDX-License-Identifier: GPL-2.0-or-later
"""curl from nginx. The truth is HTTP's: curl tells the exact size of each request, header and body."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attaching import attached, held_by
from tests.hazards import children_of
from tests.real import (
    Server,
    checked,
    connections,
    free_port,
    listening,
    over_tcp,
    program,
    serving,
    states,
    strace_sums,
    strace_words,
    tcp_rows,
)
from tests.support import DEADLINE, TEST_OPTIONS, run_ptmon, started, tracing, unprivileged, until

FILES = {"small": 997, "medium": 65537, "large": 9 << 20}
"""One that fits in a segment, one that is more than a page, one that fills every buffer on the way many times."""

ANSWER = "answered from memory"
CONFIG = """
daemon off;
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
        location = /answer {{ return 200 "{answer}"; }}
    }}
}}
"""

ESTABLISHED = "01"  # TCP_ESTABLISHED of include/net/tcp_states.h


@dataclass(frozen=True)
class Site:
    """A folder with files for nginx to serve, and how to start it."""

    folder: Path
    port: int

    @property
    def command(self) -> list[str]:
        return [program("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e", "error.log"]

    def curl(self, *names: str) -> list[str]:
        """Fetches the files over one connection; prints request, header and body size of each, in bytes."""
        urls = [word for name in names for word in ("-o", "/dev/null", f"http://127.0.0.1:{self.port}/{name}")]
        sizes_of_each = "%{size_request} %{size_header} %{size_download}\n"
        return [program("curl"), "-q", "-sS", "--noproxy", "*", "-w", sizes_of_each, *urls]


@dataclass(frozen=True)
class Sizes:
    """What curl told, summed over its transfers."""

    request: int
    header: int
    body: int

    @property
    def response(self) -> int:
        return self.header + self.body


def sizes(stdout: str) -> Sizes:
    rows = [[int(word) for word in line.split()] for line in stdout.splitlines()]
    return Sizes(*(sum(column) for column in zip(*rows, strict=True)))


def user_line() -> str:
    """As root, nginx's workers become a user without rights; otherwise all of nginx is one already."""
    if unprivileged():
        return ""
    nobody = pwd.getpwnam("nobody")
    return f"user nobody {grp.getgrgid(nobody.pw_gid).gr_name};"


@pytest.fixture
def site() -> Iterator[Site]:
    # Not in tmp_path, which only the user who runs the tests may enter: nginx's workers may be another.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "files").mkdir()
        for file, size in FILES.items():
            (folder / "files" / file).write_bytes(os.urandom(size))
        port = free_port()
        config = CONFIG.format(folder=folder, port=port, user=user_line(), answer=ANSWER)
        (folder / "nginx.conf").write_text(config)
        yield Site(folder, port)


@contextmanager
def nginx(site: Site, *options: str) -> Iterator[Server]:
    with serving(site.command, site.port, site.folder, options) as server:
        yield server


def run(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_nginx_sends_files_by_sendfile_and_headers_by_writev(site: Site, seccomp: str) -> None:
    with nginx(site, "--seccomp", seccomp) as server:
        files = sizes(run(site.curl(*FILES)))
        answers = sizes(run(site.curl("answer", "answer", "answer")))
        report = server.end(signal.SIGQUIT)
    assert (files.body, answers.body) == (sum(FILES.values()), 3 * len(ANSWER))
    assert over_tcp(report) == (files.response + answers.response, files.request + answers.request)
    assert report["by_syscall"]["sendfile"]["bytes"] == files.body
    assert report["by_syscall"]["writev"]["bytes"] == files.header + answers.response
    assert report["by_syscall"]["recvfrom"]["bytes"] == files.request + answers.request
    expected = {(files.response, files.request), (answers.response, answers.request)}
    assert {(row["sent"], row["received"]) for row in tcp_rows(report)} == expected


def test_master_and_workers_are_told_apart(site: Site) -> None:
    with nginx(site) as server:
        told = sizes(run(site.curl("medium")))
        report = server.end(signal.SIGQUIT)
    master, *workers = sorted(report["processes"], key=lambda process: int(process["pid"]))
    assert (master["pid"], len(workers)) == (server.pid, 2)
    assert {worker["ppid"] for worker in workers} == {server.pid}
    assert all(process["name"] == "nginx" for process in report["processes"])
    (row,) = tcp_rows(report)
    assert row["pids"] != [server.pid]
    assert (row["sent"], row["received"]) == (told.response, told.request)


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_curl_sends_its_requests_and_receives_headers_and_bodies(site: Site, tmp_path: Path, seccomp: str) -> None:
    with listening(site.command, site.port, tmp_path / "log") as server:
        traced = run_ptmon(site.curl(*FILES, "answer"), tmp_path / "curl.json", ["--seccomp", seccomp])
        assert traced.returncode == 0, traced.stderr
        by_itself = run(site.curl(*FILES, "answer"))
        server.send_signal(signal.SIGQUIT)
        assert server.wait(DEADLINE) == 0
    assert traced.stdout == by_itself
    told = sizes(traced.stdout)
    assert told.body == sum(FILES.values()) + len(ANSWER)
    report = checked(traced.report)
    assert over_tcp(report) == (told.request, told.response)
    (row,) = tcp_rows(report)
    assert row["peer"] == f"127.0.0.1:{site.port}"


def test_nginx_and_strace_of_curl_see_the_same_bytes(site: Site) -> None:
    lines = site.folder / "strace"
    with nginx(site) as server:
        told = sizes(run([*strace_words(lines), *site.curl(*FILES, "answer")]))
        report = server.end(signal.SIGQUIT)
    sent, received = strace_sums(lines)
    assert over_tcp(report) == (received, sent)
    assert (sent, received) == (told.request, told.response)


def test_an_attach_to_the_master_counts_what_its_workers_move(site: Site, tmp_path: Path) -> None:
    with listening(site.command, site.port, tmp_path / "log") as server:
        with attached(server.pid, tmp_path / "r.json") as ptmon:
            workers = children_of(server.pid)
            until(lambda: all(held_by(pid, ptmon.tracer.pid, "S") for pid in workers), "ptmon to hold the workers")
            told = [sizes(run(site.curl(*FILES, "answer"))) for _ in range(30)]
            until(lambda: connections(site.port) == 0, "the end of the connections")
            ptmon.detach()
        server.send_signal(signal.SIGQUIT)
        assert server.wait(DEADLINE) == 0
    report = checked(ptmon.report)
    assert over_tcp(report) == (sum(one.response for one in told), sum(one.request for one in told))
    assert sorted(process["pid"] for process in report["processes"]) == sorted([server.pid, *workers])
    assert (report["path"]["fast"] > 0) is ("off" not in TEST_OPTIONS)


def test_an_attach_to_the_master_under_load_counts_what_its_client_got(site: Site, tmp_path: Path) -> None:
    wrk = program("wrk")
    with listening(site.command, site.port, tmp_path / "log") as server:
        with attached(server.pid, tmp_path / "r.json") as ptmon:
            workers = children_of(server.pid)
            until(lambda: all(held_by(pid, ptmon.tracer.pid, "S") for pid in workers), "ptmon to hold the workers")
            out = run([wrk, "-c", "8", "-t", "1", "-d", "2s", f"http://127.0.0.1:{site.port}/answer"])
            until(lambda: ESTABLISHED not in states(site.port), "the end of the connections")
            ptmon.detach()
        server.send_signal(signal.SIGQUIT)
        assert server.wait(DEADLINE) == 0
    report = checked(ptmon.report)
    requests = int(re.search(r"(\d+) requests in", out)[1])  # type: ignore[index]
    answered = report["by_syscall"]["writev"]["calls"]
    # Its client leaves with its last requests on their way, one a connection at the most.
    assert requests <= answered <= requests + 8
    assert over_tcp(report)[0] > requests * len(ANSWER)


def test_a_wait_for_nginx_finds_the_daemon_in_five_of_five_starts(site: Site, tmp_path: Path) -> None:
    config = site.folder / "nginx.conf"
    config.write_text(config.read_text().replace("daemon off;", "daemon on;"))
    for start in range(5):
        file = tmp_path / f"{start}.json"
        with started(tracing("--format", "json", "-o", file, "--wait", site.command[0])) as tracer:
            assert tracer.stderr is not None
            while "waiting for" not in tracer.stderr.readline():
                pass
            run(site.command)
            master = int(until((site.folder / "pid").read_text, "the pid file"))
            try:
                until(lambda: held_by(master, tracer.pid, "S"), "the attach to the daemon")  # noqa: B023
                told = sizes(run(site.curl("medium")))
            finally:
                os.kill(master, signal.SIGQUIT)
            errors = tracer.communicate(timeout=DEADLINE)[1]
            assert tracer.returncode == 0, errors
        report = json.loads(file.read_text())
        assert over_tcp(report) == (told.response, told.request)
        until(lambda: not (site.folder / "pid").exists(), "the end")
