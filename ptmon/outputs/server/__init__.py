# SPDX-License-Identifier: GPL-2.0-or-later
"""--serve: the events over TCP, for telnet and nc. This is the main thread's side, which never waits for a client."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from ptmon.defaults import MAX_CLIENTS
from ptmon.errors import PtmonError
from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.option_values import Address
from ptmon.options import Options
from ptmon.outputs import SilentOutput, stderr
from ptmon.outputs.server import access
from ptmon.outputs.server.hub import Batch, End, Hub, Start
from ptmon.outputs.server.thread import ServerThread
from ptmon.report import Header, Report

QUEUE_MOST = 65_536
"""Events that wait for the server's thread; what comes beyond is lost for every client, and told."""


def make(options: Options, host: str) -> ServerOutput:
    """The output that ``options`` ask for."""
    assert options.serve is not None
    return ServerOutput(
        options.serve,
        max_clients=options.max_clients,
        wait_client=options.wait_client,
        token_file=options.serve_token_file,
        cert=options.serve_cert,
        key=options.serve_key,
    )


class ServerOutput(SilentOutput):
    """Sends the events to whoever connects.

    ``token_file`` has the word that clients give first; ``cert`` and ``key`` (PEM) are for TLS. ``wait_client``: enter
    returns when the first client is there. ``snapshot_source`` gives the totals to clients that ask; it is called in
    the server's thread.
    """

    wants_events = True

    def __init__(
        self,
        address: Address,
        *,
        max_clients: int = MAX_CLIENTS,
        wait_client: bool = False,
        token_file: str | None = None,
        cert: str | None = None,
        key: str | None = None,
    ) -> None:
        self.snapshot_source: Callable[[], Snapshot | None] | None = None
        self.addresses: tuple[str, ...] = ()
        """Where it listens, as 127.0.0.1:8080."""
        self._address = address
        self._max_clients = max_clients
        self._wait_client = wait_client
        self._token_file = token_file
        self._cert = cert
        self._key = key
        self._thread: ServerThread | None = None
        self._put = 0
        """Events given to the thread; it counts those that it has done with."""
        self._lost = 0

    def __enter__(self) -> ServerOutput:
        """Listens, and says where. Raises PtmonError."""
        access.check_clients(self._max_clients)
        token = None if self._token_file is None else access.read_token(self._token_file)
        tls = None if self._cert is None else access.tls(self._cert, self._key)
        with ExitStack() as stack:
            listeners = access.listen(self._address, token=token is not None)
            for listener in listeners:
                stack.enter_context(listener)
            bound = [listener.getsockname() for listener in listeners]
            self.addresses = tuple(access.shown(entry) for entry in bound)
            hub = Hub(listeners, max_clients=self._max_clients, token=token, tls=tls, source=self._snapshot)
            self._thread = thread = ServerThread(hub)
            thread.start()
            stack.callback(thread.close)  # before the listeners: they are the thread's now
            stderr.say(self._listening(*bound[0][:2]))
            if self._wait_client:
                self._wait(hub, thread)
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.close()

    def start(self, header: Header) -> None:
        if self._thread is not None:
            self._thread.post(Start(header))

    def write(self, events: Sequence[Event]) -> None:
        """Hands them to the server's thread, or counts them as lost where too many wait there already."""
        thread = self._thread
        if thread is None or not thread.hub.audience:
            self._lost = 0
            return
        waiting = self._put - thread.hub.taken
        if waiting and waiting + len(events) > QUEUE_MOST:
            self._lost += len(events)
            return
        self._put += len(events)
        lost, self._lost = self._lost, 0
        thread.post(Batch(events, lost))

    def finish(self, report: Report) -> None:
        if self._thread is not None:
            self._thread.post(End(report, self._lost))

    def _listening(self, host: str, port: int) -> str:
        how = f"telnet {host} {port}" if self._cert is None else f"openssl s_client -quiet -connect {self.addresses[0]}"
        said = f"serving events on {' and '.join(self.addresses)} ({how})"
        if self._wait_client:
            said += "; the program starts when a client is there"
        if self._cert is None and not access.is_loopback(host):
            said += "; without --serve-cert the token and the events cross the network readable"
        return said

    def _wait(self, hub: Hub, thread: ServerThread) -> None:
        """Ctrl-C raises KeyboardInterrupt here."""
        hub.first.wait()
        if not thread.alive():
            raise PtmonError("no client can come: the event server has failed")

    def _snapshot(self) -> Snapshot | None:
        return None if self.snapshot_source is None else self.snapshot_source()
