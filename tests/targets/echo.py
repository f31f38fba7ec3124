# SPDX-License-Identifier: GPL-2.0-or-later
"""echo CONNECTIONS ROUNDS [wait]: threads send known bytes to each other over TCP, with signals, handled by Python."""

import json
import signal
import socket
import sys
import threading

told = {"sent": 0, "received": 0}
lock = threading.Lock()
sending = ("send", "sendmsg", "sendall")


def size_of(number: int, round_: int) -> int:
    return 1 + (round_ * 977 + number * 131) % 20000


def note(way: str, count: int) -> None:
    with lock:
        told[way] += count


def send(end: socket.socket, data: bytes, how: str) -> None:
    if how == "sendall":
        end.sendall(data)
        note("sent", len(data))
        return
    while data:
        count = end.send(data) if how == "send" else end.sendmsg([data[:7], data[7:]])
        note("sent", count)
        data = data[count:]


def receive(end: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = end.recv(size - len(data)) if len(data) % 2 else end.recvmsg(size - len(data))[0]
        assert part
        note("received", len(part))
        data += part
    return bytes(data)


def serve(end: socket.socket, number: int, rounds: int) -> None:
    for round_ in range(rounds):
        send(end, receive(end, size_of(number, round_)), sending[round_ % 3])
    end.close()


def talk(end: socket.socket, number: int, rounds: int) -> None:
    for round_ in range(rounds):
        data = bytes((i * 31 + round_ + number) & 255 for i in range(size_of(number, round_)))
        send(end, data, sending[number % 3])
        assert receive(end, len(data)) == data
    end.close()


def main() -> None:
    connections, rounds = int(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        if len(sys.argv) > 3:
            print("ready", flush=True)
            sys.stdin.read(1)
        signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
        threads = []
        for number in range(connections):
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
            threads.append(threading.Thread(target=serve, args=(server, number, rounds)))
            threads.append(threading.Thread(target=talk, args=(client, number, rounds)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps(told))


main()
