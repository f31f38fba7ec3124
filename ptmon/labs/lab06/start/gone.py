# SPDX-License-Identifier: GPL-2.0-or-later
"""What does a server see of a client that is gone?"""

import select
import socket

listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
connection, _ = listener.accept()
client.close()
print(f"the first send has taken {connection.send(b'event 1')} bytes")
watch = select.poll()
watch.register(connection, 0)
watch.poll()  # until its kernel has answered: there is nobody
try:
    connection.send(b"event 2")
except OSError as error:
    print(f"the second one: {error.strerror}")
