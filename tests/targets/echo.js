// SPDX-License-Identifier: GPL-2.0-or-later
// echo CONNECTIONS ROUNDS [wait]: sends known bytes to itself over TCP.
"use strict";
const net = require("net");
const [connections, rounds] = process.argv.slice(2, 4).map(Number);
const told = {sent: 0, received: 0};
const sizeOf = (number, round) => 1 + (round * 977 + number * 131) % 20000;

function tell(socket) {
    socket.on("close", () => {
        told.sent += socket.bytesWritten;
        told.received += socket.bytesRead;
    });
}

function talk(port, number) {
    const socket = net.connect(port, "127.0.0.1");
    let round = -1, bytes = Buffer.alloc(0), answer = Buffer.alloc(0);
    const next = () => {
        if (!answer.equals(bytes))
            throw new Error("other bytes came back");
        round += 1;
        if (round === rounds)
            return socket.end();
        bytes = Buffer.from(Array.from({length: sizeOf(number, round)}, (_, i) => (i * 31 + round + number) & 255));
        answer = Buffer.alloc(0);
        return socket.write(bytes);
    };
    tell(socket);
    socket.on("connect", next);
    socket.on("data", (data) => {
        answer = Buffer.concat([answer, data]);
        if (answer.length >= bytes.length)
            next();
    });
    return new Promise((resolve) => socket.on("close", resolve));
}

const server = net.createServer((socket) => {
    tell(socket);
    socket.pipe(socket);
});

function run() {
    const talks = Array.from({length: connections}, (_, number) => talk(server.address().port, number));
    Promise.all(talks).then(() => server.close(() => console.log(JSON.stringify(told))));
}

server.listen(0, "127.0.0.1", () => {
    if (process.argv.length === 4)
        return run();
    console.log("ready");
    return process.stdin.once("data", () => {
        process.stdin.destroy();
        run();
    });
});
