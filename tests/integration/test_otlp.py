# SPDX-License-Identifier: GPL-2.0-or-later
"""--otlp, and a receiver of OTLP: what it is told is what the report says."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, ODD_SHOWN, PTMON, Targets, oddly_named

pytest.importorskip("opentelemetry.sdk")


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP, as the specification has it: protobuf, perhaps gzip."""

    def __init__(self, late: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.late = late
        self.metrics: list[Any] = []
        self.logs: list[Any] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, path: str, body: bytes) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        if path == "/v1/metrics":
            self.metrics.append(ExportMetricsServiceRequest.FromString(body))
        elif path == "/v1/logs":
            self.logs.append(ExportLogsServiceRequest.FromString(body))

    def moved(self) -> dict[str, int]:
        """Bytes by direction, of the last export: the counters are cumulative."""
        sums = {"transmit": 0, "receive": 0}
        for scope in self.metrics[-1].resource_metrics[0].scope_metrics:
            for metric in scope.metrics:
                assert (metric.name, metric.unit, metric.sum.is_monotonic) == ("process.network.io", "By", True)
                for point in metric.sum.data_points:
                    sums[attributes(point)["network.io.direction"]] += point.as_int
        return sums

    def records(self) -> list[Any]:
        return [
            record
            for request in self.logs
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        time.sleep(self.server.late)
        self.server.take(self.path, body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        """Nobody asked."""


def attributes(holder: Any) -> dict[str, Any]:
    def value(of: Any) -> Any:
        kind = of.WhichOneof("value")
        return [value(one) for one in of.array_value.values] if kind == "array_value" else getattr(of, kind)

    return {one.key: value(one.value) for one in holder.attributes}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(DEADLINE)


def ptmon(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PTMON, *map(str, words)], capture_output=True, text=True, timeout=DEADLINE, **keywords)


def test_a_receiver_is_told_what_the_report_says(receiver: Receiver, targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    done = ptmon(f"--otlp={receiver.url}", "-o", file, targets("crowd"), "3", "10")
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(file.read_text())
    assert receiver.moved() == {"transmit": report["totals"]["sent"], "receive": report["totals"]["received"]}
    resource = attributes(receiver.metrics[-1].resource_metrics[0].resource)
    assert resource["process.pid"] == report["processes"][0]["pid"]
    assert resource["process.command"] == str(targets("crowd"))
    assert resource["process.creation.time"] == report["started"]
    assert "127.0.0.1" not in str(receiver.metrics)
    closed = [attributes(record) for record in receiver.records()]
    assert len(closed) == len(report["sockets"]) == 60
    assert sum(one["network.io.transmit"] for one in closed) == report["totals"]["sent"]
    assert {one["network.peer.address"] for one in closed} == {"127.0.0.1"}
    assert {one["network.peer.port"] for one in closed} == {row["peer_port"] for row in report["sockets"]}


def test_a_name_that_is_no_unicode_is_shown(receiver: Receiver, targets: Targets, tmp_path: Path) -> None:
    program = oddly_named(targets("chatter"), tmp_path)
    done = ptmon("-q", f"--otlp={receiver.url}", program, "9")
    assert (done.returncode, done.stderr) == (0, "")
    assert receiver.moved() == {"transmit": 9, "receive": 9}
    assert attributes(receiver.metrics[-1].resource_metrics[0].resource)["process.command"].endswith(f"/{ODD_SHOWN}")


def test_the_variables_of_the_specification_are_honoured(receiver: Receiver, targets: Targets) -> None:
    import os

    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_SERVICE_NAME": "chatting"}
    assert ptmon("-q", "--otlp", targets("chatter"), "9", env=environment).returncode == 0
    assert receiver.moved() == {"transmit": 9, "receive": 9}
    assert attributes(receiver.metrics[-1].resource_metrics[0].resource)["service.name"] == "chatting"


@pytest.mark.parametrize("late", [None, 30.0], ids=["down", "silent"])
def test_a_collector_that_is_down_or_silent_loses_no_report(
    targets: Targets, tmp_path: Path, late: float | None
) -> None:
    file = tmp_path / "report.json"
    with Receiver(late or 0.0) as server:
        url = server.url
        if late is None:
            server.server_close()
        else:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
        begun = time.monotonic()
        done = ptmon(f"--otlp={url}", "-o", file, targets("chatter"), "40000")
        took = time.monotonic() - begun
        if late is not None:
            server.daemon_threads = True
            server.block_on_close = False
            server.shutdown()
            thread.join(DEADLINE)
    assert done.returncode == 0
    assert took < 20
    assert done.stderr.startswith("ptmon: --otlp: ") and done.stderr.count("\n") == 1
    assert "lost" in done.stderr
    assert json.loads(file.read_text())["totals"]["sent"] == 40_000


def test_a_failed_connect_is_a_log_record(receiver: Receiver) -> None:
    program = "import socket\ntry: socket.create_connection(('127.0.0.1', 1))\nexcept OSError: pass"
    assert ptmon("-q", f"--otlp={receiver.url}", sys.executable, "-c", program).returncode == 0
    (failed,) = [record for record in receiver.records() if record.event_name == "ptmon.connect.failed"]
    assert attributes(failed)["network.peer.port"] == 1


def test_what_is_no_url_is_said() -> None:
    done = ptmon("--otlp=localhost:4318", "true")
    assert done.returncode == 2
    assert "is no URL that begins with http:// or https://" in done.stderr
