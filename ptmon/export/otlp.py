# SPDX-License-Identifier: GPL-2.0-or-later
"""--otlp: for OpenTelemetry collectors. Bytes are the metric ``process.network.io``, by the semantic conventions for
processes; connections are log records, for only there a peer may stand.

Where to is said by ``--otlp=URL`` or by the variables OTEL_EXPORTER_OTLP_* of the OpenTelemetry specification, which
the library reads itself; else http://localhost:4318.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from ptmon import addresses
from ptmon.export.exporter import Exporter, Places, transport
from ptmon.records import Connect, Direction, Incomplete, Record, SocketClosed, SocketSeen, Transfer
from ptmon.report import Header
from ptmon.text import printable
from ptmon.version import __version__

WAYS = {Direction.SENT: "transmit", Direction.RECEIVED: "receive"}
SECONDS = 2.0
"""Between two exports."""


def make(words: Sequence[str]) -> Otlp:
    """No error: whether a collector is there is seen when it is told something."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url")
    # What the library logs of a collector that is down would stand between the program's own lines.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    return Otlp(parser.parse_args(words).url)


class _Noting(OTLPMetricExporter):
    """Remembers whether the last export has failed."""

    failed = False

    def export(self, *values: Any, **named: Any) -> MetricExportResult:
        result = super().export(*values, **named)
        self.failed = result is not MetricExportResult.SUCCESS
        return result


class Otlp(Exporter):
    """Adds up, and lets the library send every two seconds and at the end."""

    def __init__(self, url: str | None) -> None:
        self._url = None if url is None else url.rstrip("/")
        self._places = Places()
        self._sockets: dict[int, SocketSeen] = {}
        self._moved: dict[int, list[int]] = {}
        self._started = 0.0
        self._exporter: _Noting | None = None
        self._providers: list[Any] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for provider in self._providers:
            provider.shutdown()
        if self._exporter is not None and self._exporter.failed:
            print("ptmon: --otlp: the collector could not be reached: what it was not told is lost", file=sys.stderr)

    def begin(self, header: Header, started: float) -> None:
        self._started = started
        resource = Resource.create(_resource(header))
        self._exporter = _Noting(endpoint=self._endpoint("metrics"))
        reader = PeriodicExportingMetricReader(self._exporter, export_interval_millis=SECONDS * 1000)
        meters = MeterProvider(metric_readers=[reader], resource=resource)
        meter = meters.get_meter("ptmon", __version__)
        self._bytes = meter.create_counter("process.network.io", "By", "payload bytes that calls have moved")
        loggers = LoggerProvider(resource=resource)
        loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=self._endpoint("logs"))))
        self._logger = loggers.get_logger("ptmon", __version__)
        self._providers = [loggers, meters]

    def add(self, records: Sequence[Record], told: float) -> None:
        for record in self._places.told(records):
            self._add(record)

    def dropped(self, count: int) -> None:
        """The recording says so itself, by an Incomplete."""

    def _endpoint(self, signal: str) -> str | None:
        return None if self._url is None else f"{self._url}/v1/{signal}"

    def _add(self, record: Record) -> None:
        if isinstance(record, Transfer):
            self._transfer(record)
        elif isinstance(record, SocketSeen):
            self._sockets[record.socket] = record
        elif isinstance(record, SocketClosed) and not record.maybe:
            self._closed(record)
        elif isinstance(record, Connect) and record.error:
            self._tell(
                record, "connect.failed", SeverityNumber.WARN, {**_peer(record), "error.type": str(record.error)}
            )
        elif isinstance(record, Incomplete):
            self._tell(record, "incomplete", SeverityNumber.WARN, {"reason": record.reason.value})

    def _transfer(self, record: Transfer) -> None:
        way = WAYS.get(record.direction)
        if way is None:
            return  # a peek: the bytes come again
        place = self._places.of(record.pid, record.socket)
        self._bytes.add(
            record.bytes,
            {
                "network.io.direction": way,
                "network.transport": place.transport,
                "process.executable.name": place.comm,
            },
        )
        moved = self._moved.setdefault(record.socket, [0, 0])
        moved[way == "receive"] += record.bytes

    def _closed(self, record: SocketClosed) -> None:
        socket = self._sockets.pop(record.socket, None)
        sent, received = self._moved.pop(record.socket, (0, 0))
        if socket is not None:
            members = {**_peer(socket), "network.io.transmit": sent, "network.io.receive": received}
            self._tell(record, "connection.closed", SeverityNumber.INFO, members)

    def _tell(self, record: Any, name: str, severity: SeverityNumber, members: Mapping[str, Any]) -> None:
        self._logger.emit(
            LogRecord(
                timestamp=int((self._started + record.time) * 1e9),
                severity_number=severity,
                event_name=f"ptmon.{name}",
                attributes={"process.pid": record.pid, **members},
            )
        )


def _peer(record: SocketSeen | Connect) -> dict[str, Any]:
    members: dict[str, Any] = {"network.transport": transport(record)}
    host, port = addresses.host(record.peer), addresses.port(record.peer)
    if host:
        members["network.peer.address"] = printable(host)
    if port is not None:
        members["network.peer.port"] = port
    return members


def _resource(header: Header) -> dict[str, Any]:
    members: dict[str, Any] = {
        "host.name": header.host,
        "process.pid": header.root,
        "process.creation.time": header.started,
    }
    if header.command:
        words = list(map(printable, header.command))
        members |= {"process.command": words[0], "process.command_args": words}
    return members
