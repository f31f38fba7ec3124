# SPDX-License-Identifier: GPL-2.0-or-later
"""Events for people."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ptmon.events import EventMaker
from ptmon.outputs.formats import create
from ptmon.records import Record, Returned
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
from tests.unit.test_event_jsonl import CALL, RECORDS, SNAPSHOT

ENDS = "tcp 127.0.0.1:8080 ⇄ 127.0.0.1:50000"


def log(*records: Record) -> list[str]:
    """The lines of these records, after a first one that names the process."""
    formatter = create("text")
    lines = [formatter.lines(event) for event in EventMaker().events([executes("server.out"), *records])][1:]
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines if line)
    return [line.rstrip("\n") for line in lines if line]


def what(*records: Record) -> str:
    """What the last line says behind its first three columns."""
    return re.split("  +", log(*records)[-1].strip(), maxsplit=3)[3]


def test_a_transfer_tells_when_who_what_how_much_and_with_whom() -> None:
    *_, line = log(tcp(1), replace(received(35), time=0.001234))
    assert line == f"    0.001234  server.out[17]        receive           35 B  recvfrom(4)    {ENDS}"


def test_columns_stand_below_each_other() -> None:
    lines = log(tcp(1), *(sent(count, time=moment) for count, moment in ((1, 0.1), (10**9, 12.5), (35, 86400.25))))
    assert {line.index("sendto(4)") for line in lines[1:]} == {60}
    assert {line.index("tcp ") for line in lines[1:]} == {75}


def test_a_long_name_widens_the_column_for_all_that_come_later() -> None:
    name = "a-name-of-20-letters"
    formatter = create("text")
    events = EventMaker().events([executes("sh"), sent(1), executes(name, 20), sent(1, pid=20), sent(1)])
    lines = [formatter.lines(event) for event in events]
    assert lines[1].index("send ") < lines[3].index("send ") == lines[4].index("send ")


def test_a_thread_is_told_beside_its_process() -> None:
    assert log(sent(1, tid=18))[0].split()[1] == "server.out[17/18]"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("again", "EAGAIN  recvfrom(4)"),
        ("peek", "peeked 3 B  recvfrom(4)"),
        ("share", "7 B  sendto(4)        (of the same call)"),
        ("many", "21 B  sendto(4)        (3 calls)"),
        ("attached", "server.out  (attached)"),
        ("clone", "child of 17"),
        ("thread", "thread"),
        ("exit", "status 3"),
        ("killed", "killed by SIGSEGV"),
        ("tcp", f"fd 4  {ENDS}  (loopback)"),
        ("unix", "fd 5  unix stream @a\\xffb  (local)"),
        ("accepted", f"fd 4  {ENDS}  (loopback, accepted)"),
        ("connect", "fd 4  tcp  ⇄ 127.0.0.1:1  connected after 250.000 ms"),
        ("failed", "fd 4  tcp  ⇄ 127.0.0.1:1  failed (ECONNREFUSED) after 250.000 ms"),
        ("later", "fd 4  tcp  ⇄ 127.0.0.1:1  failed (why was not seen)"),
        ("begun", "fd 4  tcp  ⇄ 127.0.0.1:1  in progress"),
        ("abandoned", "fd 4  tcp  ⇄ 127.0.0.1:1  closed while in progress"),
        ("bare", "fd -1  unknown socket"),
        ("close", "fd 4  (kernel: sent 35 B, received 35 B, rtt 0.021 ms)"),
    ],
)
def test_what_is_told(name: str, told: str) -> None:
    assert what(RECORDS[name]) == told


def test_a_close_tells_whose_it_was() -> None:
    assert what(tcp(1), close(1)) == f"fd 4  {ENDS}"


def test_the_close_of_a_connection_tells_how_long_it_lasted() -> None:
    told = what(replace(tcp(1), opened=0.4), close(1, (35, 35)))
    assert told == f"fd 4  {ENDS}  (kernel: sent 35 B, received 35 B, rtt 0.021 ms, lasted 0.500000 s)"


def test_a_socket_that_stays_open_is_not_closed() -> None:
    assert log(tcp(1), close(1, fd=-1)) == log(tcp(1))


def test_a_socket_that_is_better_known_is_shown_anew() -> None:
    first = replace(tcp(1), peer=b"")
    *_, before, _, after = log(first, sent(1), tcp(1), sent(1))
    assert before.endswith("tcp 127.0.0.1:8080")
    assert after.endswith(ENDS)


def test_calls_look_as_in_strace() -> None:
    assert re.fullmatch(r"connect\(3, .*192\.0\.2\.1.*, 16\)", what(RECORDS["enter"]))
    returned = what(RECORDS["return"])
    assert re.fullmatch(r"connect\(3, .*, 16\) = -1 ECONNREFUSED \(Connection refused\)", returned)
    assert what(RECORDS["enter"], Returned(0.2, ROOT, ROOT, replace(CALL, memory=()), -111)) == returned
    denied = what(RECORDS["deny"])
    assert re.fullmatch(r"connect\(3, .*, 16\) = -1 EACCES \(Permission denied\)  by connect:global", denied)


def test_a_program_is_shown_with_its_arguments_as_a_shell_takes_them() -> None:
    assert what(executes("sh", argv=("sh", "-c", "a b"))) == "sh -c 'a b'"
    assert what(executes("busybox", argv=("ls", "-l"))) == "ls -l  (/bin/busybox)"
    assert what(executes("sh", argv=())) == "/bin/sh"


def test_a_very_long_command_line_is_cut() -> None:
    told = what(executes("x", argv=("x", *["y" * 100_000] * 3)))
    assert len(told) == 400
    assert told.endswith("…")


def test_nothing_that_moves_a_cursor_is_printed() -> None:
    for name in ("exec", "unix"):
        line = log(RECORDS[name], sent(1))[-1]
        assert line.isprintable(), line
    assert "\\x1b[0m" in log(RECORDS["exec"])[0]


def test_a_warning_is_the_reports() -> None:
    assert "io_uring" in what(RECORDS["warning"])


def test_a_fallback_is_in_the_words_of_the_report() -> None:
    assert what(RECORDS["fallback"]) == "its calls stop: the kernel refuses the memory (ENOMEM)"


def test_a_snapshot_tells_totals_and_what_came_since_the_last() -> None:
    line = create("text").lines(EventMaker().snapshot(SNAPSHOT))
    assert line == (
        "    1.500000  ptmon                 snapshot  "
        "sent 180 B (+5 B, 10 B/s), received 175 B (+0 B, 0 B/s), 1 process, 5 sockets\n"
    )


def test_the_first_line_tells_when_and_what() -> None:
    assert (
        create("text")
        .begin(HEADER)
        .startswith("    0.000000  ptmon                 start     ./server.out  (launch on")
    )
    assert "2026-11-21T20:00:00.000000Z" in create("text").begin(HEADER)
    assert f"process {ROOT}  (attach on" in create("text").begin(ATTACHED)


def test_the_last_line_tells_the_totals() -> None:
    end = create("text").end(report_of([*server(), peeked(3)]))
    assert end.startswith("    1.250000  ptmon")
    assert end.endswith("sent 175 B in 5 calls, received 175 B in 6 calls, complete\n")
    assert create("text").end(report_of([born(ROOT, ROOT, 1), RECORDS["warning"]])).endswith("NOT COMPLETE\n")


def test_a_gap_is_told() -> None:
    assert create("text").dropped(1) == "... 1 event dropped\n"
    assert create("text").dropped(123) == "... 123 events dropped\n"


def test_the_end_of_a_thread_is_not_that_of_its_process() -> None:
    assert what(exits(ROOT, 0, tid=18)) == "thread, status 0"
