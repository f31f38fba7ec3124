# SPDX-License-Identifier: GPL-2.0-or-later
"""--log, --log-format and --interval of real runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.counting import only_child
from tests.support import DEADLINE, PTMON, Targets, process_state, run_plain, started, status_field, tracing, until
from tests.unit.schema import event_validator, validator

STAMP = re.compile(r"^\[ *[0-9]+\.[0-9]{6}\] (.*)$")
EVENTFUL = """
{processes} lineage
{processes} exec
{threads} pairs 4
{counting} sendmmsg
{flags} peek
{outcomes} eagain
{families} unix_stream
{families} netlink
{peers} udp_by_messages
{peers} unix_dgram
{refused}
exec ./missing
"""
"""Forks, threads, an execve by a thread that does not lead, failures, several families, datagrams, refusals."""


MANY = 500
"""Events that look alike and are checked: it takes 2 ms each."""


class Log:
    """Runs of ptmon with a log in a file, and their reports."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "events"
        self.report_file = folder / "report.json"

    def words(self, form: str, *words: str | Path) -> list[str]:
        options = [f"--log={self.file}", "--log-format", form, "--format", "json", "-o", str(self.report_file)]
        return tracing(*options, *words)

    def run(self, form: str, *words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(form, *words), capture_output=True, text=True, timeout=DEADLINE, **keywords)

    @property
    def report(self) -> dict[str, Any]:
        report = json.loads(self.report_file.read_text())
        validator().validate(report)
        assert isinstance(report, dict)
        return report

    def documents(self) -> list[dict[str, Any]]:
        return documents(self.file.read_text())


def documents(text: str) -> list[dict[str, Any]]:
    """The lines of a log, each of which is true to the schema, and whole."""
    assert text.endswith("\n")
    found = [json.loads(line) for line in text.splitlines()]
    seen: Counter[tuple[str, ...]] = Counter()
    for document in found:
        shape = (str(document.get("event")), *document)
        seen[shape] += 1
        if seen[shape] <= MANY:
            event_validator().validate(document)
    assert found[0]["schema"] == "ptmon.event/1"
    return found


def calls(events: list[dict[str, Any]], kind: str) -> int:
    return sum(event.get("calls", 1) for event in events if event.get("event") == kind)


def total(events: list[dict[str, Any]], kind: str, member: str = "bytes") -> int:
    return sum(event.get(member, 0) for event in events if event.get("event") == kind)


def assert_agree(events: list[dict[str, Any]], report: dict[str, Any]) -> None:
    """No event is lost: the sums over the lines are the report's."""
    totals = report["totals"]
    assert (calls(events, "send"), calls(events, "receive")) == (totals["calls_sent"], totals["calls_received"])
    assert (total(events, "send"), total(events, "receive")) == (totals["sent"], totals["received"])
    assert total(events, "receive", "peeked") == totals["peeked"]
    assert sum(event.get("calls", 1) for event in events if "bytes" in event and "errno" in event) == totals["errors"]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_of_100000_events_none_is_lost(log: Log, targets: Targets, seccomp: str) -> None:
    done = log.run("jsonl", "--seccomp", seccomp, targets("chatter"), "50000")
    assert (done.returncode, done.stderr) == (0, "")
    events = log.documents()
    assert (calls(events, "send"), calls(events, "receive")) == (50_000, 50_000)
    assert_agree(events, log.report)
    kinds = Counter(event["event"] for event in events[1:])
    assert kinds["send"] + kinds["receive"] == 100_000  # a line each
    assert kinds["dropped"] == 0
    moments = [event["t"] for event in events[1:]]
    assert moments == sorted(moments)
    assert events[0]["pid"] == events[-1]["pid"] == log.report["processes"][0]["pid"]


@pytest.mark.parametrize("who", ["program", "ptmon"])
def test_after_an_interrupt_the_file_is_valid_to_its_last_line(log: Log, targets: Targets, who: str) -> None:
    with started(log.words("jsonl", targets("chatter"), "0")) as ptmon:
        until(lambda: log.file.exists() and log.file.stat().st_size > 100_000, "the first lines")
        os.kill({"program": only_child(ptmon.pid), "ptmon": ptmon.pid}[who], signal.SIGINT)
        _, said = ptmon.communicate(timeout=DEADLINE)
    assert (ptmon.returncode, said) == (-signal.SIGINT, "")
    events = log.documents()
    assert_agree(events, log.report)
    assert (events[-1]["event"], events[-1]["signal"]) == ("exit", signal.SIGINT)


def test_while_the_program_runs_the_file_has_all_that_has_happened(log: Log, targets: Targets) -> None:
    words = log.words("jsonl", targets("chatter"), "1000", "wait")
    with started(words, stdin=subprocess.PIPE) as ptmon:
        assert ptmon.stdout is not None
        assert ptmon.stdout.readline() == '{"sent": 1000, "received": 1000}\n'
        until(lambda: calls(log.documents(), "receive") == 1000, "the last of them")
        assert calls(log.documents(), "send") == 1000
        child = only_child(ptmon.pid)
        ptmon.kill()  # nothing of the log is in ptmon's own memory
        ptmon.wait()
        until(lambda: process_state(child) in ("", "Z"), "PTRACE_O_EXITKILL")
    assert calls(log.documents(), "send") == calls(log.documents(), "receive") == 1000


def test_every_line_of_an_eventful_run_is_true_to_the_schema(log: Log, targets: Targets) -> None:
    names = set(re.findall(r"{(\w+)}", EVENTFUL))
    script = EVENTFUL.format(**{name: targets(name) for name in names})
    options = ["--deny", "ptrace=EPERM", "--trace", "%network,%process,openat", "--interval", "0.01"]
    done = log.run("jsonl", *options, "sh", "-c", script)
    assert done.returncode == 127, done.stderr
    events = log.documents()
    report = log.report
    assert_agree(events, report)
    kinds = Counter(event["event"] for event in events[1:])
    assert set(kinds) == {
        *("exec", "clone", "exit", "socket", "close", "connect", "send", "receive", "enter", "return", "deny"),
        "snapshot",
    }
    processes = [Counter(event["pid"] for event in events if is_process(event, kind)) for kind in ("clone", "exit")]
    assert processes[0] == processes[1]
    assert {event["errno"] for event in events if "bytes" in event and "errno" in event} >= {"EAGAIN"}
    assert any(event["pid"] != event["tid"] for event in events if event.get("event") == "send")
    assert {event["family"] for event in events if event.get("event") == "socket"} >= {"inet", "unix", "netlink"}
    seen = {event["socket"] for event in events if event.get("event") == "socket"}
    assert {event["socket"] for event in events if "bytes" in event} <= seen
    assert any(event.get("calls") == 0 for event in events)
    (denied,) = [event for event in events if event.get("event") == "deny"]
    assert (denied["syscall"], denied["rule"], denied["errno"]) == ("ptrace", "ptrace=EPERM", "EPERM")
    shots = [event for event in events if event.get("event") == "snapshot"]
    assert [shot["since"]["sent"] for shot in shots] == differences([shot["sent"] for shot in shots])


def is_process(event: dict[str, Any], kind: str) -> bool:
    return event.get("event") == kind and event["pid"] == event["tid"]


def differences(numbers: list[int]) -> list[int]:
    return [after - before for before, after in zip([0, *numbers], numbers, strict=False)]


def test_a_servers_log_in_dmesg_form_is_the_kernel_modules(log: Log, targets: Targets, tmp_path: Path) -> None:
    for side in ("server", "client"):
        shutil.copy(targets(f"send_recv_{side}"), tmp_path / f"{side}.out")
    with started(log.words("dmesg", "./server.out"), cwd=tmp_path) as ptmon:
        assert ptmon.stdout is not None
        port = ptmon.stdout.readline().split()[1]
        for _ in range(5):
            assert run_plain(tmp_path / "client.out", port).returncode == 0
        pid = only_child(ptmon.pid)
        os.kill(pid, signal.SIGINT)
        ptmon.communicate(timeout=DEADLINE)
    lines = log.file.read_text().splitlines()
    assert [told(line) for line in lines] == [
        "Traffic module: loaded.",
        "Traffic module: program server.out is monitored.",
        f"Traffic module: program server.out with PID = {pid} executed.",
        *["Traffic module: process received 35 bytes.", "Traffic module: process sent 35 bytes."] * 5,
        f"Traffic module: process with PID = {pid} exited.",
        "Traffic module: received 175 bytes.",
        "Traffic module: sent      175 bytes.",
        "Traffic module: unloaded.",
    ]
    assert lines == sorted(lines, key=lambda line: line[:14])


def told(line: str) -> str:
    """A line without its time."""
    match = STAMP.match(line)
    assert match is not None, line
    return match[1]


def test_traced_calls_in_dmesg_form_are_the_kernel_modules(log: Log) -> None:
    done = log.run("dmesg", "--trace", "clone,execve", "sh", "-c", "(exec /bin/true); exit 3")
    assert done.returncode == 3
    lines = [told(line) for line in log.file.read_text().splitlines()]
    calls = [line for line in lines if line.startswith("sys_")]
    child = next(line for line in calls if re.fullmatch(r"sys_clone\(\) returns [0-9]+", line)).split()[-1]
    assert any(re.fullmatch(r"sys_clone\(\) called: clone_flags=0x[0-9a-f]+ newsp=0x[0-9a-f]+", line) for line in calls)
    execve = r'sys_execve\(\) called: filename=/bin/true argv=\["/bin/true"\] envp=0x[0-9a-f]+'
    (index,) = [index for index, line in enumerate(lines) if re.fullmatch(execve, line)]
    assert "sys_execve() returns: 0" in lines[index:]
    assert f"Traffic module: program true with PID = {child} executed." in lines


def test_an_attached_servers_log_in_dmesg_form_ends_with_totals(log: Log, targets: Targets, tmp_path: Path) -> None:
    with started([targets("send_recv_server")]) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split()[1]
        with started(log.words("dmesg", "--attach", str(server.pid))) as ptmon:
            until(lambda: status_field(server.pid, "TracerPid") == str(ptmon.pid), "attach")
            until(lambda: log.file.exists() and "monitored" in log.file.read_text(), "its log")
            assert run_plain(targets("send_recv_client"), port).returncode == 0
            until(lambda: "sent" in log.file.read_text(), "the client's events")
            ptmon.send_signal(signal.SIGINT)
            assert ptmon.wait(timeout=DEADLINE) == 0
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=DEADLINE) == 0
    assert [told(line) for line in log.file.read_text().splitlines()] == [
        "Traffic module: loaded.",
        "Traffic module: program send_recv_server is monitored.",
        "Traffic module: process received 35 bytes.",
        "Traffic module: process sent 35 bytes.",
        "Traffic module: received 35 bytes.",
        "Traffic module: sent      35 bytes.",
        "Traffic module: unloaded.",
    ]


def test_a_log_on_stderr_stands_before_the_report(targets: Targets) -> None:
    words = [*PTMON, "--log", str(targets("chatter")), "3"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    log, _, report = done.stderr.partition("ptmon: ")
    assert "payload bytes" in report
    lines = log.splitlines()
    assert re.fullmatch(r" +0\.000000  ptmon +start +\S+/chatter 3  \(launch on .*\)", lines[0])
    assert re.fullmatch(r" +[0-9.]+  ptmon +end +sent 3 B in 3 calls, received 3 B in 3 calls, complete", lines[-1])
    sends = [
        line for line in lines if re.search(r"  chatter\[[0-9]+\] +send +1 B  sendto\([0-9]+\) +unix stream", line)
    ]
    assert len(sends) == 3


@pytest.mark.parametrize("kind", ["pipe", "fifo"])
def test_a_log_that_nobody_reads_does_not_stop_the_program(targets: Targets, tmp_path: Path, kind: str) -> None:
    """64 KiB are in the pipe and 1 MiB waits in ptmon; the rest is dropped, and counted.

    When the program tells its sums, ptmon has still to take what its ring holds, 16,384 events, and may do so while the
    reader reads already. So there are many more.
    """
    os.mkfifo(tmp_path / "fifo")
    reader, writer = (os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK), -1) if kind == "fifo" else os.pipe()
    words = [*PTMON, "-o", f"{tmp_path}/r.json", "--log-format", "jsonl"]
    words += ["--log" if kind == "pipe" else f"--log={tmp_path}/fifo", str(targets("chatter")), "20000"]
    keywords = {"stderr": writer if kind == "pipe" else subprocess.PIPE}
    with started(words, **keywords) as ptmon:
        assert ptmon.stdout is not None
        assert ptmon.stdout.readline() == '{"sent": 20000, "received": 20000}\n'  # the program is at its end
        if kind == "pipe":
            os.close(writer)
            said = "".join(iter(lambda: os.read(reader, 1 << 16).decode(), ""))
        ptmon.wait(timeout=DEADLINE)
        if kind == "fifo":
            assert ptmon.stderr is not None
            said = ptmon.stderr.read()
            os.set_blocking(reader, True)
            log = "".join(iter(lambda: os.read(reader, 1 << 16).decode(), ""))
        else:
            log = said
    os.close(reader)
    assert ptmon.returncode == 0
    match = re.search(r"^ptmon: ([0-9]+) events could not be written to the log", said, re.MULTILINE)
    assert match is not None
    events = documents("".join(line for line in log.splitlines(keepends=True) if line.startswith("{")))
    lost = int(match[1])
    assert lost > 1000
    if kind == "pipe":  # whose reader woke in time
        assert total(events, "dropped", "count") == lost
    others = sum(event.get("event") in ("clone", "exec", "socket", "close", "exit") for event in events)
    moved = sum("bytes" in event for event in events)
    assert 40_000 <= moved + lost <= 40_000 + 7 - others
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["totals"]["calls_sent"] == 20_000


def test_a_program_that_closes_its_stderr_changes_nothing(targets: Targets) -> None:
    words = [*PTMON, "-q", "--log", "--log-format", "jsonl", "sh", "-c", f"exec 2>&-; {targets('chatter')} 2"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert total(documents(done.stderr), "send") == 2


def test_the_program_keeps_its_file_descriptors(targets: Targets, log: Log) -> None:
    command = ["sh", "-c", "ls -l /proc/self/fd | sed 's/.* //'; cat /proc/self/fdinfo/2 | grep flags"]
    plain = run_plain(*command)
    assert len(plain.stdout.splitlines()) > 3
    for words in (log.words("jsonl"), [*PTMON, "-q", "--log"]):
        done = subprocess.run([*words, *command], capture_output=True, text=True, timeout=DEADLINE)
        assert numberless(done.stdout) == numberless(plain.stdout)


def numberless(text: str) -> str:
    return re.sub("[0-9]{3,}", "N", text)


def test_a_full_disk_does_not_stop_the_program(targets: Targets) -> None:
    words = [*PTMON, "-q", "--log=/dev/full", str(targets("chatter")), "100"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (0, '{"sent": 100, "received": 100}\n')
    first, second = done.stderr.splitlines()
    assert first == "ptmon: cannot write the log to /dev/full: ENOSPC: No space left on device; the program goes on"
    assert second.endswith("events could not be written to the log (/dev/full)")


def test_a_file_size_limit_leaves_whole_lines(targets: Targets, log: Log) -> None:
    limit = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh"]
    words = [*PTMON, "-q", f"--log={log.file}", "--log-format", "jsonl", targets("chatter"), "1000"]
    done = subprocess.run([*limit, *map(str, words)], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (0, '{"sent": 1000, "received": 1000}\n')
    assert "EFBIG" in done.stderr
    lost = int(done.stderr.splitlines()[-1].split()[1])
    told = [event for event in log.documents()[1:] if event["event"] != "dropped"]
    assert len(told) + lost == 2000 + 7


def test_where_there_is_no_program_there_is_no_log(log: Log) -> None:
    done = log.run("text", "/nosuch/program")
    assert done.returncode == 127
    assert not log.file.exists()


def test_an_interval_tells_what_came_since_the_last(targets: Targets) -> None:
    slow = ("--fast", "off")  # or it would be over within an interval
    words = [*PTMON, "-q", *slow, "--interval", "0.1", "--log-format", "jsonl", str(targets("chatter")), "20000"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    shots = documents(done.stderr)[1:]
    assert len(shots) >= 2
    assert {shot["event"] for shot in shots} == {"snapshot"}
    for before, after in pairwise(shots):
        since = after["since"]
        assert since["sent"] == after["sent"] - before["sent"]
        assert since["seconds"] == pytest.approx(after["t"] - before["t"], abs=2e-6)
        assert since["sent_per_second"] == pytest.approx(since["sent"] / since["seconds"], rel=0.01)


def test_an_interval_is_a_line_for_people_by_default(targets: Targets) -> None:
    words = [*PTMON, "-q", "--fast", "off", "--interval", "0.1", str(targets("chatter")), "20000"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    number = r"[0-9.]+ (B|KiB|MiB)"
    way = rf"{number} \(\+{number}, {number}/s\)"
    line = rf"ptmon: [0-9]+\.[0-9]{{3}} s: sent {way}, received {way}, 1 process, 2 sockets"
    lines = [one for one in done.stderr.splitlines() if not one.endswith(" 0 sockets")]  # it is about to begin
    assert re.fullmatch(line, lines[0]), done.stderr
