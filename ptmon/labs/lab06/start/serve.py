# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: serve.py SOURCE [ARG...]

Runs a program, and sends each line of its output to everybody who is connected then. Ends as the program does.
"""

import collections
import contextlib
import socket
import subprocess
import sys
import threading
import time

QUEUE_MOST = 1000
"""Lines that may wait for one client."""
PATIENCE = 10.0
"""Seconds that clients have for their last lines when the source has ended."""
GREETING = b"listening\n"


def clean(line):
    """A line as bytes that any terminal may get: UTF-8 without control characters."""
    # GAP 3: line.decode(errors="backslashreplace") makes text of it, whatever it is; letter.isprintable() says which of
    # its letters are, and letter.encode("unicode_escape") is how to show the others.
    return line


class Client:
    """Whoever is connected, with the lines that wait for it, and a thread that may wait for it."""

    def __init__(self, connection):
        self.connection = connection
        self.lines = collections.deque()
        self.dropped = 0
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def offer(self, line):
        """A line for the client. The thread that reads the source calls this, and must never wait."""
        # GAP 1: sendall waits, and fails if the client is gone. Append to self.lines instead, and wake the client's
        # thread, as end() does. At most QUEUE_MOST lines may wait there.
        # GAP 2: a line for which there is no room is dropped: count it in self.dropped. The next one that has room
        # comes after a line b"... N events dropped\n".
        self.connection.sendall(line)

    def end(self):
        """There are no more lines."""
        with self.changed:
            # GAP 2: the last ones may have been dropped, too.
            self.lines.append(None)
            self.changed.notify()

    def next(self):
        """The next line, when there is one; None at the end."""
        with self.changed:
            self.changed.wait_for(lambda: self.lines)
            return self.lines.popleft()

    def write(self):
        """What the client's own thread does."""
        with self.connection:
            # GAP 1: if the client is gone this raises an OSError, and the thread has no more to do.
            while (line := self.next()) is not None:
                self.connection.sendall(line)


def accept(listener, clients, joining):
    """What a thread does that waits for clients."""
    while True:
        client = Client(listener.accept()[0])
        with joining:  # between two lines
            client.offer(GREETING)
            clients.append(client)


def main():
    clients, joining = [], threading.Lock()
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, clients, joining), daemon=True).start()
    print(f"port {listener.getsockname()[1]}", flush=True)
    source = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
    for line in source.stdout:
        text = clean(line.rstrip(b"\r\n")) + b"\n"
        with joining:
            clients[:] = [client for client in clients if client.thread.is_alive()]
            for client in clients:
                client.offer(text)
    deadline = time.monotonic() + PATIENCE
    with joining:
        for client in clients:
            client.end()
        for client in clients:
            client.thread.join(max(0, deadline - time.monotonic()))
    return source.wait()


if __name__ == "__main__":
    sys.exit(main())
