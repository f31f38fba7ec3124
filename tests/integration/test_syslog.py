# SPDX-License-Identifier: GPL-2.0-or-later
"""--syslog to a real rsyslog, by each transport that it takes; and to receivers that are not there, or do not read."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import DEADLINE, PTMON, Targets, started, status_field, until

PORT = 5140
CONFIG = """
global(workDirectory="{folder}" parser.escapeControlCharactersOnReceive="on")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
input(type="imuxsock" Socket="{folder}/socket")
input(type="imudp" address="{host}" port="{port}")
input(type="imtcp" address="{host}" port="{port}")
template(name="t" type="string" string="%syslogfacility-text%.%syslogseverity-text%|%syslogtag%|%msg%\\n")
action(type="omfile" file="{folder}/received" template="t")
"""


class Rsyslog:
    """A receiver with an address of its own on the loopback."""

    def __init__(self, folder: Path) -> None:
        pid = os.getpid()
        self.folder = folder
        self.host = f"127.77.{pid >> 8 & 255}.{pid & 255}"
        self.addresses = {
            "unix": f"{folder}/socket",
            "udp": f"udp://{self.host}:{PORT}",
            "tcp": f"tcp://{self.host}:{PORT}",
        }

    def lines(self) -> list[tuple[str, str, str]]:
        """Priority, tag and message of all that has been received."""
        path = self.folder / "received"
        text = path.read_text() if path.exists() else ""
        rows = [line.split("|", 2) for line in text.splitlines() if not line.startswith("syslog.")]
        return [(row[0], row[1], row[2]) for row in rows]

    def ready(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            try:
                udp.connect((self.host, PORT))
                udp.send(b"")
                udp.send(b"")  # ECONNREFUSED for the first one, if nobody is there
                tcp.connect((self.host, PORT))
            except ConnectionRefusedError:
                return False
        return (self.folder / "socket").exists()


@pytest.fixture
def rsyslog(tmp_path: Path) -> Iterator[Rsyslog]:
    program = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("rsyslogd is not installed (Debian: rsyslog)")
    folder = tmp_path / "rsyslog"
    folder.mkdir()
    receiver = Rsyslog(folder)
    (folder / "conf").write_text(CONFIG.format(folder=folder, host=receiver.host, port=PORT))
    words = [program, "-n", "-i", str(folder / "pid"), "-f", str(folder / "conf")]
    with started(words) as process:
        until(lambda: process.poll() is not None or receiver.ready(), "rsyslogd")
        assert process.poll() is None, process.communicate()[1]
        yield receiver
        process.terminate()
        process.communicate(timeout=DEADLINE)


def run(address: str, *command: str | Path, **keywords: object) -> subprocess.CompletedProcess[str]:
    words = [*PTMON, "-q", f"--syslog={address}", *map(str, command)]
    return subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, **keywords)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("transport", ["unix", "udp", "tcp"])
def test_each_event_is_a_message(rsyslog: Rsyslog, targets: Targets, transport: str) -> None:
    done = run(rsyslog.addresses[transport], targets("chatter"), "100")
    assert (done.returncode, done.stderr) == (0, "")
    until(lambda: any("  end  " in message for _, _, message in rsyslog.lines()), "the last message")
    lines = rsyslog.lines()
    assert {priority for priority, _, _ in lines} == {"user.info"}
    (tag,) = {tag for _, tag, _ in lines}
    assert re.fullmatch(r"ptmon\[[0-9]+\]:", tag)
    kinds = [re.split("  +", message.strip())[2] for _, _, message in lines]
    assert (kinds[0], kinds[-1]) == ("start", "end")
    assert (kinds.count("send"), kinds.count("receive")) == (100, 100)
    assert len(kinds) == 200 + 2 + 7
    sends = [message for _, _, message in lines if "  send  " in message]
    assert re.fullmatch(r" [0-9.]+  chatter\[[0-9]+\] +send +1 B  sendto\(3\) +unix stream \[[0-9]+\]", sends[0])
    assert all(message.isprintable() for _, _, message in lines)


def test_what_was_refused_is_a_warning(rsyslog: Rsyslog, targets: Targets) -> None:
    done = run(rsyslog.addresses["unix"], "--deny", "ptrace=EPERM", targets("refused"))
    assert done.returncode == 3
    until(lambda: any("  end  " in message for _, _, message in rsyslog.lines()), "the last message")
    warnings = [message for priority, _, message in rsyslog.lines() if priority == "user.warning"]
    assert len(warnings) == 1
    assert re.search(r"  deny  +ptrace\(.*\) = -1 EPERM .*  by ptrace=EPERM$", warnings[0])


def test_a_name_with_a_newline_makes_no_message_of_its_own(rsyslog: Rsyslog, tmp_path: Path) -> None:
    name = tmp_path / "a\n<0>b\x1b"
    name.symlink_to("/bin/true")
    done = run(rsyslog.addresses["tcp"], name)
    assert done.returncode == 0
    until(lambda: any("  end  " in message for _, _, message in rsyslog.lines()), "the last message")
    lines = rsyslog.lines()
    assert [re.split("  +", message.strip())[2] for _, _, message in lines] == ["start", "clone", "exec", "exit", "end"]
    assert r"a\x0a<0>b\x1b" in lines[2][2]
    assert {priority for priority, _, _ in lines} == {"user.info"}


def test_a_very_long_command_line_is_one_message(rsyslog: Rsyslog) -> None:
    done = run(rsyslog.addresses["udp"], "--trace", "execve", "sh", "-c", "exec true $0", "x" * 100_000)
    assert (done.returncode, done.stderr) == (0, "")
    until(lambda: any("  end  " in message for _, _, message in rsyslog.lines()), "the last message")
    assert max(len(message) for _, _, message in rsyslog.lines()) < 2048


def test_an_interrupt_is_the_tracers(rsyslog: Rsyslog, targets: Targets) -> None:
    """The thread that sends has every signal blocked."""
    words = [*PTMON, "-q", f"--syslog={rsyslog.addresses['unix']}", str(targets("chatter")), "1", "wait"]
    with started(words, stdin=subprocess.PIPE) as ptmon:
        assert ptmon.stdout is not None
        assert ptmon.stdout.readline() == '{"sent": 1, "received": 1}\n'
        (tid,) = [int(task) for task in os.listdir(f"/proc/{ptmon.pid}/task") if int(task) != ptmon.pid]
        blocked = int(status_field(tid, "SigBlk"), 16)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGTSTP):
            assert blocked & 1 << (number - 1)
        ptmon.send_signal(signal.SIGINT)
        ptmon.wait(timeout=DEADLINE)
    assert ptmon.returncode == -signal.SIGINT
    until(lambda: any("killed by SIGINT" in message for _, _, message in rsyslog.lines()), "the last message")


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("{folder}/missing", "ENOENT: No such file or directory"),
        ("{folder}/file", "ECONNREFUSED: Connection refused"),
        ("tcp://127.0.0.1:{port}", "ECONNREFUSED: Connection refused"),
        ("udp://nosuch.invalid:514", ""),
    ],
)
def test_no_syslog_is_an_error_before_the_program_starts(tmp_path: Path, address: str, word: str) -> None:
    (tmp_path / "file").touch()
    with socket.socket() as unheard:  # bound, but it does not listen
        unheard.bind(("127.0.0.1", 0))
        address = address.format(folder=tmp_path, port=unheard.getsockname()[1])
        done = run(address, "sh", "-c", "echo started")
    assert (done.returncode, done.stdout) == (125, "")
    assert re.fullmatch(rf"ptmon: cannot reach syslog at {address}: {word or '.+'}\n", done.stderr)


@pytest.mark.parametrize(
    "address", ["log", "", "tcp://", "udp://:514", "udp://h:0", "udp://h:65536", "http://h", "tcp://h:x"]
)
def test_an_address_that_is_none_is_a_usage_error(address: str) -> None:
    done = run(address, "true")
    assert done.returncode == 2
    assert done.stderr.startswith("ptmon: --syslog: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_a_syslog_that_does_not_read_stops_nothing_and_the_loss_is_told(
    targets: Targets, tmp_path: Path, kind: str
) -> None:
    deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if kind == "unix" else socket.socket()
    with deaf:
        if kind == "unix":
            deaf.bind(address := f"{tmp_path}/socket")
        else:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
            address = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        # More than what waits in ptmon, and what a TCP connection takes on the loopback (at most 4 MiB).
        done = run(address, targets("chatter"), "60000")
    assert (done.returncode, done.stdout) == (0, '{"sent": 60000, "received": 60000}\n')
    last = done.stderr.splitlines()[-1]
    match = re.fullmatch(rf"ptmon: ([0-9]+) events could not be sent to syslog \({re.escape(address)}\)", last)
    assert match is not None, done.stderr
    assert int(match[1]) > 10_000


def test_a_gap_is_told_to_syslog_too(targets: Targets, tmp_path: Path) -> None:
    """A receiver who wakes up late finds how much is missing, and where."""
    got: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            with contextlib.suppress(TimeoutError):
                got.append(late.recv(1 << 16).decode())

    def lost() -> int:
        return sum(int(text.split()[-3]) for text in got if text.endswith(" events dropped"))

    def moved() -> int:
        return sum("  send  " in text or "  receive  " in text for text in got)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as late:
        late.bind(f"{tmp_path}/socket")
        late.settimeout(0.2)
        # The snapshots are events that come after the gap.
        words = [*PTMON, "-q", f"--syslog={tmp_path}/socket", "--interval", "0.1"]
        with started([*words, targets("chatter"), "20000", "wait"], stdin=subprocess.PIPE) as ptmon:
            assert ptmon.stdout is not None
            assert ptmon.stdout.readline() == '{"sent": 20000, "received": 20000}\n'
            thread = threading.Thread(target=read)
            thread.start()
            try:
                until(lambda: moved() + lost() >= 40_000, "what waited, and what is told of the rest")
                _, said = ptmon.communicate(timeout=DEADLINE)
                until(lambda: any("  end  " in text for text in got), "the last message")
            finally:
                done.set()
                thread.join()
    assert f"{lost()} events could not be sent to syslog" in said
    assert 10_000 < lost() <= 40_000
    (gap, *_) = [text for text in got if text.endswith(" events dropped")]
    assert re.fullmatch(r"<12>ptmon\[[0-9]+\]: \.\.\. [0-9]+ events dropped", gap)


def test_a_syslog_that_goes_away_is_said_once(targets: Targets, tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        words = [*PTMON, "-q", f"--syslog={address}", str(targets("chatter")), "1", "wait"]
        with started(words, stdin=subprocess.PIPE) as ptmon:
            connection, _ = listener.accept()
            with connection:
                until(lambda: b"  receive  " in connection.recv(1 << 16, socket.MSG_PEEK), "the first messages")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            listener.close()
            _, said = ptmon.communicate(timeout=DEADLINE)
        assert ptmon.returncode == 0
    first, second = said.splitlines()
    assert re.match(rf"ptmon: cannot send to syslog at {address}: E[A-Z]+: .*; the program goes on", first)
    assert re.match(r"ptmon: [0-9] events could not be sent to syslog", second)
