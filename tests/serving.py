# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of --serve share: clients, a certificate, and the port that ptmon says."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pytest

from tests.support import DEADLINE

FAREWELL = "Connection closed... See you again"


class Caller:
    """A client: says lines, and reads them with a deadline."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, receive_buffer: int = 0) -> None:
        raw = socket.socket()
        if receive_buffer:  # before the connection: tcp(7)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        raw.settimeout(DEADLINE)
        raw.connect(("127.0.0.1", port))
        self.socket = raw if tls is None else tls.wrap_socket(raw, server_hostname="localhost")
        self.name = "{}:{}".format(*self.socket.getsockname())
        self._lines: deque[str] = deque()
        self._part = b""

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def say(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def line(self) -> str:
        """The next line without its end; empty at the end of the stream."""
        while not self._lines and self._more():
            pass
        if not self._lines:
            assert not self._part, f"the stream ends within a line: {self._part!r}"
            return ""
        return self._lines.popleft()

    def until(self, word: str) -> list[str]:
        """Lines up to the first with ``word`` in it."""
        lines = [self.line()]
        while word not in lines[-1]:
            assert lines[-1], f"the stream ends before {word!r}: {lines}"
            lines.append(self.line())
        return lines

    def rest(self) -> list[str]:
        """All lines to the end of the stream, which is an orderly one."""
        while self._more():
            pass
        assert not self._part, f"the stream ends within a line: {self._part!r}"
        lines = list(self._lines)
        self._lines.clear()
        return lines

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Goes as a killed process with unread data goes: by RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self) -> bool:
        data = self.socket.recv(1 << 20)
        *lines, self._part = (self._part + data).split(b"\n")
        self._lines.extend(line.decode() for line in lines)
        return bool(data)


def said_port(stderr: IO[str]) -> int:
    """The port on which ptmon says that it serves."""
    line = stderr.readline()
    found = re.match(r"ptmon: serving events on 127\.0\.0\.1:(\d+) \(", line)
    assert found is not None, line
    return int(found[1])


def objects(lines: list[str]) -> list[dict[str, Any]]:
    """The lines of a jsonl stream."""
    return [json.loads(line) for line in lines]


def dropped(lines: list[str]) -> int:
    """How many events the client was told to have missed, by text or jsonl lines."""
    told = re.findall(
        r"^\.\.\. (\d+) events? dropped$|^\{\"event\": \"dropped\", \"count\": (\d+)\}$", "\n".join(lines), re.M
    )
    return sum(int(text or jsonl) for text, jsonl in told)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key; the test is skipped where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl, which makes the certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*words, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


@contextlib.contextmanager
def taken_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which somebody else listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
