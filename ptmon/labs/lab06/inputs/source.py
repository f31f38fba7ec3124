# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: source.py PORT

A source of lines that is told over a connection what to write, and how to end.
"""

import socket
import sys


def event(number, length):
    """A line of the source; how long it is depends on its number."""
    text = f"event {number} "
    return text.ljust(length - number % 97, chr(ord("a") + number % 26)).encode()


def source(port):
    """Writes what it is told to, and says when all of it is written."""
    with socket.create_connection(("127.0.0.1", port)) as control, control.makefile("r") as orders:
        for order in orders:
            name, *words = order.split()
            if name == "end":
                return int(words[0])
            if name == "raw":
                sys.stdout.buffer.write(bytes.fromhex(words[0]))
            else:
                first, count, length = map(int, words)
                for number in range(first, first + count):
                    sys.stdout.buffer.write(event(number, length) + b"\n")
            sys.stdout.buffer.flush()
            control.sendall(b"done\n")
    return 99


if __name__ == "__main__":
    sys.exit(source(int(sys.argv[1])))
