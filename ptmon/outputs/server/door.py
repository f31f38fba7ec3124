# SPDX-License-Identifier: GPL-2.0-or-later
"""The event server's door: connections come in here, at a bounded pace and in bounded numbers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Any

from ptmon.outputs.server import access
from ptmon.outputs.server.client import FLUSH_SECONDS, Client

HANDSHAKE_SECONDS = 3.0
FAIR_SECONDS = 0.25
"""A TLS handshake that has had so long is given up for somebody who comes and finds no room: most take milliseconds."""
ACCEPT_AT_ONCE = 16
ACCEPT_PAUSE = 0.05
"""Seconds for which a flood of connections waits in the listener's queue."""
NO_FILES_PAUSE = 1.0


class Door:
    """Accepts connections. ``welcome`` makes a client of a peer's address, or None where there is no room."""

    def __init__(
        self,
        listeners: Iterable[socket.socket],
        tls: ssl.SSLContext | None,
        welcome: Callable[[str], Client | None],
        failed: Callable[[Client], None],
    ) -> None:
        self._listeners = list(listeners)
        self._tls = tls
        self._welcome = welcome
        self._failed = failed
        self._arrivals: dict[asyncio.Task[None], tuple[Client, float]] = {}
        """Who is coming, and since when; the one that came first is the first."""

    def open(self) -> None:
        """From now on connections are taken."""
        for listener in self._listeners:
            self._listen(listener)

    def close(self) -> None:
        """Nobody comes any more, nor those who are in a TLS handshake: see :meth:`closed`."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            if listener.fileno() >= 0:
                loop.remove_reader(listener)
                listener.close()
        for task in self._arrivals:
            task.cancel()

    async def closed(self) -> None:
        """Until all of it is closed."""
        await asyncio.gather(*self._arrivals, return_exceptions=True)

    def _listen(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _listen_later(self, listener: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(seconds, self._listen, listener)

    def _accept(self, listener: socket.socket) -> None:
        """Takes those that wait. asyncio's own server would take any number that do not finish their handshake."""
        for _ in range(ACCEPT_AT_ONCE):
            try:
                connection, peer = listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:  # it is gone already: accept(2)
                continue
            except OSError:  # no file descriptor or no memory is left
                self._listen_later(listener, NO_FILES_PAUSE)
                return
            self._take(connection, peer)
        self._listen_later(listener, ACCEPT_PAUSE)

    def _take(self, connection: socket.socket, peer: Any) -> None:
        connection.setblocking(False)
        with contextlib.suppress(OSError):  # it is gone already: the transport will notice
            access.keep_alive(connection)
        client = self._welcome(access.shown(peer)) or self._welcome_instead(access.shown(peer))
        if client is None:
            with contextlib.suppress(OSError), connection:
                if self._tls is None:
                    connection.send(b"ptmon: too many come at once, try again\n")
            return
        task = asyncio.get_running_loop().create_task(self._arrive(client, connection))
        self._arrivals[task] = client, asyncio.get_running_loop().time()
        task.add_done_callback(lambda done: self._arrivals.pop(done, None))

    def _welcome_instead(self, peer: str) -> Client | None:
        """Of the one that has been in its handshake for longest: who never ends it must not keep others waiting."""
        now = asyncio.get_running_loop().time()
        for task, (client, since) in self._arrivals.items():
            if now - since < FAIR_SECONDS:
                return None  # nor have the others behind it
            if not task.cancelling():
                task.cancel()
                self._failed(client)
                return self._welcome(peer)
        return None

    async def _arrive(self, client: Client, connection: socket.socket) -> None:
        loop, tls = asyncio.get_running_loop(), self._tls
        try:
            await loop.connect_accepted_socket(
                lambda: client,
                connection,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
                ssl_shutdown_timeout=FLUSH_SECONDS if tls else None,
            )
        except OSError as error:
            why = getattr(error, "reason", None) or error.strerror or "it took too long, or was given up"
            client.voice.tell(f"no TLS connection: {why}", loop.time())
            self._failed(client)
