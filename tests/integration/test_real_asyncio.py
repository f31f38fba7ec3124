# SPDX-License-Identifier: GPL-2.0-or-later
"""An asyncio echo server and its clients, both under ptmon. The truth is what each program itself wrote and read."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.real import checked, free_port, over_tcp, serving, tcp_rows
from tests.support import run_ptmon

TELL = """
import asyncio, json, signal, sys

host, port = "127.0.0.1", int(sys.argv[1])
told = {"sent": 0, "received": 0}


async def send(writer, data):
    writer.write(data)
    told["sent"] += len(data)
    await writer.drain()


async def receive(reader, size):
    data = await reader.read(size)
    told["received"] += len(data)
    return data


async def close(writer):
    writer.close()
    await writer.wait_closed()
"""
SERVER = (
    TELL
    + """
async def echo(reader, writer):
    while data := await receive(reader, 65536):
        await send(writer, data)
    await close(writer)


async def main():
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    async with await asyncio.start_server(echo, host, port):
        await done.wait()
    print(json.dumps(told))


asyncio.run(main())
"""
)
CLIENT = (
    TELL
    + """
async def pour(writer, sizes):
    for size in sizes:
        await send(writer, bytes(size))
    writer.write_eof()


async def converse(sizes):
    reader, writer = await asyncio.open_connection(host, port)
    pouring = asyncio.create_task(pour(writer, sizes))
    left = sum(sizes)
    while data := await receive(reader, 8192):
        left -= len(data)
    assert left == 0
    await pouring
    await close(writer)


async def main():
    await asyncio.gather(*(converse(sizes) for sizes in json.loads(sys.argv[2])))
    print(json.dumps(told))


asyncio.run(main())
"""
)
CONVERSATIONS = [[1], [35] * 5, [7, 997, 65537], [3_000_017], [211] * 101, [1_000_003, 1]]
"""The sizes that each client sends, all clients at once. The large ones fill the kernel's buffers: EAGAIN, parts."""


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_echoed_bytes_are_sent_and_received_by_both_sides(tmp_path: Path, seccomp: str) -> None:
    total = sum(sum(sizes) for sizes in CONVERSATIONS)
    options = ["--seccomp", seccomp]
    port = free_port()
    with serving([sys.executable, "-c", SERVER, str(port)], port, tmp_path, options) as server:
        command = [sys.executable, "-c", CLIENT, str(port), json.dumps(CONVERSATIONS)]
        client = run_ptmon(command, tmp_path / "client.json", options)
        assert client.returncode == 0, client.stderr
        report = server.end(signal.SIGTERM)
    told = {"sent": total, "received": total}
    assert (client.told, json.loads(server.log.read_text())) == (told, told)
    assert over_tcp(checked(client.report)) == (total, total)
    assert over_tcp(report) == (total, total)


def test_each_connection_has_a_row_on_both_sides(tmp_path: Path) -> None:
    port = free_port()
    with serving([sys.executable, "-c", SERVER, str(port)], port, tmp_path) as server:
        command = [sys.executable, "-c", CLIENT, str(port), json.dumps(CONVERSATIONS)]
        client = run_ptmon(command, tmp_path / "client.json")
        assert client.returncode == 0, client.stderr
        report = server.end(signal.SIGTERM)
    ours = {(row["local"], row["peer"], row["sent"], row["received"]) for row in tcp_rows(client.report)}
    theirs = {(row["peer"], row["local"], row["received"], row["sent"]) for row in tcp_rows(report)}
    assert ours == theirs
    assert sorted(sent for _, _, sent, _ in ours) == sorted(sum(sizes) for sizes in CONVERSATIONS)
