# SPDX-License-Identifier: GPL-2.0-or-later
"""The event server as a part of ptmon: its end, its thread, its descriptors, its errors, and whom it lets in."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from ptmon.option_values import Address
from ptmon.outputs.formats.text import TextFormatter
from ptmon.outputs.server import ServerOutput, client, hub, thread
from tests.serving import FAREWELL, Caller, objects
from tests.support import until
from tests.unit.build import HEADER
from tests.unit.served import Serve, Served


def test_where_ptmon_fails_half_way_all_is_closed_at_once(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for module, bound in ((client, "FLUSH_SECONDS"), (hub, "FLUSH_SECONDS"), (thread, "CANCEL_SECONDS")):
        monkeypatch.setattr(module, bound, 60.0)  # who waits for one of them is late, on a busy machine too
    began = 0.0
    callers = []
    with (
        pytest.raises(ZeroDivisionError),
        ServerOutput(Address("127.0.0.1", 0)) as output,
    ):
        assert isinstance(output, ServerOutput)
        served = Served(output)
        output.start(HEADER)
        callers = [served.joined(receive_buffer=4096), served.joined()]
        for _ in range(12):
            served.write(5000)
        began = time.monotonic()
        raise ZeroDivisionError
    assert time.monotonic() - began < 30
    assert [thread.name for thread in threading.enumerate() if "serve" in thread.name] == []
    with pytest.raises(OSError):
        Caller(served.port)
    for caller in callers:
        caller.socket.close()


def test_the_port_is_free_again_at_once(serve: Serve) -> None:
    with serve() as served:
        served.joined()
        served.finish()
        port = served.port
    with ServerOutput(Address("127.0.0.1", port)) as output:
        assert isinstance(output, ServerOutput)
        assert output.addresses == (f"127.0.0.1:{port}",)


def test_signals_are_left_to_the_main_thread(serve: Serve) -> None:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with serve():
        (thread,) = [thread for thread in threading.enumerate() if "serve" in thread.name]
        status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
        blocked = int(status.split("SigBlk:")[1].split()[0], 16)
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            assert blocked & 1 << (number - 1), number
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask


def test_no_descriptor_is_inherited_and_none_is_left(serve: Serve) -> None:
    def descriptors() -> set[str]:
        return {entry.name for entry in Path("/proc/self/fd").iterdir()}

    before = descriptors()
    with serve() as served:
        served.joined().reset()
        for number in descriptors() - before:
            with contextlib.suppress(OSError):  # that of the directory itself
                assert not os.get_inheritable(int(number))
        served.finish()
    assert descriptors() <= before


def test_the_switch_interval_is_put_back(serve: Serve) -> None:
    before = sys.getswitchinterval()
    with serve():
        assert sys.getswitchinterval() < before
    assert sys.getswitchinterval() == before


def test_an_error_in_a_client_s_callback_is_said_and_closes_only_that_client(
    serve: Serve, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve() as served:
        served.output.snapshot_source = lambda: 1 // 0  # type: ignore[assignment]
        unlucky, other = served.joined(), served.joined()
        unlucky.say("snapshot\n")
        assert unlucky.rest() == []
        served.write(1)
        assert "server.out" in other.line()
    assert "ZeroDivisionError" in said[1]


def test_an_error_in_the_server_itself_ends_it_and_not_the_run(
    serve: Serve, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TextFormatter, "lines", lambda self, event: 1 // 0)
    with serve() as served:
        caller = served.joined()
        served.write(1)
        with contextlib.suppress(ConnectionError):
            assert caller.rest() == []
        until(lambda: len(said) == 2, "nothing is said")
        served.write(1)
        served.finish()
    assert said[1].startswith("the event server failed, events are no longer served: ZeroDivisionError")


def test_sockets_that_come_and_say_nothing_are_bounded(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TOKEN_SECONDS", 1.5)
    path = tmp_path / "token"
    path.write_text("word\n")
    path.chmod(0o600)
    with serve(token_file=str(path), max_clients=2) as served:
        member = served.joined("word\n")
        silent = [served.call(), served.call()]
        assert served.call().rest() == ["ptmon: too many come at once, try again"]
        served.write(1)
        assert "server.out" in member.line()
        for caller in silent:
            assert caller.rest() == ["ptmon: no token within 2 seconds"]
        served.joined("word\nformat jsonl\n")
        assert served.call().rest() == ["ptmon: 2 clients are connected already, no more are served"]


def test_a_wrong_token_is_refused_and_said(serve: Serve, said: list[str], tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("word\n")
    path.chmod(0o600)
    with serve(token_file=str(path)) as served:
        for words in ("wrong\n", "word \n", "\n", "done\n", "x" * 5000):
            caller = served.call(words)
            assert caller.rest() == ["ptmon: wrong token"]
            assert said[-1] == f"client-> {caller.name}: wrong token"
        first = served.call("word\r\nformat jsonl\n")
        assert objects([first.line()])[0]["schema"] == "ptmon.event/1"


def test_ipv6(said: list[str]) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    with ServerOutput(Address("::1", 0)) as output:
        assert isinstance(output, ServerOutput)
        assert output.addresses[0].startswith("[::1]:")
        port = output.addresses[0].rpartition(":")[2]
        assert said == [f"serving events on [::1]:{port} (telnet ::1 {port})"]
        with socket.create_connection(("::1", int(port))) as client:
            client.sendall(b"hello\ndone\n")
            assert client.recv(100) == f"{FAREWELL}\n".encode()
            name = "[{}]:{}".format(*client.getsockname())
    assert said[1] == f"client-> {name}, says: hello"
