# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as the kernel modules' lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ptmon import syscalls
from ptmon.events import EventMaker
from ptmon.outputs.formats import create
from ptmon.records import Called, Entered, Record, Returned
from ptmon.report import Header, Report
from tests.unit.build import (
    ATTACHED,
    HEADER,
    ROOT,
    born,
    close,
    executes,
    exits,
    peeked,
    received,
    report_of,
    sent,
    server,
    tcp,
)
from tests.unit.test_event_jsonl import RECORDS, SNAPSHOT

MODULE = "Traffic module: "


def log(records: list[Record], header: Header = HEADER, report: Report | None = None) -> list[str]:
    """The whole log without its times, and without the modules' name."""
    formatter = create("dmesg")
    text = formatter.begin(header)
    text += "".join(formatter.lines(event) for event in EventMaker().events(records))
    text += formatter.end(report or report_of(records, header))
    return [line.partition("] ")[2].removeprefix(MODULE) for line in text.splitlines()]


def told(record: Record) -> str:
    (event,) = EventMaker().events([record])
    return create("dmesg").lines(event).partition("] ")[2].rstrip("\n")


def called(name: str, *args: int, memory: tuple[tuple[int, bytes], ...] = ()) -> Called:
    return Called(syscalls.numbers(name)[0][0], False, (*args, *[0] * (6 - len(args))), memory)


@pytest.mark.parametrize("header", [HEADER, ATTACHED])
def test_the_program_of_only_is_what_is_monitored(header: Header) -> None:
    assert log([], replace(header, only="client.out"))[1] == "program client.out is monitored."
    records: list[Record] = [executes("client.out")] if header is HEADER else []
    assert sum("is monitored" in line for line in log(records, replace(header, only="client.out"))) == 1


def test_a_servers_log_is_the_modules() -> None:
    assert log(server()) == [
        "loaded.",
        "program server.out is monitored.",
        "program server.out with PID = 17 executed.",
        *["process received 35 bytes.", "process sent 35 bytes."] * 5,
        "process with PID = 17 exited.",
        "received 175 bytes.",
        "sent      175 bytes.",
        "unloaded.",
    ]


@pytest.mark.parametrize(
    ("moment", "stamp"),
    [(0.0, "    0.000000"), (-1.0, "    0.000000"), (0.0012344, "    0.001234"), (12345.9999999, "12346.000000")],
)
def test_times_are_printed_as_dmesg_does(moment: float, stamp: str) -> None:
    (event,) = EventMaker().events([replace(sent(35), time=moment)])
    assert create("dmesg").lines(event) == f"[{stamp}] Traffic module: process sent 35 bytes.\n"


def test_each_process_tells_its_own_totals() -> None:
    child: list[Record] = [born(20, 20, ROOT), received(3, pid=20, tid=21), exits(20, 0, tid=21), exits(20)]
    lines = log([executes("server.out"), sent(35), *child, received(7), exits()])
    end = lines.index("process with PID = 20 exited.")
    assert lines[end : end + 3] == ["process with PID = 20 exited.", "received 3 bytes.", "sent      0 bytes."]
    assert lines[-4:] == ["process with PID = 17 exited.", "received 7 bytes.", "sent      35 bytes.", "unloaded."]


def test_a_pid_that_is_used_again_begins_with_nothing() -> None:
    again: list[Record] = [
        born(20, 20, ROOT),
        sent(1, pid=20),
        exits(20),
        born(20, 20, ROOT),
        sent(2, pid=20),
        exits(20),
    ]
    assert log([executes("server.out"), *again, exits()]).count("sent      2 bytes.") == 1


def test_what_moved_nothing_has_no_line() -> None:
    moved: list[Record] = [peeked(3), received(0, error=11), sent(0), received(0)]
    assert log([executes("server.out"), *moved, exits()])[3:-1] == [
        "process with PID = 17 exited.",
        "received 0 bytes.",
        "sent      0 bytes.",
    ]


def test_what_the_modules_did_not_log_has_no_line() -> None:
    for name in ("tcp", "close", "clone", "thread", "warning", "fallback"):
        assert told(RECORDS[name]) == ""
    assert create("dmesg").lines(EventMaker().snapshot(SNAPSHOT)) == ""


def test_the_first_target_of_an_attach_is_monitored_and_not_executed() -> None:
    found = executes("server.out", attached=True, parent=1)
    assert log([found, tcp(1), sent(35), close(1, fd=-1)], ATTACHED) == [
        "loaded.",
        "program server.out is monitored.",
        "process sent 35 bytes.",
        "received 0 bytes.",
        "sent      35 bytes.",
        "unloaded.",
    ]


def test_a_name_that_comm_has_no_room_for_is_told_in_full() -> None:
    name = "a-name-of-21-letters."
    exec = executes(name[:15], executable=f"/opt/{name}")
    assert told(exec).splitlines()[0].startswith(f"Traffic module: program {name} is monitored.")
    script = executes("script", executable="/usr/bin/perl")
    assert "program script is" in told(script)


def test_a_name_cannot_make_a_line_of_its_own() -> None:
    assert len(create("dmesg").begin(replace(HEADER, command=("/bin/a\nb",))).splitlines()) == 2


def test_traced_calls_look_as_in_the_module() -> None:
    assert told(Entered(0.1, ROOT, ROOT, called("clone", 0x1200011, 0, 0, 0x7F00))) == (
        "sys_clone() called: clone_flags=0x1200011 newsp=0x0"
    )
    assert told(Returned(0.1, ROOT, ROOT, called("clone"), 5582)) == "sys_clone() returns 5582"
    execve = called("execve", 0x1000, 0x2000, 0x7FFE0008, memory=EXECVE)
    assert told(Entered(0.1, ROOT, ROOT, execve)) == (
        'sys_execve() called: filename=/bin/ls argv=["ls"] envp=0x7ffe0008'
    )
    assert told(Returned(0.1, ROOT, ROOT, execve, 0)) == "sys_execve() returns: 0"


def test_a_call_without_arguments_ends_with_its_colon() -> None:
    assert told(Entered(0.1, ROOT, ROOT, called("getpid"))) == "sys_getpid() called:"


def test_a_failed_call_returns_the_kernels_number() -> None:
    assert told(Returned(0.1, ROOT, ROOT, called("connect", 3), -13)) == "sys_connect() returns: -13"


def test_a_denial_names_its_rule() -> None:
    assert told(RECORDS["deny"]) == "sys_connect() denied: connect:global"


def test_a_gap_is_told() -> None:
    assert create("dmesg").dropped(7) == "[    0.000000] Traffic module: 7 events dropped.\n"


EXECVE = (
    (0x1000, b"/bin/ls\0"),
    (0x2000, (0x3000).to_bytes(8, "little") + bytes(8)),
    (0x3000, b"ls\0"),
)
