# SPDX-License-Identifier: GPL-2.0-or-later
"""--metrics and --metrics-file: for Prometheus, which asks by HTTP, and for node_exporter's textfile collector."""

from __future__ import annotations

import argparse
import errno
import socket
import threading
from collections.abc import Iterable, Sequence
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    write_to_textfile,
)
from prometheus_client.exposition import make_wsgi_app

from ptmon import addresses
from ptmon.errors import PtmonError, kernel_word
from ptmon.export.exporter import Exporter, Place, Places, transport
from ptmon.outputs.server.access import is_token, read_token
from ptmon.records import (
    Connect,
    Connected,
    Denied,
    Direction,
    Incomplete,
    Record,
    SocketClosed,
    SocketSeen,
    Transfer,
)
from ptmon.report import Header
from ptmon.version import __version__

PLACE = ("comm", "transport", "scope")
BUCKETS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
"""Seconds that connects take: from the loopback to the other end of the world, and to a timeout."""
FILE_SECONDS = 5.0
WAYS = {Direction.SENT: "transmit", Direction.RECEIVED: "receive"}
CHALLENGE = [("WWW-Authenticate", "Bearer"), ("Content-Type", "text/plain")]


def make(words: Sequence[str]) -> Metrics:
    """Raises PtmonError."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listener", type=int, action="append", default=[])
    parser.add_argument("--token-file")
    parser.add_argument("--file")
    parser.add_argument("--pid", action="store_true")
    options = parser.parse_args(words)
    return Metrics(options.listener, options.token_file, options.file, label_pid=options.pid)


class Metrics(Exporter):
    """Counts, and answers by a thread for each listener."""

    def __init__(self, listeners: Sequence[int], token_file: str | None, file: str | None, *, label_pid: bool) -> None:
        self._token = None if token_file is None else read_token(token_file)
        self._file = file
        self._label_pid = label_pid
        self._places = Places()
        self._written = 0.0
        self._lost = 0
        self._open: dict[int, tuple[str, ...]] = {}
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._make(("pid", *PLACE) if label_pid else PLACE)
        self._servers = [_Server(number, self._app()) for number in listeners]
        if file is not None:
            self._write()

    def _make(self, labels: tuple[str, ...]) -> None:
        registry = self._registry
        self._bytes = {
            way: Counter(f"ptmon_process_network_{way}_bytes", f"payload bytes, {way}", labels, registry=registry)
            for way in WAYS.values()
        }
        of_calls = (*labels, "direction")
        self._calls = Counter("ptmon_process_network_calls", "calls that moved bytes", of_calls, registry=registry)
        self._errors = Counter("ptmon_process_network_errors", "calls that failed", of_calls, registry=registry)
        self._sockets = Gauge("ptmon_process_network_open_sockets", "sockets in use", labels, registry=registry)
        self._denials = Counter("ptmon_denials", "calls that were refused", ("comm",), registry=registry)
        self._failures = Counter("ptmon_connect_failures", "connects that failed", (*PLACE, "errno"), registry=registry)
        self._connects = Histogram(
            "ptmon_connect_seconds", "how long connects took", PLACE, registry=registry, buckets=BUCKETS
        )
        self._incomplete = Gauge("ptmon_incomplete", "1: something is missing, and why", ("reason",), registry=registry)
        self._dropped = Counter("ptmon_events_dropped", "batches that could not be taken", registry=registry)
        info = Gauge("ptmon_build_info", "1: this ptmon", ("version",), registry=registry)
        info.labels(__version__).set(1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._write()
        for server in self._servers:
            server.shutdown()

    def begin(self, header: Header, started: float) -> None:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def add(self, records: Sequence[Record], told: float) -> None:
        for record in self._places.told(records):
            self._add(record)
        if self._file is not None and told - self._written >= FILE_SECONDS:
            self._written = told
            self._write()

    def dropped(self, count: int) -> None:
        self._dropped.inc(count - self._lost)
        self._lost = count

    def _add(self, record: Record) -> None:
        if isinstance(record, Transfer):
            self._transfer(record)
        elif isinstance(record, SocketSeen):
            self._socket(record.socket, self._labels(record.pid, record.socket))
        elif isinstance(record, SocketClosed):
            if not record.maybe:
                self._socket(record.socket, None)
        elif isinstance(record, Connect):
            self._connect(record)
        elif isinstance(record, Denied):
            self._denials.labels(self._places.name(record.pid)).inc()
        elif isinstance(record, Incomplete):
            self._incomplete.labels(record.reason.value).set(1)

    def _labels(self, pid: int, number: int) -> tuple[str, ...]:
        place = self._places.of(pid, number)
        return (str(pid), *place) if self._label_pid else tuple(place)

    def _transfer(self, record: Transfer) -> None:
        labels = self._labels(record.pid, record.socket)
        way = WAYS.get(record.direction)
        if way is None:
            return  # a peek: the bytes come again
        self._bytes[way].labels(*labels).inc(record.bytes)
        self._calls.labels(*labels, way).inc(record.calls)
        if record.error:
            self._errors.labels(*labels, way).inc(record.calls)

    def _socket(self, number: int, labels: tuple[str, ...] | None) -> None:
        """It is of these now; None: it is closed."""
        before = self._open.pop(number, None)
        if before is not None:
            self._sockets.labels(*before).dec()
        if labels is not None:
            self._open[number] = labels
            self._sockets.labels(*labels).inc()

    def _connect(self, record: Connect) -> None:
        if record.error == errno.EINPROGRESS or record.end is Connected.ABANDONED:
            return
        place = Place(self._places.name(record.pid), transport(record), addresses.scope(record.family, record.peer))
        if record.error or record.end is Connected.FAILED:
            name = errno.errorcode.get(record.error, f"E{record.error}") if record.error else "unknown"
            self._failures.labels(*place, name).inc()
        elif record.took is not None:
            self._connects.labels(*place).observe(record.took)

    def _write(self) -> None:
        assert self._file is not None
        try:
            write_to_textfile(self._file, self._registry)
        except OSError as error:
            raise PtmonError(f"cannot write the metrics to {self._file}: {kernel_word(error.errno or 0)}") from None

    def _app(self) -> Any:
        metrics, token = make_wsgi_app(self._registry), self._token

        def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            said = environ.get("HTTP_AUTHORIZATION", "").partition(" ")[2].encode()
            if token is not None and not is_token(said, token):
                start("401 Unauthorized", CHALLENGE)
                return [b"a token is wanted: Authorization: Bearer WORD\n"]
            return metrics(environ, start)  # type: ignore[no-any-return]

        return answer


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *values: object) -> None:
        """Nobody asked."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, number: int, app: Any) -> None:
        listener = socket.socket(fileno=number)
        super().__init__(listener.getsockname()[:2], _Quiet, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.setup_environ()
        self.set_app(app)
