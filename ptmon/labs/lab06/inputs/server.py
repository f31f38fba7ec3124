# SPDX-License-Identifier: GPL-2.0-or-later
"""The student's server, with a source that does what it is told, and clients.

How long something takes decides nothing here: a server that does not go on is one all of whose threads sleep, and its
source's, while somebody waits for it; without a single context switch from look to look.
"""

import os
import random
import re
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).with_name("source.py")
LOOKS = 8
"""So many in a row, with nothing that moves between them, show that a server is stuck ..."""
PAUSE = 0.1
SECONDS_MOST = 15
"""... or that it goes round in circles for so long."""
QUIET = 3
"""So many looks in a row show that a server has nothing to do."""


class WrongError(Exception):
    """(expected, got)"""


class Server:
    """The student's, and its source."""

    def __init__(self, path, errors):
        self.errors = errors
        self.awaited = "that it says its port"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            words = [sys.executable, path, sys.executable, SOURCE, str(listener.getsockname()[1])]
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors)
            self.await_readable(self.process.stdout)
            found = re.fullmatch(rb"port (\d+)\n", self.process.stdout.readline())
            if not found:
                raise WrongError("a first line on stdout like: port 45678", "none")
            self.port = int(found[1])
            self.awaited = "that it starts the source"
            self.await_readable(listener)
            self.control = listener.accept()[0]
        self.told = 0

    def client(self, window=None):
        connection = socket.socket()
        if window:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        connection.connect(("127.0.0.1", self.port))
        client = Client(self, connection)
        self.awaited = "that a new client is greeted"
        if client.lines(1) != [b"listening"]:
            raise WrongError("a greeting, as serve.py has sent it from the start", client.data)
        client.got.clear()
        return client

    def order(self, text, awaited):
        """Has the source do something, and waits until it has."""
        self.awaited = awaited
        self.control.sendall(f"{text}\n".encode())
        self.await_readable(self.control)
        self.control.recv(20)

    def feed(self, count, length=0, awaited="that the source can write on"):
        self.order(f"lines {self.told + 1} {count} {length}", awaited)
        self.told += count

    def end(self):
        """The source ends. Returns the status that it ends with."""
        status = random.randrange(3, 60)
        self.awaited = "an end of the server, for the source has ended"
        self.control.sendall(b"end %d\n" % status)
        return status

    def settle(self):
        """Waits until the server has done all that there is to do (or only looks again and again whether there is)."""
        watch = Watch(self.process.pid)
        for _ in range(2 * LOOKS):
            time.sleep(PAUSE)
            if watch.still() >= QUIET:
                return

    def finish(self, status):
        """Waits for the server's end, which has to be its source's."""
        pidfd = os.pidfd_open(self.process.pid)
        self.await_readable(pidfd)
        os.close(pidfd)
        if self.process.wait() != status:
            raise WrongError(f"exit status {status}, which is the source's", f"exit status {self.process.returncode}")
        if last_line(self.errors):
            raise WrongError("nothing on stderr", "a line or more")

    def await_readable(self, what):
        """Until there is something to read. Raises WrongError if the server does not go on."""
        deadline, watch = time.monotonic() + SECONDS_MOST, Watch(self.process.pid)
        while not select.select([what], [], [], PAUSE)[0]:
            if watch.still() >= LOOKS:
                raise WrongError(self.awaited, "all its threads sleep" if watch.seen else "it has ended")
            if time.monotonic() > deadline:
                raise WrongError(self.awaited, f"nothing within {SECONDS_MOST} s")


def last_line(errors):
    errors.seek(0)
    return (errors.read().decode(errors="replace").splitlines() or [""])[-1]


class Watch:
    """Whether anything moves in a process and its children."""

    def __init__(self, pid):
        self._pid = pid
        self._times = 0
        self.seen = None

    def still(self):
        """How many times in a row nothing had moved since the look before."""
        now = threads(self._pid)
        asleep = all(states[:1] in (["S"], ["Z"]) for states in now.values())
        self._times = self._times + 1 if now == self.seen and asleep else 0
        self.seen = now
        return self._times


def threads(pid):
    """Of each thread of a process and its children: its state, and how often it has been scheduled."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        text = content(thread / "status")
        found[thread.name] = re.findall(r"^(?:State|\w*voluntary_ctxt_switches):\s+(\w+)", text, re.MULTILINE)
        for child in content(thread / "children").split():
            found |= threads(child)
    return found


def content(path):
    """Of a file in /proc; nothing if the thread has just ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


class Client:
    """One of the server's clients, and what it got."""

    def __init__(self, server, connection):
        self.server = server
        self.connection = connection
        self.data = b""
        self.got = []
        self.ended = False

    def read(self):
        """Some more; False at the end."""
        self.server.await_readable(self.connection)
        try:
            more = self.connection.recv(1 << 18)
        except ConnectionResetError:
            more = b""
        *lines, self.data = (self.data + more).split(b"\n")
        self.got += [line.removesuffix(b"\r") for line in lines]
        self.ended = not more
        return not self.ended

    def lines(self, count):
        """Waits until there are so many, and returns all."""
        while len(self.got) < count and self.read():
            pass
        return self.got

    def drain(self):
        """Reads what there is, until the server has no more for it (or only looks again and again whether it has)."""
        still = looks = 0
        watch = Watch(self.server.process.pid)
        while still < QUIET and looks < 2 * LOOKS and not self.ended:
            if select.select([self.connection], [], [], PAUSE)[0]:
                looks = 0
                self.read()
            else:
                still, looks = watch.still(), looks + 1

    def all(self):
        """Reads to the end."""
        while self.read():
            pass
        if self.data:
            raise WrongError("that each line has an end", self.data)
        return self.got

    def go(self):
        """Is gone, with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
