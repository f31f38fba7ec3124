# SPDX-License-Identifier: GPL-2.0-or-later
"""A node HTTP server and a node client, both under ptmon. The truth is node's own socket.bytesRead and bytesWritten."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.real import checked, free_port, over_tcp, program, serving, tcp_rows
from tests.support import run_ptmon

NO_RING = {**os.environ, "UV_USE_IO_URING": "0"}
"""libuv 1.45 to 1.47 may read files by io_uring: that is no traffic, but ptmon could not tell."""

SERVER = """
const http = require("http");
const told = {sent: 0, received: 0, requests: 0};
const server = http.createServer((request, response) => {
    let size = 0;
    request.on("data", (chunk) => { size += chunk.length; });
    request.on("end", () => {
        told.requests += 1;
        response.setHeader("X-Size", size);
        response.end(Buffer.alloc(Number(request.url.slice(1)), "x"));
    });
});
server.on("connection", (socket) => socket.on("close", () => {
    told.sent += socket.bytesWritten;
    told.received += socket.bytesRead;
}));
server.listen(Number(process.argv[1]), "127.0.0.1");
process.on("SIGTERM", () => server.close());
process.on("exit", () => console.log(JSON.stringify(told)));
"""
CLIENT = """
const http = require("http");
const told = {sent: 0, received: 0};
const [port, exchanges] = [Number(process.argv[1]), JSON.parse(process.argv[2])];
const agent = new http.Agent({keepAlive: true, maxSockets: 2});
const sockets = new Set();

function exchange([upload, download]) {
    return new Promise((resolve, reject) => {
        const options = {host: "127.0.0.1", port, path: "/" + download, method: "POST", agent};
        const request = http.request(options, (response) => {
            let size = 0;
            response.on("data", (chunk) => { size += chunk.length; });
            response.on("end", () => {
                if (size !== download || Number(response.headers["x-size"]) !== upload)
                    reject(new Error("lost bytes"));
                resolve();
            });
        });
        request.on("error", reject);
        request.on("socket", (socket) => {
            if (!sockets.has(socket))
                socket.on("close", () => {
                    told.sent += socket.bytesWritten;
                    told.received += socket.bytesRead;
                });
            sockets.add(socket);
        });
        request.end(Buffer.alloc(upload, "y"));
    });
}

process.on("exit", () => console.log(JSON.stringify(told)));
Promise.all(exchanges.map(exchange)).then(() => agent.destroy());
"""
EXCHANGES = [(0, 35), (35, 0), (997, 2_000_003), (1_500_007, 997), (1, 1), (65_537, 65_537), (211, 211)]
"""Sizes that the client posts and that the server answers with."""


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_node_counts_the_same_bytes_itself_on_both_sides(tmp_path: Path, seccomp: str) -> None:
    node, port, options = program("node"), free_port(), ["--seccomp", seccomp]
    with serving([node, "-e", SERVER, str(port)], port, tmp_path, options, env=NO_RING) as server:
        command = [node, "-e", CLIENT, str(port), json.dumps(EXCHANGES)]
        client = run_ptmon(command, tmp_path / "client.json", options, env=NO_RING)
        assert client.returncode == 0, client.stderr
        report = server.end(signal.SIGTERM)
    ours, theirs = client.told, json.loads(server.log.read_text())
    assert theirs == {"sent": ours["received"], "received": ours["sent"], "requests": len(EXCHANGES)}
    assert ours["sent"] > sum(upload for upload, _ in EXCHANGES)
    assert ours["received"] > sum(download for _, download in EXCHANGES)
    assert over_tcp(checked(client.report)) == (ours["sent"], ours["received"])
    assert over_tcp(report) == (theirs["sent"], theirs["received"])
    assert len(tcp_rows(report)) == len(tcp_rows(client.report)) == 2
