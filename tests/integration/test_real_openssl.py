# SPDX-License-Identifier: GPL-2.0-or-later
"""openssl s_server and s_client: one under ptmon, the other under strace in the same run. The truth is strace's lines.

TLS sends more than the payload, and not the same at each run; but what one side sends, the other receives. Only in the
direction of the payload: the last alert of the other direction may come after its reader has gone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real import Server, checked, free_port, listening, over_tcp, program, serving, strace_sums, strace_words
from tests.support import DEADLINE, run_ptmon, started

CURVE = "ec_paramgen_curve:prime256v1"
PAYLOAD = "".join(f"line {number}\n" for number in range(40_000))


@dataclass(frozen=True)
class Tls:
    """The words of both sides, in a folder with a certificate and the payload."""

    folder: Path
    port: int
    upload: bool
    """The client sends the payload on its stdin; else the server sends a file that the client asks for."""

    @property
    def server(self) -> list[str]:
        words = [program("openssl"), "s_server", "-accept", f"127.0.0.1:{self.port}", "-naccept", "1"]
        words += ["-key", "key.pem", "-cert", "cert.pem"]
        return [*words, "-quiet"] if self.upload else [*words, "-WWW"]

    @property
    def client(self) -> list[str]:
        words = [program("openssl"), "s_client", "-connect", f"127.0.0.1:{self.port}", "-quiet"]
        return [*words, "-no_ign_eof"] if self.upload else words

    @property
    def said(self) -> str:
        """What the client has on its stdin."""
        return PAYLOAD if self.upload else "GET /payload HTTP/1.0\r\n\r\n"

    def lines(self) -> Path:
        return self.folder / "strace"

    def assert_arrived(self, server_out: str, client_out: str) -> None:
        if self.upload:
            assert server_out == PAYLOAD
        else:
            assert client_out.partition("\n\n")[2] == PAYLOAD

    def assert_same(self, server: tuple[int, int], client: tuple[int, int]) -> None:
        """(sent, received) of each side."""
        sender, receiver = (client, server) if self.upload else (server, client)
        assert sender[0] == receiver[1] > len(PAYLOAD)


@pytest.fixture(params=["download", "upload"])
def tls(tmp_path: Path, request: pytest.FixtureRequest) -> Tls:
    (tmp_path / "payload").write_text(PAYLOAD)
    words = [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", CURVE, "-noenc", "-subj", "/CN=localhost"]
    words += ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    return Tls(tmp_path, free_port(), request.param == "upload")


@contextmanager
def quiet_stdin() -> Iterator[int]:
    """A pipe that never says anything: s_server would take the end of its stdin for something to send."""
    with started(["cat"], stdin=subprocess.PIPE) as idle:
        assert idle.stdout is not None
        yield idle.stdout.fileno()


def test_s_server_and_strace_of_s_client_see_the_same_bytes(tls: Tls) -> None:
    with quiet_stdin() as stdin:
        server: Server
        with serving(tls.server, tls.port, tls.folder, stdin=stdin, cwd=tls.folder) as server:
            client = subprocess.run(
                [*strace_words(tls.lines()), *tls.client],
                input=tls.said,
                capture_output=True,
                text=True,
                timeout=DEADLINE,
            )
            assert client.returncode == 0, client.stderr
            report = server.end(None)
    tls.assert_arrived(server.log.read_text(), client.stdout)
    tls.assert_same(over_tcp(report), strace_sums(tls.lines()))


def test_s_client_and_strace_of_s_server_see_the_same_bytes(tls: Tls) -> None:
    log = tls.folder / "log"
    words = [*strace_words(tls.lines()), *tls.server]
    with quiet_stdin() as stdin, listening(words, tls.port, log, stdin=stdin, cwd=tls.folder) as server:
        client = run_ptmon(tls.client, tls.folder / "client.json", input=tls.said)
        assert client.returncode == 0, client.stderr
        assert server.wait(DEADLINE) == 0
    tls.assert_arrived(log.read_text(), client.stdout)
    tls.assert_same(strace_sums(tls.lines()), over_tcp(checked(client.report)))
