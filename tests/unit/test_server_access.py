# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the event server listens, and whom it lets in: what is wrong about it is said at the start, in one line."""

from __future__ import annotations

import os
import re
import resource
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ptmon.errors import PtmonError
from ptmon.option_values import Address
from ptmon.outputs.server import access
from tests.serving import certificate, taken_port
from tests.support import unprivileged


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(PtmonError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    return message


def listen(host: str, port: int = 0, *, token: bool = False) -> list[tuple[str, int]]:
    listeners = access.listen(Address(host, port), token=token)
    bound = [listener.getsockname()[:2] for listener in listeners]
    for listener in listeners:
        assert not listener.getblocking()
        assert not listener.get_inheritable()
        listener.close()
    return bound


def test_the_port_is_one_that_is_free_if_0_is_asked_for() -> None:
    ((host, port),) = listen("127.0.0.1")
    assert host == "127.0.0.1"
    assert port > 0


def test_a_name_is_served_on_all_of_its_addresses_at_one_port() -> None:
    bound = listen("localhost")
    assert {host for host, _ in bound} <= {"127.0.0.1", "::1"}
    assert len({port for _, port in bound}) == 1


def test_a_port_that_is_taken() -> None:
    with taken_port() as port:
        message = refused(lambda: listen("127.0.0.1", port))
    assert f"127.0.0.1:{port}" in message
    assert "EADDRINUSE" in message
    assert "another port" in message


def test_a_port_below_1024() -> None:
    start = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if not unprivileged() or start <= 7:
        pytest.skip("this user may listen on any port")
    message = refused(lambda: listen("127.0.0.1", 7))
    assert "EACCES" in message
    assert "root" in message


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64, "127.0.0.1.1", "ho\x1bst.invalid"])
def test_a_host_that_has_no_address(host: str) -> None:
    message = refused(lambda: listen(host))
    assert "cannot find the address of" in message
    assert message.isprintable()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])
def test_an_address_that_others_may_reach_wants_a_token(host: str) -> None:
    message = refused(lambda: listen(host))
    assert host in message
    assert "--serve-token-file" in message


def test_with_a_token_it_is_served() -> None:
    assert [host for host, _ in listen("0.0.0.0", token=True)] == ["0.0.0.0"]


def test_an_address_that_this_machine_has_not() -> None:
    assert "EADDRNOTAVAIL" in refused(lambda: listen("192.0.2.1", token=True))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_what_a_loopback_address_is(host: str, loopback: bool) -> None:
    assert access.is_loopback(host) is loopback


def test_so_many_clients_that_no_file_would_be_left_for_tracing() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        pytest.skip("there is no limit of open files")
    message = refused(lambda: access.check_clients(soft))
    most = int(re.findall(r"enough for (\d+) client", message)[0])
    assert f"{soft} files" in message
    access.check_clients(most)
    refused(lambda: access.check_clients(most + 1))


def token_file(folder: Path, content: bytes, mode: int = 0o600) -> str:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("content", [b"word", b"word\n", b"word\r\n", b"word\nsecond line\n"])
def test_the_token_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    assert access.read_token(token_file(tmp_path, content)) == b"word"


def test_the_longest_token(tmp_path: Path) -> None:
    longest = b"x" * access.TOKEN_MOST
    assert access.read_token(token_file(tmp_path, longest + b"\r\n")) == longest
    assert "too long" in refused(lambda: access.read_token(token_file(tmp_path, longest + b"x\n")))


@pytest.mark.parametrize("content", [b"", b"\n", b"  \nword\n"])
def test_a_file_without_a_token(tmp_path: Path, content: bytes) -> None:
    assert "first line is empty" in refused(lambda: access.read_token(token_file(tmp_path, content)))


def test_a_token_that_others_may_read(tmp_path: Path) -> None:
    path = token_file(tmp_path, b"word\n", 0o644)
    assert f"chmod 600 {path}" in refused(lambda: access.read_token(path))


def test_a_token_from_a_pipe_as_of_a_shell_s_process_substitution(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    path.chmod(0o644)
    writer = threading.Thread(target=lambda: path.write_bytes(b"word\n"))
    writer.start()
    assert access.read_token(str(path)) == b"word"
    writer.join()


def test_a_token_file_that_is_not_there(tmp_path: Path) -> None:
    assert "ENOENT" in refused(lambda: access.read_token(str(tmp_path / "token")))
    assert "EISDIR" in refused(lambda: access.read_token(str(tmp_path)))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("pair"))


@pytest.fixture
def other_key(tmp_path: Path, pair: tuple[Path, Path]) -> Iterator[Path]:
    yield certificate(tmp_path)[1]


def test_tls_of_today_only(pair: tuple[Path, Path]) -> None:
    cert, key = pair
    context = access.tls(str(cert), str(key))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.protocol == ssl.PROTOCOL_TLS_SERVER


def test_the_key_may_be_in_the_certificate_s_file(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(pair[0].read_bytes() + pair[1].read_bytes())
    access.tls(str(both), None)


def test_a_certificate_that_is_not_there(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    missing = tmp_path / "none.pem"
    for cert, key in ((missing, pair[1]), (pair[0], missing)):
        message = refused(lambda cert=cert, key=key: access.tls(str(cert), str(key)))  # type: ignore[misc]
        assert str(missing) in message
        assert "ENOENT" in message


def test_a_file_that_has_no_certificate_or_no_key(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk\n")
    assert str(junk) in refused(lambda: access.tls(str(junk), None))
    assert str(junk) in refused(lambda: access.tls(str(pair[0]), str(junk)))
    assert str(pair[0]) in refused(lambda: access.tls(str(pair[0]), None))


def test_a_key_of_another_certificate(pair: tuple[Path, Path], other_key: Path) -> None:
    message = refused(lambda: access.tls(str(pair[0]), str(other_key)))
    assert f"the key in {other_key} is not that of the certificate in {pair[0]}" == message


def test_an_encrypted_key_is_no_question_on_the_terminal(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    locked = tmp_path / "locked.pem"
    words = ["openssl", "pkey", "-in", str(pair[1]), "-aes128", "-passout", "pass:word", "-out", str(locked)]
    subprocess.run(words, check=True, capture_output=True)
    assert "encrypted" in refused(lambda: access.tls(str(pair[0]), str(locked)))


def test_clients_are_kept_alive() -> None:
    with closing(socket.socket()) as client:
        access.keep_alive(client)
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert client.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60


@pytest.mark.parametrize(
    ("said", "right"), [(b"word", True), (b"word ", False), (b"wor", False), (b"", False), (b"\xff\xfd\x06word", True)]
)
def test_a_token_is_right_or_wrong(said: bytes, right: bool) -> None:
    assert access.is_token(said, b"word") is right


def test_a_token_may_be_any_bytes() -> None:
    token = b"\xff\xfd\x06\x80\xff"
    assert access.is_token(token, token)
