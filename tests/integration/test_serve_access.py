# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets the events of a real run: tokens and TLS."""

from __future__ import annotations

import re
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.serving import FAREWELL, Caller, certificate, dropped, objects, said_port
from tests.support import DEADLINE, PTMON, Targets, started, until

WORD = "a word that only friends know"


@contextmanager
def served(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """ptmon with ``words``, and its port."""
    with started([*PTMON, "-q", "--serve", "0", *words], stdin=subprocess.PIPE) as process:
        assert process.stderr
        yield process, said_port(process.stderr)


@pytest.fixture
def token(tmp_path: Path) -> list[str]:
    path = tmp_path / "token"
    path.write_text(f"{WORD}\n")
    path.chmod(0o600)
    return ["--serve-token-file", str(path)]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def tls(pair: tuple[Path, Path]) -> list[str]:
    return ["--serve-cert", str(pair[0]), "--serve-key", str(pair[1])]


@pytest.fixture
def context(pair: tuple[Path, Path]) -> ssl.SSLContext:
    """Of a client that trusts this certificate and no other."""
    return ssl.create_default_context(cafile=str(pair[0]))


def test_the_right_token_a_wrong_one_and_none(token: list[str]) -> None:
    with served("--max-clients", "1", *token, "--", "cat") as (process, port), ExitStack() as stack:
        silent = stack.enter_context(Caller(port))
        began = time.monotonic()
        assert silent.rest() == ["ptmon: no token within 3 seconds"]
        assert 2.5 < time.monotonic() - began < 10
        wrong = stack.enter_context(Caller(port))
        wrong.say(f"{WORD}!\r\n")
        assert wrong.rest() == ["ptmon: wrong token"]
        friend = stack.enter_context(Caller(port))
        friend.say(f"{WORD}\r\n")
        assert "start" in friend.line()
        friend.say("done\n")
        assert friend.rest() == [FAREWELL]
        said = process.communicate(timeout=DEADLINE)[1]
        assert said == f"ptmon: client-> {wrong.name}: wrong token\n"
        assert WORD not in said


def test_whoever_has_no_token_does_not_keep_friends_out(token: list[str]) -> None:
    with served("--max-clients", "2", *token, "--", "cat") as (_, port), ExitStack() as stack:
        friend = stack.enter_context(Caller(port))
        friend.say(f"{WORD}\nformat jsonl\n")
        assert objects([friend.line()])[0]["schema"] == "ptmon.event/1"
        silent = [stack.enter_context(Caller(port)) for _ in range(2)]
        assert stack.enter_context(Caller(port)).rest() == ["ptmon: too many come at once, try again"]
        for caller in silent:
            caller.rest()
        other = stack.enter_context(Caller(port))
        other.say(f"{WORD}\n")
        assert "start" in other.line()


def test_a_program_waits_for_a_client_with_the_token(token: list[str], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with served("--wait-client", *token, "--", "touch", mark) as (process, port):
        with Caller(port) as wrong:
            wrong.say("word\n")
            wrong.rest()
        assert not mark.exists()
        with Caller(port) as friend:
            friend.say(f"{WORD}\nformat jsonl\n")
            events = objects(friend.rest())
        assert [event["name"] for event in events if event.get("event") == "exec"] == ["touch"]
        assert process.wait(DEADLINE) == 0
        assert mark.exists()


def test_events_by_tls(tls: list[str], token: list[str], context: ssl.SSLContext, targets: Targets) -> None:
    with served(*tls, *token, "--", targets("rounds"), "5000") as (process, port), ExitStack() as stack:
        callers = [stack.enter_context(Caller(port, tls=context)) for _ in range(4)]
        for caller in callers:
            caller.say(f"{WORD}\nformat jsonl\n")
            assert objects([caller.line()])[0]["schema"] == "ptmon.event/1"
        assert isinstance(callers[0].socket, ssl.SSLSocket)
        assert callers[0].socket.version() in ("TLSv1.2", "TLSv1.3")
        callers[3].say("done\n")
        assert objects(callers[3].rest()) == [{"event": "note", "message": FAREWELL}]
        assert process.stdin
        process.stdin.write("\nend\n")
        process.stdin.flush()
        for caller in callers[:3]:
            lines = caller.rest()
            moves = [event for event in objects(lines) if event.get("event") in ("send", "receive")]
            assert len(moves) + dropped(lines) == 10_000
            assert objects(lines)[-1]["event"] == "exit"
        assert process.wait(DEADLINE) == 0


def test_a_client_with_tls_that_does_not_read_is_told_what_it_missed(
    tls: list[str], context: ssl.SSLContext, targets: Targets
) -> None:
    # At stops: else the program is done so soon that its events come only while the client reads.
    with served(*tls, "--fast", "off", "--", targets("rounds"), "20000") as (process, port):
        assert process.stdin and process.stdout
        with Caller(port, tls=context, receive_buffer=4096) as caller:
            caller.say("format jsonl\n")
            caller.line()
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
            lines = caller.until('"dropped"')
            process.stdin.write("end\n")
            process.stdin.flush()
            lines += caller.rest()
        moves = [event for event in objects(lines) if event.get("event") in ("send", "receive")]
        assert len(moves) + dropped(lines) == 40_000
        assert process.wait(DEADLINE) == 0


def test_openssl_s_client(tls: list[str], pair: tuple[Path, Path]) -> None:
    with served(*tls, "--", "cat") as (process, port):
        words = ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", str(pair[0])]
        with started([*words, "-connect", f"127.0.0.1:{port}"], stdin=subprocess.PIPE) as client:
            out = client.communicate("hello\ndone\n", timeout=DEADLINE)[0]
        assert out.splitlines()[-1] == FAREWELL
        said = process.communicate(timeout=DEADLINE)[1]
        assert re.fullmatch(r"ptmon: client-> 127\.0\.0\.1:\d+, says: hello\n", said)


def test_who_does_not_speak_tls_is_closed_and_told_of(tls: list[str], context: ssl.SSLContext) -> None:
    with served(*tls, "--", "cat") as (process, port):
        with Caller(port) as plain:
            plain.say("hello\n")
            with suppress(ConnectionResetError):
                assert b"start" not in plain.socket.recv(1000)
        with Caller(port) as silent:
            began = time.monotonic()
            assert silent.socket.recv(1000) == b""
            assert time.monotonic() - began < 10
        with Caller(port, tls=context) as friend:
            assert "start" in friend.line()
        said = process.communicate(timeout=DEADLINE)[1].splitlines()
        assert len(said) == 2
        assert all("no TLS connection: " in line for line in said)


def test_many_unfinished_handshakes_do_not_keep_a_client_out(tls: list[str], context: ssl.SSLContext) -> None:
    with served(*tls, "--", "cat") as (process, port), ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(Caller(port))
        began = time.monotonic()

        def come() -> Caller | None:
            try:
                return Caller(port, tls=context)
            except (ssl.SSLError, OSError):
                return None  # there is no room yet

        with until(come, "a place for a client") as friend:
            assert time.monotonic() - began < 2, "less than a handshake may take"
            assert "start" in friend.line()
        process.communicate(timeout=DEADLINE)


def test_the_key_must_be_the_certificate_s(tls: list[str], tmp_path: Path) -> None:
    other = certificate(tmp_path)[1]
    words = [*PTMON, "--serve", "0", *tls[:3], str(other), "--", "touch", str(tmp_path / "mark")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    assert done.stderr == f"ptmon: the key in {other} is not that of the certificate in {tls[1]}\n"
    assert not (tmp_path / "mark").exists()
