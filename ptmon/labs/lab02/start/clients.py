# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: clients.py SERVER [ARG...] N

Starts a server, or a tracer with a server behind it, and is its N clients. Ends as the server does.
"""

import socket
import subprocess
import sys

TEXT = b"35 bytes that a client has to say.\n"

server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
port = int(server.stdout.readline().split()[1])
sent = received = 0
for _ in range(int(sys.argv[-1])):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(TEXT)
        sent += len(TEXT)
        while data := connection.recv(4096):
            received += len(data)
status = server.wait()
print(f"clients: sent {sent}, received {received}")
sys.exit(status)
