# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: clients.py SLEEPERS SERVER [ARG...]

Starts a server, and connects to it: first clients that never read, then one that reads, and says what it got. When all
are connected the source gets a line on its stdin.
"""

import re
import socket
import subprocess
import sys

server = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
port = int(server.stdout.readline().split()[1])
clients = []
for _ in range(int(sys.argv[1]) + 1):
    client = socket.create_connection(("127.0.0.1", port))
    assert client.recv(10) == b"listening\n"  # so it gets all that comes from now on
    clients.append(client)
server.stdin.write("\n")
server.stdin.close()

reader = clients.pop()
data = reader.recv(1 << 20)
reader.settimeout(1 if clients else None)
said = ""
try:
    while more := reader.recv(1 << 20):
        data += more
except TimeoutError:
    said = ", and then nothing for a second"
notes = re.findall(rb"^\.\.\. (\d+) events dropped$", data, re.MULTILINE)
lines = data.split(b"\n")
dropped = f", {sum(map(int, notes))} dropped" if notes else ""
print(f"{len(lines) - 1 - len(notes)} lines{dropped}{said}; the last is {lines[-2][:40]}")
if said:
    server.kill()
for client in clients:
    client.close()
server.wait()
