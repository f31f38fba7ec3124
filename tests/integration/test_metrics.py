# SPDX-License-Identifier: GPL-2.0-or-later
"""--metrics and --metrics-file: what Prometheus is told is what the report says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, ODD_SHOWN, PTMON, Targets, oddly_named, started, until

pytest.importorskip("prometheus_client")

SERIES = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


def ptmon(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PTMON, *map(str, words)], capture_output=True, text=True, timeout=DEADLINE, **keywords)


def series(text: str) -> dict[tuple[str, str], float]:
    """(name, labels) -> value."""
    return {(name, labels): float(value) for name, labels, value in SERIES.findall(text)}


def sums(found: dict[tuple[str, str], float], name: str, label: str = "") -> float:
    return sum(value for (one, labels), value in found.items() if one == name and label in labels)


def assert_agree(found: dict[tuple[str, str], float], report: dict[str, Any]) -> None:
    totals = report["totals"]
    assert sums(found, "ptmon_process_network_transmit_bytes_total") == totals["sent"]
    assert sums(found, "ptmon_process_network_receive_bytes_total") == totals["received"]
    calls = "ptmon_process_network_calls_total"
    assert sums(found, calls, 'direction="transmit"') == totals["calls_sent"]
    assert sums(found, calls, 'direction="receive"') == totals["calls_received"]
    assert sums(found, "ptmon_process_network_errors_total") == totals["errors"]


def get(address: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=DEADLINE) as answer:
        return str(answer.read().decode())


@pytest.fixture
def served(targets: Targets, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """A program that has moved 500 bytes each way and waits; the address of its metrics; its report."""
    report = tmp_path / "report.json"
    words = [*PTMON, "--metrics", "0", "-o", str(report), str(targets("chatter")), "500", "wait"]
    with started(words, stdin=subprocess.PIPE) as process:
        assert process.stderr is not None and process.stdout is not None
        said = re.fullmatch(r"ptmon: metrics at (http://127\.0\.0\.1:[0-9]+/metrics)\n", process.stderr.readline())
        assert said is not None
        assert process.stdout.readline()
        yield process, said[1], report


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 0


def test_what_is_told_while_the_program_runs_is_what_the_report_says(
    served: tuple[subprocess.Popen[str], str, Path],
) -> None:
    process, address, file = served
    name = "ptmon_process_network_transmit_bytes_total"
    until(lambda: sums(series(get(address)), name) == 500, "the metrics")
    found = series(get(address))
    end(process)
    assert_agree(found, json.loads(file.read_text()))
    assert found[name, 'comm="chatter",scope="local",transport="unix"'] == 500
    assert sums(found, "ptmon_process_network_open_sockets") == 2
    assert sums(found, "ptmon_build_info") == 1
    assert sums(found, "ptmon_events_dropped_total") == 0


def test_an_exporter_that_is_killed_holds_nobody_up(served: tuple[subprocess.Popen[str], str, Path]) -> None:
    process, _, file = served
    (exporter,) = [
        int(pid)
        for pid in os.listdir("/proc")
        if pid.isdigit() and b"ptmon.export" in cmdline(pid) and parent(pid) == process.pid
    ]
    os.kill(exporter, signal.SIGKILL)
    _, said = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert said == "ptmon: --metrics: its process has ended: EPIPE: Broken pipe; the program goes on\n"
    assert json.loads(file.read_text())["totals"]["sent"] == 500


def cmdline(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_a_stopped_exporter_holds_nobody_up_and_what_it_misses_is_counted(
    served: tuple[subprocess.Popen[str], str, Path],
) -> None:
    process, _, file = served
    (exporter,) = [
        int(pid) for pid in os.listdir("/proc") if b"ptmon.export" in cmdline(pid) and parent(pid) == process.pid
    ]
    os.kill(exporter, signal.SIGSTOP)
    end(process)
    assert json.loads(file.read_text())["totals"]["sent"] == 500
    assert not Path(f"/proc/{exporter}").exists()


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")
def test_a_prometheus_server_scrapes_it_and_answers_a_query(
    served: tuple[subprocess.Popen[str], str, Path], tmp_path: Path
) -> None:
    process, address, file = served
    target = urllib.parse.urlsplit(address).netloc
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 200ms}\n"
        f"scrape_configs: [{{job_name: ptmon, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data"]
    base = f"http://127.0.0.1:{port}/api/v1/query?query="
    query = urllib.parse.quote("sum(ptmon_process_network_transmit_bytes_total{comm='chatter'})")

    def answered() -> float:
        try:
            result = json.loads(get(base + query))["data"]["result"]
        except (OSError, ValueError):
            return 0.0
        return float(result[0]["value"][1]) if result else 0.0

    with started([*words, f"--web.listen-address=127.0.0.1:{port}"]) as server:
        until(lambda: answered() == 500, "prometheus to have scraped")
        server.terminate()
        server.wait(timeout=DEADLINE)
    end(process)
    assert json.loads(file.read_text())["totals"]["sent"] == 500


def test_the_file_has_what_the_report_has(targets: Targets, tmp_path: Path) -> None:
    file, report = tmp_path / "run.prom", tmp_path / "report.json"
    words = ("--metrics-file", file, "--metrics-label", "pid", "-o", report)
    done = ptmon(*words, "--deny", "sendmmsg", targets("crowd"), "3", "10")
    assert (done.returncode, done.stderr) == (0, "")
    found = series(file.read_text())
    assert_agree(found, json.loads(report.read_text()))
    assert sums(found, "ptmon_connect_seconds_count") == 30
    assert sums(found, "ptmon_process_network_open_sockets") == 0
    pid = json.loads(report.read_text())["processes"][0]["pid"]
    assert sums(found, "ptmon_process_network_transmit_bytes_total", f'pid="{pid}"') > 0
    assert "127.0.0.1" not in file.read_text()
    assert list(tmp_path.glob("run.prom*")) == [file]


def test_what_went_wrong_is_told(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "run.prom"
    program = "import socket\ntry: socket.create_connection(('127.0.0.1', 1))\nexcept OSError: pass"
    assert ptmon("-q", "--metrics-file", file, "--deny", "ptrace", sys.executable, "-c", program).returncode == 0
    found = series(file.read_text())
    assert sums(found, "ptmon_connect_failures_total", 'errno="ECONNREFUSED"') == 1
    done = ptmon("-q", "--metrics-file", file, "--deny", "sendto", targets("chatter"), "1")
    assert done.returncode != 0
    assert sums(series(file.read_text()), "ptmon_denials_total", 'comm="chatter"') == 1


def test_a_name_that_is_no_unicode_is_shown(targets: Targets, tmp_path: Path) -> None:
    file = tmp_path / "run.prom"
    done = ptmon("-q", "--metrics-file", file, oddly_named(targets("chatter"), tmp_path), "7")
    assert (done.returncode, done.stderr) == (0, "")
    label = ODD_SHOWN.replace("\\", r"\\").replace('"', r"\"")
    assert sums(series(file.read_text()), "ptmon_process_network_transmit_bytes_total", f'comm="{label}"') == 7


def test_what_hooks_refuse_is_a_denial_as_well(targets: Targets, tmp_path: Path) -> None:
    file, hooks = tmp_path / "ptmon.prom", tmp_path / "hooks.py"
    hooks.write_text('import ptmon\nno = ptmon.hook("sendto")(lambda call: ptmon.Deny("EPERM"))\n')
    ptmon("-q", "--metrics-file", file, "--hooks", hooks, targets("chatter"), "1")
    assert sums(series(file.read_text()), "ptmon_denials_total", 'comm="chatter"') == 1


def test_a_token_is_asked_for(targets: Targets, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("sesame\n")
    token.chmod(0o600)
    words = ["--metrics", "0", "--serve-token-file", str(token), "-q", str(targets("chatter")), "5", "wait"]
    with started([*PTMON, *words], stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        address = process.stderr.readline().split()[-1]
        with pytest.raises(urllib.error.HTTPError) as refused:
            get(address)
        assert refused.value.code == 401
        assert "ptmon_build_info" in get(address, Authorization="Bearer sesame")
        process.communicate(timeout=DEADLINE)


def test_what_cannot_be_served_is_said_before_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = ptmon("--metrics", str(taken.getsockname()[1]), "touch", tmp_path / "made")
    assert done.returncode == 125
    assert done.stderr.startswith("ptmon: ") and "EADDRINUSE" in done.stderr and done.stderr.count("\n") == 1
    done = ptmon("--metrics", "0.0.0.0:0", "touch", tmp_path / "made")
    assert "--metrics: 0.0.0.0 is not a loopback address" in done.stderr
    done = ptmon("--metrics-file", tmp_path / "none" / "file", "touch", tmp_path / "made")
    assert "cannot write the metrics to" in done.stderr
    assert list(tmp_path.iterdir()) == []


LICENSED = """
import sys
{imports}
assert not [name for name in sys.modules if name.split(".")[0] == "ptrace"], "python-ptrace"
"""


def test_what_exports_never_imports_python_ptrace(targets: Targets, tmp_path: Path) -> None:
    """Its licence does not go with those of the exporters' libraries in one program."""
    imports = "import ptmon.export.__main__, ptmon.export.metrics, ptmon.export.otlp"
    assert subprocess.run([sys.executable, "-c", LICENSED.format(imports=imports)]).returncode == 0
    recording = tmp_path / "recording"
    assert ptmon("-q", "--record", recording, "--trace", "%network", targets("chatter"), "3").returncode == 0
    run = "from ptmon.export.__main__ import main\nmain(['metrics', '--file', sys.argv[1]])"
    with recording.open("rb") as stream:
        words = [sys.executable, "-c", LICENSED.format(imports=run), str(tmp_path / "run.prom")]
        assert subprocess.run(words, stdin=stream, stdout=subprocess.DEVNULL).returncode == 0
    assert sums(series((tmp_path / "run.prom").read_text()), "ptmon_process_network_calls_total") == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metrics-label", "pid", "true"], "--metrics-label wants --metrics [HOST:]PORT or --metrics-file FILE"),
        (["--metrics", "0", "--engine", "reference", "true"], "leave out --engine reference"),
    ],
)
def test_what_does_not_go_together_is_said(words: list[str], said: str) -> None:
    done = ptmon(*words)
    assert done.returncode == 2
    assert said in done.stderr
