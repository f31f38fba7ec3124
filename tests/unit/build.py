# SPDX-License-Identifier: GPL-2.0-or-later
"""Shorthands for records, addresses and ledgers, so that a test shows only what it is about."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

from ptmon.engines import EngineSettings, Past
from ptmon.errors import AttachError
from ptmon.ledger.ledger import Ledger
from ptmon.records import (
    Clone,
    Connect,
    Connected,
    Direction,
    Exec,
    Exit,
    Fallback,
    FallbackReason,
    Record,
    SocketClosed,
    SocketSeen,
    TcpCounters,
    Transfer,
)
from ptmon.report import Header, Report

ROOT = 17
PTMON = 16
HEADER = Header("host", ("./server.out",), "launch", "native", "2026-11-21T20:00:00.000000Z", ROOT, PTMON)
ATTACHED = Header("host", (), "attach", "native", "2026-11-21T20:00:00.000000Z", ROOT, None)


def inet(host: str, port: int) -> bytes:
    """struct sockaddr_in."""
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)


def inet6(host: str, port: int, scope_id: int = 0) -> bytes:
    """struct sockaddr_in6."""
    head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + socket.inet_pton(socket.AF_INET6, host) + struct.pack("=I", scope_id)


def unix(path: bytes) -> bytes:
    """struct sockaddr_un."""
    return struct.pack("=H", socket.AF_UNIX) + path


def sent(count: int, number: int = 1, **other: Any) -> Transfer:
    return transfer(Direction.SENT, count, number, **{"syscall": "sendto", **other})


def received(count: int, number: int = 1, **other: Any) -> Transfer:
    return transfer(Direction.RECEIVED, count, number, **{"syscall": "recvfrom", **other})


def peeked(count: int, number: int = 1, **other: Any) -> Transfer:
    return transfer(Direction.PEEKED, count, number, **{"syscall": "recvfrom", **other})


def transfer(
    direction: Direction,
    count: int,
    number: int,
    *,
    syscall: str,
    time: float = 0.5,
    pid: int = ROOT,
    tid: int | None = None,
    calls: int = 1,
    error: int = 0,
    fast: bool = False,
) -> Transfer:
    return Transfer(time, pid, pid if tid is None else tid, syscall, 4, number, direction, calls, count, error, fast)


def tcp(number: int, inode: int | None = None, port: int = 50000, peer: str = "127.0.0.1") -> SocketSeen:
    """A TCP connection from the server's port 8080."""
    ends = (inet("127.0.0.1", 8080), inet(peer, port))
    return SocketSeen(0.1, ROOT, ROOT, 4, number, 1000 + number if inode is None else inode, 2, 1, 6, *ends)


def udp(number: int, inode: int, peer: bytes) -> SocketSeen:
    return SocketSeen(0.1, ROOT, ROOT, 4, number, inode, 2, 2, 17, inet("127.0.0.1", 53), peer)


def close(
    number: int = 1, counters: tuple[int, int] | None = None, auditable: bool = True, *, fd: int = 4
) -> SocketClosed:
    tcp_info = None if counters is None else TcpCounters(*counters, 0, 21, auditable)
    return SocketClosed(0.9, ROOT, ROOT, fd, number, tcp_info)


def connect(
    peer: bytes | None = None,
    error: int = 0,
    end: Connected = Connected.RETURNED,
    *,
    inode: int = 1001,
    took: float | None = 0.25,
) -> Connect:
    """A connect of TCP, to 127.0.0.1:1 if nothing else is said."""
    to = inet("127.0.0.1", 1) if peer is None else peer
    return Connect(0.2, ROOT, ROOT, 4, inode, 2, 1, 6, to, end, error, took)


def falls_back(reason: FallbackReason, pid: int = ROOT, error: int = 0) -> Fallback:
    return Fallback(0.3, pid, reason, error)


def born(pid: int, tid: int, parent: int, time: float = 0.0) -> Clone:
    return Clone(time, pid, tid, parent)


def executes(name: str, pid: int = ROOT, tid: int | None = None, **other: Any) -> Exec:
    facts = {"executable": f"/bin/{name}", "argv": (name,), "attached": False, "parent": None, **other}
    return Exec(0.0, pid, pid if tid is None else tid, name, **facts)


def exits(
    pid: int = ROOT, code: int | None = 0, signal: int | None = None, *, tid: int | None = None, name: str = ""
) -> Exit:
    return Exit(1.0, pid, pid if tid is None else tid, name, code, signal)


def server() -> list[Record]:
    """A server that exchanges 35 bytes with each of five clients."""
    records: list[Record] = [born(ROOT, ROOT, PTMON), executes("server.out")]
    for number in range(1, 6):
        records += [tcp(number, port=50000 + number), received(35, number), sent(35, number), close(number, (35, 35))]
    return [*records, exits()]


def report_of(records: Iterable[Any], header: Header = HEADER, duration: float = 1.25, **ledger: int) -> Report:
    """What a ledger makes of records."""
    book = Ledger(header, **ledger)
    for record in records:
        book.add(record)
    return book.report(duration)


class FakeEngine:
    """An engine that tells the batches it was made with: ``FakeEngine.script`` is a list of (time, records)."""

    name = "native"
    script: Sequence[tuple[float, Sequence[Record]]] = ()
    failure: Exception | None = None
    settings: EngineSettings

    def __init__(self, settings: EngineSettings) -> None:
        FakeEngine.settings = settings
        self.duration = settings.duration
        self.root = 0
        self.past: Past | None = None
        self.started = 0.0
        self.counting = True
        self.exit: Exit | None = None
        self.refused: list[AttachError] = []
        self._now = 0.0

    def stop(self) -> None:
        self.duration = 0.0

    def send_signal(self, number: int) -> None:
        """There is no process."""

    def elapsed(self) -> float:
        return self._now

    @property
    def told(self) -> float:
        return self._now

    def __enter__(self) -> FakeEngine:
        if self.failure is not None:
            raise self.failure
        self.root = ROOT
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.root = 0

    def __iter__(self) -> Iterator[Sequence[Record]]:
        for moment, records in self.script:
            if self.counting:
                self._now = moment
            self.counting = self.duration is None or moment < self.duration
            for record in records:
                if isinstance(record, Exit) and record.pid == ROOT:
                    self.exit = record
            yield records
