# SPDX-License-Identifier: GPL-2.0-or-later
"""--fast-explain: which instructions of a program make its calls, what became of them, and why."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attaching import attached
from tests.counting import assert_schema_true
from tests.support import DEADLINE, PTMON, Outcome, Targets, run_plain, started

TIMES = 100
REASONS = {
    "entered": "the program may jump into the middle of the bytes that a jump would replace",
    "flags": "the program looks, behind it, at flags of the processor that a jump would change",
    "tight": "a jump takes 7 bytes, and too few of the instructions around it work elsewhere",
    "foreign": "it makes 32-bit calls (int 0x80 or sysenter)",
}
WRITABLE = "its code can be written while it runs, so it may change at any time"
UNKNOWN = "it makes calls in code that ptmon does not know"
CALLS = (b"\x0f\x05", b"\xcd\x80")
"""syscall and int 0x80."""


def of_file(report: dict[str, Any], program: Path) -> dict[int, dict[str, Any]]:
    """The sites of a file by their offset."""
    return {row["offset"]: row for row in report["sites"] if row["file"] == str(program)}


def assert_consistent(report: dict[str, Any]) -> None:
    """Each site is a call's instruction of the file that is named, and the ways to count add up."""
    assert_schema_true(report)
    for row in report["sites"]:
        if row["file"].startswith("/"):
            with open(row["file"], "rb") as file:
                file.seek(row["offset"])
                assert file.read(2) in CALLS, row
        assert (row["reason"] is None) == (row["verdict"] == "replaced")
    assert sum(row["calls"] for row in report["inside"]) == report["path"]["fast"]


def table_rows(errors: str) -> dict[str, tuple[int, str]]:
    """Of each line that is a site's: name -> (stops, calls)."""
    found = re.findall(r"^    (\S+\+0x[0-9a-f]+) +([\d,]+) stops?  (.+)$", errors, re.MULTILINE)
    return {name: (int(stops.replace(",", "")), calls) for name, stops, calls in found}


@pytest.mark.parametrize("flags", [(), ("-static",)], ids=["dynamic", "static"])
def test_each_site_has_its_verdict_and_its_reason(
    ptmon: Callable[..., Outcome], targets: Targets, flags: tuple[str, ...]
) -> None:
    program = targets("sites", *flags)
    done = ptmon(program, str(TIMES), options=["--fast", "auto", "--fast-explain", "--seccomp", "on"])
    assert_consistent(done.report)
    places = json.loads(done.stdout.splitlines()[0])
    sites = of_file(done.report, program)
    plain = sites[places["plain"]]
    assert (plain["verdict"], plain["calls"]) == ("replaced", ["sendto"])
    assert 0 < plain["stops"] < TIMES
    for name, reason in REASONS.items():
        site = sites[places[name]]
        assert (site["verdict"], site["reason"]) == ("refused", reason)
        assert site["calls"] == (["getpid"] if name == "foreign" else ["sendto"])
        assert site["stops"] == (0 if name == "foreign" else TIMES)
    (writable,) = [row for row in done.report["sites"] if row["reason"] == WRITABLE]
    assert (writable["file"], writable["stops"], writable["calls"]) == ("", TIMES, ["sendto"])


def test_the_table_says_the_same_in_plain_words(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    program = targets("sites")
    done = ptmon(program, str(TIMES), options=["--fast", "auto", "--fast-explain", "--seccomp", "on"])
    lines = done.stderr.splitlines()
    assert lines[0] == "ptmon: where system calls are made, and how they were counted (--fast-explain)"
    assert max(map(len, lines)) < 80
    one_line = re.sub(r"\s+", " ", done.stderr)
    for reason in (*REASONS.values(), WRITABLE):
        assert f"refused: {reason}" in one_line
    rows = table_rows(done.stderr)
    for row in done.report["sites"]:
        if row["stops"] and row["file"]:
            assert rows[f"{Path(row['file']).name}+{row['offset']:#x}"] == (row["stops"], ", ".join(row["calls"]))
    inside = {row["syscall"]: row["calls"] for row in done.report["inside"]}
    assert f"calls counted inside: {', '.join(f'{calls:,} {name}' for name, calls in inside.items())}" in one_line


def test_stops_and_calls_inside_are_all_calls(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("chatter"), "3000", options=["--fast", "auto", "--fast-explain", "--seccomp", "on"])
    assert_consistent(done.report)
    for call in ("sendto", "recvfrom"):
        (inside,) = [row["calls"] for row in done.report["inside"] if row["syscall"] == call]
        stops = sum(row["stops"] for row in done.report["sites"] if call in row["calls"])
        assert inside + stops == 3000


def test_an_attached_process_is_explained(targets: Targets, tmp_path: Path) -> None:
    options = ["--fast", "auto", "--fast-after", "1", "--fast-explain"]
    with (
        started([targets("rounds"), "500"], stdin=subprocess.PIPE) as process,
        attached(process.pid, tmp_path / "report.json", *options) as tracer,
    ):
        assert process.stdin is not None and process.stdout is not None
        for _ in range(3):
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
        tracer.tracer.send_signal(signal.SIGINT)
        errors = tracer.finish()
        process.communicate("x", timeout=DEADLINE)
    assert_consistent(tracer.report)
    assert f"process {process.pid} (rounds)" in errors
    replaced = [row for row in tracer.report["sites"] if row["verdict"] == "replaced"]
    assert {"sendto", "recvfrom"} <= {call for row in replaced for call in row["calls"]}
    assert tracer.report["path"]["fast"] > 0
    assert all(row["reason"] is None or row["verdict"] != "withdrawn" for row in tracer.report["sites"])


def test_one_site_that_is_refused_keeps_an_attached_process_at_stops(targets: Targets, tmp_path: Path) -> None:
    options = ["--fast", "auto", "--fast-after", "1", "--fast-explain"]
    program = targets("sites")
    with started([program, str(TIMES), "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        places = json.loads(process.stdout.readline())
        assert process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "report.json", *options) as tracer:
            process.communicate("\n", timeout=DEADLINE)
            tracer.finish()
    sites = of_file(tracer.report, program)
    assert sites[places["entered"]]["reason"] == REASONS["entered"]
    plain = sites[places["plain"]]
    assert (plain["verdict"], plain["reason"], plain["stops"]) == ("refused", UNKNOWN, TIMES)
    assert UNKNOWN in [row["reason"] for row in tracer.report["fallbacks"]]
    assert tracer.report["path"]["fast"] == 0


def test_a_process_that_falls_back_says_why_in_the_words_of_the_report(
    ptmon: Callable[..., Outcome], targets: Targets
) -> None:
    limited = ["/bin/sh", "-c", 'ulimit -d 9999999 && exec "$0" 300', targets("chatter")]
    done = ptmon(*limited, options=["--fast", "auto", "--fast-explain"])
    assert_consistent(done.report)
    (fallback,) = done.report["fallbacks"]
    sending = [row for row in done.report["sites"] if "sendto" in row["calls"]]
    assert [(row["verdict"], row["reason"], row["stops"]) for row in sending] == [("refused", fallback["reason"], 300)]
    assert fallback["reason"] in re.sub(r"\s+", " ", done.stderr)


def test_what_was_replaced_and_then_withdrawn_says_so(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("sandboxed"), "errno", options=["--fast", "auto", "--fast-after", "1", "--fast-explain"])
    assert_consistent(done.report)
    withdrawn = [row for row in done.report["sites"] if row["verdict"] == "withdrawn"]
    assert withdrawn
    said = "it was replaced, and later its calls were made to stop again: it has a seccomp filter of its own"
    assert all(row["reason"] == said for row in withdrawn)
    (sending,) = [row for row in withdrawn if "sendto" in row["calls"] and row["stops"]]
    assert sending["stops"] >= 100, "those that stop since are seen there, too"


def test_calls_that_never_count_inside_are_left(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("counting"), "sendmmsg", options=["--fast", "auto", "--fast-explain"])
    (site,) = [row for row in done.report["sites"] if "sendmmsg" in row["calls"]]
    assert (site["verdict"], site["stops"]) == ("left", 2)
    assert site["reason"] == "it makes calls that always stop, for they are never counted inside"


def test_forks_have_what_their_parents_had(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    options = ["--fast", "auto", "--fast-after", "1", "--fast-explain", "--seccomp", "on"]
    done = ptmon(targets("processes"), "lineage", options=options)
    assert_consistent(done.report)
    sending = {row["pid"] for row in done.report["processes"] if row["sent"]}
    assert len(sending) > 1
    assert sending <= {row["pid"] for row in done.report["sites"] if row["verdict"] == "replaced"}


def test_fast_off_is_said(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    done = ptmon(targets("chatter"), "300", options=["--fast", "off", "--fast-explain"])
    assert_consistent(done.report)
    assert done.stderr.startswith("ptmon: --fast off: nothing was counted inside the program, and no code changed\n")
    assert {(row["verdict"], row["reason"]) for row in done.report["sites"]} == {
        ("left", "nothing is counted inside (--fast off)")
    }
    assert [row["stops"] for row in done.report["sites"] if "sendto" in row["calls"]] == [300]


NO_CALLS = '__asm__(".globl _start\\n_start: mov $60, %eax\\nxor %edi, %edi\\nsyscall");'


def test_nothing_is_said_of_a_program_that_makes_no_calls(ptmon: Callable[..., Outcome], tmp_path: Path) -> None:
    program = tmp_path / "none"
    subprocess.run(["cc", "-static", "-nostdlib", "-x", "c", "-", "-o", program], input=NO_CALLS, text=True, check=True)
    done = ptmon(program, options=["--fast", "auto", "--fast-explain", "--seccomp", "on"])
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.report["sites"], done.report["inside"]) == ([], [])


def test_names_of_files_move_no_cursor(ptmon: Callable[..., Outcome], targets: Targets, tmp_path: Path) -> None:
    program = tmp_path / "odd\x1b[2J\n\u202ename"
    program.write_bytes(targets("sites").read_bytes())
    program.chmod(0o755)
    done = ptmon(program, str(TIMES), options=["--fast", "auto", "--fast-explain", "--seccomp", "on"])
    assert "\x1b" not in done.stderr and "\u202e" not in done.stderr
    assert r"odd\x1b[2J" in done.stderr


def test_what_was_seen_until_a_duration_ends_is_explained(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    options = ["--fast", "auto", "--fast-explain", "--duration", "0.5", "--seccomp", "on"]
    ours, theirs = socket.socketpair()  # else the shell has none, and stops for no transfer
    with ours, theirs:
        done = ptmon("/bin/sh", "-c", '"$0" 3000; sleep 1', targets("chatter"), options=options, stdin=theirs)
    assert_consistent(done.report)
    assert sum(row["calls"] for row in done.report["inside"]) > 0
    waiting = [row["pid"] for row in done.report["processes"] if row["exit"] is None]
    assert waiting and set(waiting) & {row["pid"] for row in done.report["sites"]}


def test_nothing_is_kept_where_nobody_asks(ptmon: Callable[..., Outcome], targets: Targets) -> None:
    report = ptmon(targets("chatter"), "300").report
    assert "sites" not in report and "inside" not in report


def test_the_reference_engine_explains_nothing() -> None:
    done = run_plain(*PTMON, "--engine", "reference", "--fast-explain", "true")
    assert done.returncode == 2
    assert "--engine reference and --fast-explain do not go together" in done.stderr
