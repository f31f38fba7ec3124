# SPDX-License-Identifier: GPL-2.0-or-later
"""--demo: a server that ptmon traces, and five clients that it does not. Each exchanges 35 bytes each way: 175/175.

The clients are no children of the traced server, for then their side of the conversations would count as well.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

CLIENTS = 5
LENGTH = 35
EXPLAINED = (
    '"Traffic module: ..." is what a kernel module that ptmon stands in for would log (--log-format dmesg),'
    f" here of a small server that exchanges {LENGTH} bytes each way with each of {CLIENTS} clients"
)
"""Said before the demo's first line."""
FIRST_LINE_MOST = 255
"""Bytes of a script's first line that the kernel reads: BINPRM_BUF_SIZE, linux/binfmts.h."""


@contextmanager
def started() -> Iterator[tuple[str, ...]]:
    """Starts the clients, which wait for the server's port, and gives the command that is to be traced."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    try:
        # They are nobody's children soon: a tracer waits for its own children, and these are none.
        subprocess.run([sys.executable, "-m", "ptmon.demo", "clients"], stdin=reader, check=True)
        with tempfile.TemporaryDirectory(prefix="ptmon-") as folder:
            yield _command(folder, writer)
    finally:
        os.close(reader)
        os.close(writer)


def _command(folder: str, port_file: int) -> tuple[str, ...]:
    """A script, so that the process is called server.out; or the interpreter, where no script can be run."""
    line = f"#!{sys.executable}\n".encode()
    if os.statvfs(folder).f_flag & os.ST_NOEXEC or len(line) > FIRST_LINE_MOST or b" " in line:
        return (sys.executable, "-m", "ptmon.demo", "server", str(port_file))
    path = os.path.join(folder, "server.out")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "wb") as file:
        code = f"import runpy\nrunpy.run_path({__file__!r})['serve']({port_file})\n"
        file.write(line + os.fsencode(code))
    return (path,)


def text() -> bytes:
    """What each side says: 35 bytes with its pid."""
    return f"Hello from process {os.getpid()}".ljust(LENGTH, ".").encode()


def serve(port_file: int) -> None:
    """Talks with five clients, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.write(port_file, f"{listener.getsockname()[1]}\n".encode())
        os.close(port_file)
        for _ in range(CLIENTS):
            connection, _peer = listener.accept()
            with connection:
                connection.recv(LENGTH, socket.MSG_WAITALL)
                connection.sendall(text())
    print("Server exited.")


def talk() -> None:
    """The five clients, in the background."""
    if os.fork():
        return
    port = sys.stdin.readline()
    for _ in range(CLIENTS if port else 0):
        with socket.create_connection(("127.0.0.1", int(port))) as connection:
            connection.sendall(text())
            connection.recv(LENGTH, socket.MSG_WAITALL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["server"]:
        serve(int(sys.argv[2]))
    else:
        talk()
