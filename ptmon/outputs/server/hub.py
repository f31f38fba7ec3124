# SPDX-License-Identifier: GPL-2.0-or-later
"""The event server: the clients, and what they are sent. Runs in a thread of its own, in one asyncio loop.

The main thread only puts things into ``queue`` (by call_soon_threadsafe), and looks at ``audience`` and ``taken``.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ptmon.events import Event, EventMaker
from ptmon.frozen import dataclass
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs.formats import Formatter, create
from ptmon.outputs.server.client import FLUSH_SECONDS, Client, encoded
from ptmon.outputs.server.commands import FORMATS
from ptmon.outputs.server.door import Door
from ptmon.outputs.server.host import Stage
from ptmon.outputs.server.lines import Teller
from ptmon.report import Header, Report

SLICE = 256
"""Events that are made into lines at once; then the clients have their turn."""
SNAPSHOT_SECONDS = 0.1
"""A snapshot is good for all who ask within this: the ledger is locked while one is made."""


@dataclass(frozen=True, slots=True)
class Start:
    """The program runs."""

    header: Header


@dataclass(frozen=True, slots=True)
class Batch:
    """Events; ``lost`` others before them did not fit into the queue."""

    events: Sequence[Event]
    lost: int


@dataclass(frozen=True, slots=True)
class End:
    """Counting is over."""

    report: Report
    lost: int


class Hub:
    """Sends each event to all clients. It is the :class:`host.Host` of them."""

    def __init__(
        self,
        listeners: Iterable[socket.socket],
        *,
        max_clients: int,
        token: bytes | None,
        tls: ssl.SSLContext | None,
        source: Callable[[], Snapshot | None],
    ) -> None:
        self.token = token
        self.header: Header | None = None
        self.teller = Teller()
        self.queue: asyncio.Queue[Start | Batch | End] = asyncio.Queue()
        self.audience = 0
        """Clients that get events. Only this thread writes it, and ``taken``."""
        self.taken = 0
        """Events of the queue that are done with."""
        self.first = threading.Event()
        """There is, or was, a client; or the server has ended."""
        self._max = max_clients
        self._source = source
        self._door = Door(listeners, tls, self._welcome, self.gone)
        self._formatters: dict[str, Formatter] = {name: create(name) for name in FORMATS}
        self._coming: set[Client] = set()
        self._clients: dict[Client, None] = {}
        self._leaving: set[Client] = set()
        self._maker = EventMaker()
        self._snapshot: tuple[float, Event | None] = (float("-inf"), None)

    async def run(self) -> None:
        """Serves until the End has been sent, or until it is cancelled."""
        asyncio.get_running_loop().set_exception_handler(self._callback_failed)
        self._door.open()
        try:
            while True:
                item = await self.queue.get()
                if isinstance(item, Batch):
                    await self._send(item)
                elif isinstance(item, Start):
                    self.header = item.header
                    for client in list(self._clients):
                        client.catch_up()
                else:
                    await self._end(item)
                    return
        finally:
            self._door.close()
            for client in [*self._coming, *self._clients, *self._leaving]:
                client.abort()
            await self._door.closed()
            await asyncio.sleep(0)  # the transports have yet to close their sockets
            await asyncio.sleep(0)

    def is_full(self) -> bool:
        return len(self._clients) >= self._max and not any(client.quiet for client in self._clients)

    def refusal(self) -> str:
        are = "client is" if self._max == 1 else "clients are"
        return f"ptmon: {self._max} {are} connected already, no more are served\n"

    def admit(self, client: Client) -> bool:
        if len(self._clients) >= self._max:
            quiet = next((other for other in self._clients if other.quiet), None)
            if quiet is None:
                return False
            quiet.abort()  # most likely it is gone
            self.gone(quiet)
        self._coming.discard(client)
        self._clients[client] = None
        return True

    def joined(self, client: Client) -> None:
        self.audience = len(self._joined())
        self.first.set()

    def leaves(self, client: Client) -> bool:
        self.gone(client)
        room = len(self._leaving) < self._max
        if room:
            self._leaving.add(client)
        return room

    def gone(self, client: Client) -> None:
        self._coming.discard(client)
        self._leaving.discard(client)
        self._clients.pop(client, None)
        self.audience = len(self._joined())

    def formatter(self, name: str) -> Formatter:
        return self._formatters[name]

    def snapshot(self) -> Event | None:
        now = asyncio.get_running_loop().time()
        if now - self._snapshot[0] >= SNAPSHOT_SECONDS:
            snapshot = self._source()
            self._snapshot = (now, None if snapshot is None else self._maker.snapshot(snapshot))
        return self._snapshot[1]

    def _welcome(self, peer: str) -> Client | None:
        if len(self._coming) >= self._max:
            return None
        client = Client(self, peer)
        self._coming.add(client)
        return client

    def _joined(self) -> list[Client]:
        return [client for client in self._clients if client.stage is Stage.JOINED]

    async def _send(self, batch: Batch) -> None:
        if batch.lost:
            for client in self._joined():
                client.miss(batch.lost)
        events = batch.events
        for start in range(0, len(events), SLICE):
            part = events[start : start + SLICE]
            self._send_all(part)
            self.taken += len(part)
            await asyncio.sleep(0)

    def _send_all(self, events: Sequence[Event]) -> None:
        """Makes lines only in the forms that somebody takes, while somebody does: it takes the GIL from the tracer."""
        takers: dict[str, list[Client]] = {}
        for client in self._joined():
            if client.full:
                client.missed += len(events)
            else:
                takers.setdefault(client.format, []).append(client)
        for name, clients in takers.items():
            lines = self._formatters[name].lines
            data = encoded("".join([lines(event) for event in events]))
            for client in clients:
                client.send(data)

    async def _end(self, end: End) -> None:
        self._door.close()
        for client in [*self._coming]:
            client.abort()
        for client in [*self._clients]:
            client.join()
            client.miss(end.lost)
            client.leave(self._formatters[client.format].end(end.report))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + FLUSH_SECONDS + 0.5  # each client has its own; this is for whatever else happens
        while (self._clients or self._leaving) and loop.time() < deadline:
            await asyncio.sleep(0.005)

    def _callback_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised, or a socket: asyncio has closed that connection."""
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.teller.say(f"an error in the event server: {error!r} ({context.get('message')})", loop.time())
