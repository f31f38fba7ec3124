# SPDX-License-Identifier: GPL-2.0-or-later
"""--capture: packets in which there is what the program has moved, to the byte."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.counting import I386, RECEIVING, SENDING, SKIPPED, compiled
from tests.packets import complaints, followed, moved, needs_tshark, read, streams, tshark
from tests.support import DEADLINE, PTMON, Targets, run_plain, started, until

FIN, SYN = 1, 2
PATTERN = bytes(at % 251 for at in range(1009))
"""What counting.c sends: 211 bytes of it, and all."""
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


class Captured:
    """A run with --capture."""

    def __init__(self, folder: Path, command: Sequence[str | Path], options: Sequence[str | Path] = ()) -> None:
        self.file = folder / "run.pcapng"
        report = folder / "report.json"
        words = [*PTMON, "--capture", self.file, "-o", report, *options, "--", *command]
        self.done = subprocess.run([*map(str, words)], capture_output=True, timeout=DEADLINE)
        self.report: dict[str, Any] = json.loads(report.read_text()) if report.exists() else {}
        self.packets = read(self.file) if self.file.exists() else []

    def assert_totals(self) -> None:
        assert moved(self.packets) == (self.report["totals"]["sent"], self.report["totals"]["received"])


Capture = Callable[..., Captured]


@pytest.fixture
def capture(targets: Targets, tmp_path: Path) -> Capture:
    """``capture(words, …)`` runs a command, the first word of which may be a target's name."""

    def run(*words: str, options: Sequence[str | Path] = (), flags: Sequence[str] = ()) -> Captured:
        name, *rest = words
        program = Path(name) if os.path.isabs(name) else compiled(targets, name, flags)
        command = [str(program), *rest]
        plain = run_plain(*command) if command[0] != sys.executable else None
        if plain is not None and plain.returncode == SKIPPED:
            pytest.skip(plain.stderr.strip())
        made = Captured(tmp_path, command, options)
        assert made.done.returncode == (0 if plain is None else plain.returncode), made.done.stderr
        made.assert_totals()
        return made

    return run


def python(capture: Capture, code: str, *words: str, options: Sequence[str | Path] = ()) -> Captured:
    """A program in Python. It prints nothing but what it tells."""
    return capture(sys.executable, "-c", code, *words, options=options)


class Server:
    """Answers each connection once by ``answer`` and closes it; keeps what it was sent."""

    def __init__(self, listener: socket.socket, until_end: bool) -> None:
        self.answer = b""
        self.got: dict[Any, bytes] = {}
        self._listener = listener
        self._until_end = until_end
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """close(2) alone would leave the thread in its accept(2)."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE)
        self._listener.close()

    @property
    def port(self) -> str:
        return str(self._listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(end,), daemon=True).start()

    def _answer(self, end: socket.socket) -> None:
        got = b""
        with end:
            peer = end.getpeername()
            while piece := end.recv(1 << 20):
                got += piece
                if not self._until_end and got.endswith(b"\r\n\r\n"):
                    break
            self.got[peer or len(self.got)] = got
            end.sendall(self.answer)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """``serve()``: at 127.0.0.1; ``serve(path)``: at a unix socket."""
    servers = []

    def make(path: Path | None = None, *, until_end: bool = False) -> Server:
        listener = socket.socket(socket.AF_INET if path is None else socket.AF_UNIX)
        listener.bind(("127.0.0.1", 0) if path is None else str(path))
        listener.listen(64)
        servers.append(Server(listener, until_end))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


def response(length: int) -> bytes:
    body = os.urandom(length)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % length + body


@pytest.mark.parametrize("flags", [(), I386], ids=["64-bit program", "i386 program"])
@pytest.mark.parametrize("syscall", [*SENDING, *RECEIVING])
def test_what_a_call_moves_is_in_the_file(capture: Capture, syscall: str, flags: Sequence[str]) -> None:
    run = capture("counting", syscall, flags=flags)
    assert [*streams(run.packets).values()] == [PATTERN[:211] + PATTERN] * 2
    (comment,) = {one.comment.split(", ")[0] for one in run.packets if one.payload and syscall in one.comment}
    pid = run.report["processes"][0]["pid"]
    assert comment.startswith(f"{pid}/{pid} counting")
    assert f" {syscall}" in comment  # or recvmmsg_time64


@pytest.mark.parametrize(
    ("target", "mode"),
    [
        *(("families", mode) for mode in ("inet_stream", "inet_dgram", "inet6_stream", "inet6_mapped", "mptcp")),
        *(("families", mode) for mode in ("unix_stream", "unix_seqpacket", "unix_dgram", "netlink", "packet", "other")),
        *(("peers", mode) for mode in ("udp", "udp_by_message", "udp_by_messages", "udp_nobody_asked", "unix_dgram")),
        *(("splicing", mode) for mode in ("file_to_socket", "socket_to_pipe_by_sendfile", "socket_to_socket")),
        *(("splicing", mode) for mode in ("unix_sockets", "no_socket")),
        *(("flags", mode) for mode in ("peek", "peek_length", "trunc_datagram", "short_datagram", "trunc_stream")),
        *(("flags", mode) for mode in ("errqueue_refused", "errqueue_timestamp", "oob", "zerocopy")),
        ("outcomes", "again"),
        ("processes", "lineage"),
        ("threads", "exchange"),
    ],
)
def test_the_payload_in_the_file_is_that_of_the_report(capture: Capture, target: str, mode: str) -> None:
    capture(target, mode)  # which compares them


@needs_tshark
@pytest.mark.parametrize(("target", "mode"), [("families", "inet6_stream"), ("peers", "udp_by_messages")])
def test_tshark_has_nothing_to_say_against_it(capture: Capture, target: str, mode: str) -> None:
    assert complaints(capture(target, mode).file) == ""


@needs_tshark
@needs_curl
def test_an_exchange_of_curl_is_reassembled_to_the_byte(
    capture: Capture, serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve()
    server.answer = response(300_000)
    got = tmp_path / "got"
    run = capture("/usr/bin/env", "curl", "-s", "-o", str(got), f"http://127.0.0.1:{server.port}/there?is=it")
    assert got.read_bytes() == server.answer[-300_000:]
    (asked, *_) = server.got.values()
    assert followed(run.file) == (asked, server.answer)
    assert complaints(run.file) == ""
    assert tshark(run.file, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri") == "/there?is=it\n"
    syns = [one for one in run.packets if one.flags & SYN and one.flags >= 0]
    assert [one.sent for one in syns] == [True, False]
    assert {one.target[1] for one in syns if one.sent} == {int(server.port)}
    assert [one.sent for one in run.packets if one.flags >= 0 and one.flags & FIN] == [True]


@needs_tshark
@needs_curl
def test_an_exchange_over_a_unix_socket_is_reassembled(
    capture: Capture, serve: Callable[..., Server], tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    server = serve(path)
    server.answer = response(100_000)
    words = ("curl", "-s", "-o", "/dev/null", "--unix-socket", str(path), "http://here/")
    run = capture("/usr/bin/env", *words)
    (asked, *_) = server.got.values()
    found = (
        [followed(run.file, stream) for stream in range(2)] if len(streams(run.packets)) > 2 else [followed(run.file)]
    )
    assert (asked, server.answer) in found
    assert any(str(path) in one.comment for one in run.packets)
    assert complaints(run.file) == ""


@needs_tshark
def test_a_server_and_its_clients_are_told_apart(capture: Capture) -> None:
    """Both ends of each connection are traced: the second is one of its own, or Wireshark took it for repeated."""
    run = capture("crowd", "4", "10")
    assert complaints(run.file) == ""
    ends = {frozenset(ends) for ends in streams(run.packets)}
    busy = [row for row in run.report["sockets"] if row["sent"] or row["received"]]
    assert len(ends) == len(busy)


LARGE = """
import os, socket, sys
end = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
data = bytes(range(256)) * (4 * 4096 + 3)
end.sendall(data)
parts = [data[at : at + 5000] for at in range(0, 5_000_000 // 2, 5000)]
def rest(parts, count):
    while parts and count >= len(parts[0]):
        count -= len(parts.pop(0))
    if parts:
        parts[0] = parts[0][count:]
while parts:
    rest(parts, os.writev(end.fileno(), parts[:1024]))
parts = [b"x", b"", data[:100_000], b"yz"] * 8
while parts:
    rest(parts, end.sendmsg(parts[:1024]))
end.shutdown(socket.SHUT_WR)
while end.recv(1 << 22):
    pass
"""


@needs_tshark
def test_large_writes_of_many_buffers_are_whole(capture: Capture, serve: Callable[..., Server]) -> None:
    server = serve(until_end=True)
    server.answer = os.urandom(3_000_000)
    run = python(capture, LARGE, server.port, options=["--snaplen", "16MiB"])
    (got,) = server.got.values()
    assert followed(run.file) == (got, server.answer)
    assert max(one.length for one in run.packets) == 65495
    assert complaints(run.file) == ""


def test_what_is_longer_than_snaplen_is_cut_and_keeps_its_length(
    capture: Capture, serve: Callable[..., Server]
) -> None:
    server = serve(until_end=True)
    run = python(capture, LARGE, server.port, options=["--snaplen", "1000"])
    whole = python(capture, LARGE, server.port, options=["--snaplen", "16MiB"])
    assert moved(run.packets)[0] == moved(whole.packets)[0] == sum(map(len, server.got.values())) // 2
    assert max(len(one.payload) for one in run.packets) == 1000
    first = next(one for one in run.packets if one.length)
    assert first.payload == (bytes(range(256)) * 4)[:1000]
    assert first.length == 65495


def test_by_default_a_quarter_of_a_mebibyte_of_each_call_is_kept(
    capture: Capture, serve: Callable[..., Server]
) -> None:
    code = "import socket, sys; a = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); a.sendall(b'a' * 10**6)"
    server = serve(until_end=True)
    run = python(capture, code, server.port)
    until(lambda: server.got, "the server to have read")
    sent: dict[int, list[int]] = {}
    for one in run.packets:
        if one.sent and one.length:
            sent.setdefault(one.time, []).append(len(one.payload))
    assert all(sum(kept) <= 262144 for kept in sent.values())
    assert max(sum(kept) for kept in sent.values()) == 262144


def test_what_sendfile_moves_has_a_length_and_no_bytes(capture: Capture) -> None:
    run = capture("splicing", "file_to_socket")
    assert {len(one.payload) for one in run.packets if "sendfile" in one.comment} == {0}
    assert sum(one.length for one in run.packets if "sendfile" in one.comment) == 1009 + 506


def test_what_tcp_throws_away_is_not_made_up(capture: Capture) -> None:
    """MSG_TRUNC: the call says how much, and has written nothing."""
    run = capture("flags", "trunc_stream")
    cut = [one for one in run.packets if one.length > len(one.payload)]
    assert cut
    assert not any(one.payload for one in cut)


UDP = """
import socket
a, b, c = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3))
for one in (b, c):
    one.bind(("127.0.0.1", 0))
a.sendto(b"to b", b.getsockname())
a.sendto(b"and to c", c.getsockname())
a.sendto(b"", c.getsockname())
print(b.getsockname()[1], c.getsockname()[1])
for one in (b, c, c):
    one.recvfrom(100)
"""


@needs_tshark
def test_datagrams_have_their_peers_and_empty_ones_are_there(capture: Capture) -> None:
    run = python(capture, UDP)
    b, c = run.done.stdout.split()
    sent = [(one.target[1], one.payload) for one in run.packets if one.sent]
    assert sent == [(int(b), b"to b"), (int(c), b"and to c"), (int(c), b"")]
    assert [one.payload for one in run.packets if not one.sent] == [b"to b", b"and to c", b""]
    assert all(one.flags == -1 for one in run.packets)
    assert "74:6f:20:62" in tshark(run.file, "-T", "fields", "-e", "udp.payload").replace("746f2062", "74:6f:20:62")
    assert complaints(run.file) == ""


THREADS = """
import socket, sys, threading
def talk(number):
    end = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    for round in range(50):
        end.sendall(bytes([number]) * (round + 1))
    end.shutdown(socket.SHUT_WR)
    while end.recv(7):
        pass
threads = [threading.Thread(target=talk, args=(number,)) for number in range(1, 9)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""


@needs_tshark
def test_threads_are_told_apart(capture: Capture, serve: Callable[..., Server]) -> None:
    server = serve(until_end=True)
    server.answer = b"answered" * 10
    run = python(capture, THREADS, server.port)
    assert len(server.got) == 8
    there = {followed(run.file, number) for number in range(8)}
    assert there == {(got, server.answer) for got in server.got.values()}
    assert len({one.comment.split()[0] for one in run.packets if one.sent and one.length}) == 8
    assert complaints(run.file) == ""


FORKING = """
import os, socket, sys
end = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
end.sendall(b"parent")
hear, tell = os.pipe()
if os.fork() == 0:
    os.read(hear, 1)
    end.sendall(b" and child")
    os._exit(0)
end.close()
os.write(tell, b"!")
os.wait()
"""


@needs_tshark
def test_a_connection_ends_when_its_last_holder_has_closed_it(capture: Capture, serve: Callable[..., Server]) -> None:
    server = serve(until_end=True)
    run = python(capture, FORKING, server.port)
    assert followed(run.file) == (b"parent and child", b"")
    assert [one.flags & FIN for one in run.packets if one.flags & FIN] == [FIN]
    assert run.packets[-1].flags & FIN


COPIED = """
import os, socket, sys
end = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
end.sendall(b"this")
copy = os.dup(end.fileno())
end.close()
os.write(copy, b" and that")
"""


@needs_tshark
def test_a_copy_of_an_fd_goes_on_with_the_stream(capture: Capture, serve: Callable[..., Server]) -> None:
    run = python(capture, COPIED, serve(until_end=True).port)
    assert followed(run.file) == (b"this and that", b"")


def test_an_attached_process_has_packets_without_a_beginning(targets: Targets, tmp_path: Path) -> None:
    code = "import socket, sys\na, b = socket.socketpair()\nfor line in sys.stdin: a.send(line.encode()); b.recv(99)\n"
    file = tmp_path / "run.pcapng"
    with started([sys.executable, "-c", code], stdin=subprocess.PIPE) as program:
        assert program.stdin is not None
        words = [*PTMON, "-q", "--capture", str(file), "--log", "--attach", str(program.pid)]
        with started(words) as ptmon:
            said = ptmon.stderr
            assert said is not None
            until(lambda: "exec" in said.readline(), "ptmon to attach")
            program.stdin.write("hello\n")
            program.stdin.flush()
            until(lambda: len(streams(read(file))) == 2, "the packets")
            ptmon.send_signal(signal.SIGINT)
            assert ptmon.wait(timeout=DEADLINE) == 0
    packets = read(file)
    assert [one.payload for one in packets] == [b"hello\n"] * 2


def test_a_killed_ptmon_leaves_whole_packets(targets: Targets, tmp_path: Path) -> None:
    code = "import socket\na, b = socket.socketpair()\nwhile True: a.sendall(b'x' * 5000); b.recv(9999)\n"
    file = tmp_path / "run.pcapng"
    with started([*PTMON, "-q", "--capture", file, "--", sys.executable, "-c", code]) as ptmon:
        until(lambda: file.exists() and file.stat().st_size > 1 << 20, "packets")
        ptmon.kill()
        ptmon.wait(timeout=DEADLINE)
    packets = read(file)
    assert {one.payload for one in packets if one.length} == {b"x" * 5000}


def test_nobody_else_may_read_it(capture: Capture) -> None:
    file = capture("counting", "write").file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_full_disk_ends_the_capture_and_not_the_program(targets: Targets) -> None:
    words = [*PTMON, "-q", "--capture", "/dev/full", "--", str(targets("chatter")), "10"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0
    assert done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("ptmon: cannot write the capture to /dev/full: ENOSPC")
    assert line.endswith("it ends here, the program goes on")


def test_a_disk_that_is_full_half_way_leaves_whole_packets(tmp_path: Path) -> None:
    """RLIMIT_FSIZE: the write that passes it takes a part."""
    code = "import socket\na, b = socket.socketpair()\nfor _ in range(99): a.sendall(b'x' * 5000); b.recv(9999)\n"
    file = tmp_path / "run.pcapng"
    words = ["prlimit", "--fsize=100000", *PTMON, "-q", "--capture", str(file), "--", sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0
    assert done.stderr.startswith("ptmon: cannot write the capture to ")
    assert len(done.stderr.splitlines()) == 1
    packets = read(file)
    assert len(packets) > 10
    assert {one.payload for one in packets if one.length} == {b"x" * 5000}


@needs_tshark
@needs_curl
def test_a_server_of_a_unix_socket_is_captured_too(tmp_path: Path) -> None:
    """nginx, two of whose processes have the listener."""
    if (nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin")) is None:
        pytest.skip("nginx is not installed")
    path, file, body = tmp_path / "socket", tmp_path / "run.pcapng", os.urandom(200_000)
    (tmp_path / "page").write_bytes(body)
    folders = " ".join(
        f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    server = f"server {{ listen unix:{path}; location / {{ root {tmp_path}; sendfile off; }} }}"
    events, log = "events {}", f"error_log stderr; pid {tmp_path}/pid; daemon off; worker_processes 2; {user}"
    config = tmp_path / "nginx.conf"
    config.write_text(f"{log} {events} http {{ access_log off; {folders} {server} }}")
    words = [*PTMON, "-q", "--snaplen", "1MiB", "--capture", str(file), "--", nginx, "-c", str(config)]
    with started(words) as ptmon:
        until(path.exists, "nginx to listen")
        asked = ["curl", "-s", "--unix-socket", str(path), "http://here/page"]
        assert subprocess.run(asked, capture_output=True, timeout=DEADLINE).stdout == body
        ptmon.send_signal(signal.SIGTERM)
        ptmon.wait(timeout=DEADLINE)
    found = [both for stream in range(4) if b"GET /page" in (both := followed(file, stream))[0]]
    assert [back.partition(b"\r\n\r\n")[2] for _, back in found] == [body]
    assert complaints(file) == ""


def test_a_recording_of_the_same_run_has_nothing_of_it(capture: Capture, tmp_path: Path) -> None:
    record = tmp_path / "recording"
    run = capture("chatter", "3000", options=["--record", record])
    again = tmp_path / "again.json"
    subprocess.run([*PTMON, "--replay", record, "-o", again], check=True, timeout=DEADLINE)
    assert json.loads(again.read_text()) == run.report
    alone = tmp_path / "alone"
    subprocess.run(
        [*PTMON, "-q", "--fast", "off", "--record", alone, "--", targets_of(run), "3000"],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=DEADLINE,
    )
    assert record.stat().st_size < 2 * alone.stat().st_size


def targets_of(run: Captured) -> str:
    command: str = run.report["command"][0]
    return command


def test_a_file_can_have_the_pid_in_its_name(targets: Targets, tmp_path: Path) -> None:
    words = [*PTMON, "-q", "--capture", str(tmp_path / "%p.pcapng"), "--", str(targets("counting")), "write"]
    assert subprocess.run(words, stdout=subprocess.DEVNULL, timeout=DEADLINE).returncode == 0
    (file,) = tmp_path.glob("*.pcapng")
    assert {one.comment.split("/")[0] for one in read(file) if one.length} == {file.stem}


def test_a_program_that_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "run.pcapng"
    done = subprocess.run([*PTMON, "--capture", str(file), "/no/such/program"], capture_output=True, timeout=DEADLINE)
    assert done.returncode == 127
    assert not file.exists()


def test_no_two_outputs_have_one_file(tmp_path: Path) -> None:
    file = str(tmp_path / "run")
    words = [*PTMON, "--capture", file, "-o", file, "ls"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode != 0
    assert "are the same file" in done.stderr
    assert not (tmp_path / "run").exists()
