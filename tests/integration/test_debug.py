# SPDX-License-Identifier: GPL-2.0-or-later
"""PTMON_DEBUG: what ptmon notes of its own work, and tells at the end of a run or after an error."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attaching import attached, busy
from tests.support import DEADLINE, PTMON, Outcome, Targets, run_plain
from tests.watching import X86

PREFIX = "ptmon: debug: "
MOST = 4096
LINE = re.compile(r" *\d+\.\d{6}  \[\d+\]  (.+)")


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PTMON_DEBUG", raising=False)


def asking(what: str) -> dict[str, str]:
    return {**os.environ, "PTMON_DEBUG": what}


def debugged(errors: str) -> list[str]:
    """What each line says, without its time and its thread. Nothing else may be on stderr."""
    lines = [line.removeprefix(PREFIX) for line in errors.splitlines()]
    assert all(line.startswith(PREFIX) for line in errors.splitlines()), errors
    said = [LINE.fullmatch(line) for line in lines]
    assert all(said), lines
    return [match[1] for match in said if match]


def test_stops_name_the_calls_and_what_follows(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("chatter"), "3", options=["--seccomp", "off", "--fast", "off"], env=asking("stops"))
    said = debugged(done.stderr)
    for call, result in (("sendto", 1), ("recvfrom", 1)):
        entries = [line for line in said if re.fullmatch(rf"syscall-enter-stop {call} at 0x[0-9a-f]+: .*", line)]
        exits = [line for line in said if line.startswith(f"syscall-exit-stop {call} = {result} before 0x")]
        assert len(entries) == len(exits) == 3
        assert all(line.endswith(": resumed by PTRACE_SYSCALL") for line in entries + exits)
    assert said[-2].startswith("PTRACE_EVENT_EXIT")
    assert said[-1] == "exited with status 0: gone"


def test_stops_of_a_filtered_program_are_seccomp_stops(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("chatter"), "3", options=["--seccomp", "on", "--fast", "off"], env=asking("stops"))
    said = debugged(done.stderr)
    assert sum(line.startswith("PTRACE_EVENT_SECCOMP sendto at 0x") for line in said) == 3
    assert any(line.startswith("PTRACE_EVENT_EXEC ") and line.endswith("resumed by PTRACE_CONT") for line in said)


def test_stops_name_signals_and_who_gets_them(ptmon: Callable[..., Outcome]) -> None:
    done = ptmon("/bin/sh", "-c", "trap : USR1; kill -USR1 $$; /bin/true; kill -KILL $$", env=asking("stops"))
    said = debugged(done.stderr)
    (delivered,) = [line for line in said if line.startswith("signal-delivery-stop SIGUSR1")]
    assert re.search(r": resumed by PTRACE_(CONT|SYSCALL|SINGLESTEP) with SIGUSR1$", delivered)
    assert any(re.match(r"PTRACE_EVENT_(V?FORK|CLONE)", line) for line in said)
    assert said[-1] == "killed by SIGKILL: gone"
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(not X86, reason="calls are not counted inside here: that is for x86_64")
def test_what_becomes_of_code_is_noted(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    options = ["--fast", "auto", "--fast-after", "1", "--seccomp", "on"]
    done = ptmon(targets("chatter"), "300", options=options, env=asking("patch"))
    said = debugged(done.stderr)
    assert "memory for stubs was mapped" in said
    assert any(re.fullmatch(r"code from 0x[0-9a-f]+ to 0x[0-9a-f]+ was looked at: \d+ sites", line) for line in said)
    for call in ("sendto", "recvfrom"):
        assert any(re.fullmatch(rf"site 0x[0-9a-f]+ \({call}\) is to be replaced", line) for line in said)
    assert any(re.fullmatch(r"[1-9]\d* sites replaced until now", line) for line in said)
    assert any(re.fullmatch(r"\w+ at 0x[0-9a-f]+ is made again, in its stub", line) for line in said)


@pytest.mark.skipif(not X86, reason="calls are not counted inside here: that is for x86_64")
def test_why_a_process_falls_back_is_noted(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    limited = ["/bin/sh", "-c", 'ulimit -d 9999999 && exec "$0" 300', targets("chatter")]
    done = ptmon(*limited, options=["--fast", "auto", "--fast-after", "1"], env=asking("patch"))
    assert "falls back to stops: limited" in debugged(done.stderr)


@pytest.mark.skipif(not X86, reason="calls are not counted inside here: that is for x86_64")
def test_drains_tell_all_records_of_the_rings(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    options = ["--fast", "auto", "--fast-after", "1", "--seccomp", "on"]
    done = ptmon(targets("chatter"), "20000", options=options, env=asking("ring"))
    said = [line for line in debugged(done.stderr) if "was full" not in line]
    drains = [re.fullmatch(r"ring \d: (\d+) records? from number (\d+) on(, \d+ gaps? left)?", line) for line in said]
    told = [(int(drain[1]), int(drain[2])) for drain in drains if drain]
    assert all(drains)
    assert sum(count for count, _first in told) == done.report["path"]["fast"] > 0
    assert all(first + count == after for (count, first), (_more, after) in itertools.pairwise(told))


def test_sockets_and_their_audit_are_noted(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("counting"), "sendto", options=["--fast", "off"], env=asking("sockets"))
    said = debugged(done.stderr)
    inodes = {str(row["inode"]) for row in done.report["sockets"]}
    identified = [re.fullmatch(r"fd \d+ is socket (\d+): AF_INET, SOCK_STREAM, protocol 6", line) for line in said]
    assert inodes <= {match[1] for match in identified if match}
    learnt = [re.fullmatch(r"fd \d+ is known from now on: socket (\d+)", line) for line in said]
    assert inodes <= {match[1] for match in learnt if match}
    sent = done.totals["sent"]
    audit = rf"audit of fd \d+: the kernel counted {sent} B sent, 0 B received; ptmon {sent} B and 0 B"
    assert any(re.fullmatch(audit, line) for line in said)
    assert any(
        re.fullmatch(r"(fd \d+ is|fds \d+ to \d+ are) closed or changed: not known any more", line) for line in said
    )


@pytest.mark.parametrize("what", ["", " , "])
def test_nothing_is_noted_where_nobody_asks(ptmon: Callable[..., Outcome], targets: Targets, what: str) -> None:
    assert ptmon(targets("chatter"), "300", env=asking(what)).stderr == ""


def test_the_last_entries_are_kept(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("chatter"), "3000", options=["--fast", "off"], env=asking("stops"))
    dropped, *lines = done.stderr.splitlines()
    assert re.fullmatch(rf"{PREFIX}[1-9]\d* older entries were dropped: the last {MOST} are kept", dropped)
    assert len(lines) == MOST
    assert lines[-1].endswith("exited with status 0: gone")


def test_a_word_that_is_not_known_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    made = tmp_path / "made"
    done = run_plain(*PTMON, "touch", made, env=asking("stops,rings"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "ptmon: PTMON_DEBUG: 'rings' is not one of stops, patch, ring, sockets, all; did you mean ring?\n"
    )
    assert not made.exists()


def test_the_program_has_the_variable_as_it_was_given(ptmon: Callable[..., Outcome]) -> None:
    assert ptmon("printenv", "PTMON_DEBUG", env=asking("ring,all")).stdout == "ring,all\n"


def test_an_attach_is_noted_up_to_its_detach(targets: Targets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with busy(targets("busy"), 1) as target:
        monkeypatch.setenv("PTMON_DEBUG", "stops")
        with attached(target.pid, tmp_path / "report.json", "--fast", "off") as tracer:
            target.transfer(10)
            tracer.tracer.send_signal(signal.SIGINT)
            said = tracer.finish()
        target.quit()
    assert "syscall-enter-stop sendto at 0x" in said
    assert said.count(": let go by PTRACE_DETACH") == 3, "the leader, and a pair of threads"


FAILING = """
import sys
from ptmon.engines import EngineSettings
from ptmon.outputs import SilentOutput
from ptmon.session import Session

class Failing(SilentOutput):
    wants_events = True
    def write(self, events):
        raise RuntimeError("half-way")

Session(EngineSettings(command=tuple(sys.argv[1:]), fast=0), [Failing()]).run()
"""


def test_what_was_noted_is_told_if_ptmon_fails_half_way(targets: Targets) -> None:
    program = [str(targets("chatter")), "20000"]
    done = run_plain(sys.executable, "-c", FAILING, *program, env=asking("stops"))
    assert done.stdout == run_plain(*program).stdout
    noted = [line for line in done.stderr.splitlines() if line.startswith(PREFIX)]
    assert any("PTRACE_EVENT_SECCOMP sendto at 0x" in line for line in noted)
    assert "exited with status" not in noted[-1], "what comes after the error does not push out what led to it"
    assert done.stderr.splitlines()[-1] == "RuntimeError: half-way"


LOGGED = """
import io, logging, sys
import ptmon

heard = io.StringIO()
logging.basicConfig(stream=heard, level=logging.DEBUG, format="%(name)s %(levelname)s %(message)s")
ptmon.run(sys.argv[1:])
print(heard.getvalue())
"""


def test_a_program_that_uses_the_api_gets_a_logger(targets: Targets) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGED, targets("chatter"), "3"],
        env=asking("stops"), capture_output=True, text=True, timeout=DEADLINE, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    _told, *lines = done.stdout.splitlines()
    assert any(re.match(r"ptmon\.debug DEBUG .*PTRACE_EVENT_SECCOMP sendto at 0x", line) for line in lines)
    assert any(line.endswith("exited with status 0: gone") for line in lines)


def test_the_api_raises_for_a_word_that_is_not_known() -> None:
    code = "import ptmon\ntry:\n    ptmon.run(['true'])\nexcept ptmon.PtmonError as error:\n    print(error)"
    done = run_plain(sys.executable, "-c", code, env=asking("nothing"))
    assert done.stdout.startswith("PTMON_DEBUG: 'nothing' is not one of stops, patch,")


def test_the_reference_engine_has_nothing_to_tell() -> None:
    done = run_plain(*PTMON, "--engine", "reference", "true", env=asking("stops"))
    assert (done.returncode, done.stderr) == (
        2, "ptmon: PTMON_DEBUG: the reference engine notes nothing of its work; unset it\n"
    )  # fmt: skip
