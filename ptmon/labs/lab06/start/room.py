# SPDX-License-Identifier: GPL-2.0-or-later
"""How many bytes does the kernel take for somebody who does not read them?"""

import socket

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
connection, _ = listener.accept()
connection.setblocking(False)  # rather an error than to wait
took = connection.send(bytes(50_000_000))
print(f"of 50000000 bytes send has taken {took}")
try:
    while True:
        connection.send(b"one more")
except BlockingIOError as error:
    print(f"and then: {error.strerror}")
