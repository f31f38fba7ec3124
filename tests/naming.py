# SPDX-License-Identifier: GPL-2.0-or-later
"""A world of its own for what is resolved: namespaces with a loopback, files in /etc, and servers that a test makes.

``python -m tests.naming KIND WORDS...`` runs in such namespaces (``in_namespaces``): it starts the servers, then the
words, and ends with their exit status.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

NAME = "service.example.test"
ADDRESS = "127.0.0.9"
PORT = 8080
NSCD = "/run/nscd/socket"
FORGED = b"\x1b]0;forged\x07\x1b[31m.test"


def in_namespaces(kind: str, folder: Path, *words: str | Path) -> list[str]:
    """The command that runs ``words`` there."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    here = [sys.executable, "-m", "tests.naming", kind, str(folder)]
    return ["unshare", *user, "--net", "--mount", *here, *map(str, words)]


def namespaces_work() -> bool:
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    words = ["unshare", *user, "--net", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(words, capture_output=True).returncode == 0


def raise_loopback() -> None:
    """ifconfig lo up: netdevice(7)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH22x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, request)  # SIOCSIFFLAGS


def put(folder: Path, path: str, text: str) -> None:
    """Has ``path`` say ``text`` in this mount namespace."""
    own = folder / Path(path).name
    own.write_text(text)
    subprocess.run(["mount", "--bind", str(own), path], check=True)


def answer_of(question: bytes) -> bytes:
    """127.0.0.9 for whatever A is asked for; of AAAA there is none."""
    end = 12
    while question[end]:
        end += 1 + question[end]
    kind = struct.unpack_from("!H", question, end + 1)[0]
    rows = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(ADDRESS) if kind == 1 else b""
    head = question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if rows else 0, 0, 0)
    return head + question[12 : end + 5] + rows


def forged(question: bytes) -> bytes:
    """The right answer, but for the name in it."""
    label = bytes((len(FORGED) - 5,)) + FORGED[:-5] + b"\x04test\0"
    rows = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(ADDRESS)
    return question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + label + struct.pack("!HH", 1, 1) + rows


def serve_datagrams() -> None:
    """DNS by UDP; before each answer comes a forged one, which a resolver drops."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((ADDRESS, 53))

    def run() -> None:
        while True:
            question, peer = server.recvfrom(4096)
            server.sendto(forged(question), peer)
            server.sendto(answer_of(question), peer)

    threading.Thread(target=run, daemon=True).start()


def accepting(server: socket.socket, talk: Callable[[socket.socket], None]) -> None:
    def run() -> None:
        while True:
            connection, _ = server.accept()
            with connection:
                talk(connection)

    server.listen(64)
    threading.Thread(target=run, daemon=True).start()


def serve_stream() -> None:
    """DNS by TCP."""

    def talk(connection: socket.socket) -> None:
        while size := connection.recv(2, socket.MSG_WAITALL):
            answer = answer_of(connection.recv(int.from_bytes(size), socket.MSG_WAITALL))
            connection.sendall(len(answer).to_bytes(2) + answer)

    accepting(socket.create_server((ADDRESS, 53)), talk)


def serve_nscd(folder: Path) -> None:
    """glibc's nscd, which has no cache to share and knows one address (nscd/nscd-client.h)."""

    def talk(connection: socket.socket) -> None:
        head = connection.recv(12, socket.MSG_WAITALL)
        if len(head) < 12:
            return
        _, kind, length = struct.unpack("=iii", head)
        connection.recv(length, socket.MSG_WAITALL)
        if kind == 14:  # GETAI
            canonical = NAME.encode() + b"\0"
            rows = socket.inet_aton(ADDRESS) + bytes((socket.AF_INET,)) + canonical
            connection.sendall(struct.pack("=iiiiii", 2, 1, 1, 4, len(canonical), 0) + rows)

    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    Path(NSCD).parent.mkdir()
    server = socket.socket(socket.AF_UNIX)
    server.bind(NSCD)
    accepting(server, talk)


def echo(connection: socket.socket) -> None:
    data = connection.recv(65536)
    connection.sendall(data)


def main() -> int:
    kind, folder, *words = sys.argv[1:]
    raise_loopback()
    put(Path(folder), "/etc/nsswitch.conf", "hosts: files dns\n")
    put(Path(folder), "/etc/hosts", "127.0.0.1 localhost\n")
    tcp = "options use-vc\n" if kind == "tcp" else ""
    put(Path(folder), "/etc/resolv.conf", f"nameserver {ADDRESS}\noptions timeout:1 attempts:2\n{tcp}")
    if kind == "nscd":
        serve_nscd(Path(folder))
    else:
        subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)  # no nscd of this machine answers
        serve_datagrams() if kind == "udp" else serve_stream()
    accepting(socket.create_server((ADDRESS, PORT)), echo)
    return subprocess.run(words).returncode


def flood(rounds: int) -> None:
    """Asks for the name again and again, on one socket, and gets two answers each time."""
    question = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0)
    question += b"".join(bytes((len(label),)) + label.encode() for label in NAME.split(".")) + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((ADDRESS, 53))
        for _ in range(rounds):
            asking.send(question)
            asking.recv(4096)
            asking.recv(4096)
    client(1)


def client(rounds: int) -> None:
    """Resolves the name as any program does, and talks to it; to its address alone from the second round on."""
    moved = 0
    address = str(socket.getaddrinfo(NAME, PORT, type=socket.SOCK_STREAM)[0][4][0])
    for _ in range(rounds):
        with socket.create_connection((address, PORT)) as connection:
            connection.sendall(b"hello")
            moved += len(connection.recv(100))
    print(moved)


if __name__ == "__main__":
    if sys.argv[1] in ("client", "flood"):
        (client if sys.argv[1] == "client" else flood)(int(sys.argv[2]))
    else:
        sys.exit(main())
