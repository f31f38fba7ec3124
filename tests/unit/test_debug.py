# SPDX-License-Identifier: GPL-2.0-or-later
"""PTMON_DEBUG: its words, and the lines of what the C core has noted."""

from __future__ import annotations

import errno
import signal
from typing import Any

import pytest

from ptmon import syscalls
from ptmon.command_line import help_text
from ptmon.debugging import KINDS, parse, wanted
from ptmon.engines import Debug
from ptmon.engines.boundary import lib
from ptmon.engines.native.batches import FALLBACKS
from ptmon.engines.native.debug import KINDS as BITS
from ptmon.engines.native.debug import NEXT, SAID, VERDICTS, DebugRing
from ptmon.errors import PtmonError

STOPPED = 0x7F
START = 1_000_000_000


def lines(*entries: dict[str, Any], kinds: tuple[str, ...] = KINDS) -> list[str]:
    """What is told of these entries."""
    told: list[str] = []
    ring = DebugRing(Debug(kinds, syscalls.name, told.extend))
    for number, fields in enumerate(entries):
        entry = ring.ring.entries[number % lib.PT_DEBUG_ENTRIES]
        for name, value in {"time": START + 250_000_000, "tid": 17, "number": 2**64 - 1, **fields}.items():
            setattr(entry, name, value)
    ring.ring.count = len(entries)
    ring.tell(START)
    return told


def line(**fields: Any) -> str:
    """What one entry says."""
    (told,) = lines(fields)
    time, said = told.split("  [17]  ")
    assert float(time) == 0.25
    return said


def stopped(number: int, event: int = 0) -> int:
    return event << 16 | number << 8 | STOPPED


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (3 << 8, "exited with status 3"),
        (signal.SIGKILL, "killed by SIGKILL"),
        (stopped(signal.SIGUSR1), "signal-delivery-stop SIGUSR1"),
        (stopped(40), "signal-delivery-stop signal 40"),
        (stopped(signal.SIGTSTP, 128), "group-stop SIGTSTP"),
        (stopped(signal.SIGTRAP, 128), "PTRACE_EVENT_STOP"),
        (stopped(signal.SIGTRAP, 3), "PTRACE_EVENT_CLONE"),
        (stopped(signal.SIGTRAP, 77), "PTRACE_EVENT_77"),
    ],
)
def test_a_stop_is_named_as_ptrace_names_it(status: int, said: str) -> None:
    assert line(event=lib.PT_DEBUG_STOP, status=status) == f"{said}: in hand"


def test_a_stop_at_a_call_names_the_call() -> None:
    call = {"event": lib.PT_DEBUG_STOP, "status": stopped(signal.SIGTRAP | 0x80), "number": 1, "address": 0x1234}
    name = syscalls.name(1, False)
    assert line(**call, op=1, next=lib.PT_DEBUG_SYSCALL) == (
        f"syscall-enter-stop {name} at 0x1234: resumed by PTRACE_SYSCALL"
    )
    assert line(**call, op=2, result=-errno.EAGAIN, next=lib.PT_DEBUG_CONT, signal=signal.SIGINT) == (
        f"syscall-exit-stop {name} = -1 EAGAIN before 0x1234: resumed by PTRACE_CONT with SIGINT"
    )


def test_who_is_resumed_later_has_a_line() -> None:
    assert line(event=lib.PT_DEBUG_RESUMED, next=lib.PT_DEBUG_LISTEN) == "listening, by PTRACE_LISTEN"


def test_every_event_of_the_core_has_words() -> None:
    events = {getattr(lib, name): name for name in dir(lib) if name.startswith("PT_DEBUG_")}
    assert {getattr(lib, f"PT_DEBUG_{kind.upper()}") for kind in KINDS} == set(BITS.values())
    for event in SAID:
        status = min(FALLBACKS) if event == lib.PT_DEBUG_FELL_BACK else lib.PT_SITE_ENTERED
        assert "None" not in line(event=event, status=status)
        assert line(event=event, status=status, error=errno.ENOMEM).endswith("(ENOMEM)")
        assert event in events
    assert len(NEXT) == 8
    assert {getattr(lib, name) for name in dir(lib) if name.startswith("PT_SITE_")} >= VERDICTS.keys()


def test_how_many_older_entries_were_dropped_is_said() -> None:
    most = lib.PT_DEBUG_ENTRIES
    told = lines(*({"event": lib.PT_DEBUG_DRAIN, "number": number, "count": 1} for number in range(most + 3)))
    assert told[0] == f"3 older entries were dropped: the last {most} are kept"
    assert told[1].endswith("ring 0: 1 record from number 3 on")
    assert told[-1].endswith(f"from number {most + 2} on")
    assert len(told) == most + 1


def test_the_variable_has_kinds_in_any_order() -> None:
    assert parse("ring,stops,ring") == ("stops", "ring")
    assert parse(" sockets , all") == KINDS
    assert parse(",") == ()


def test_the_help_names_the_variable_and_its_kinds() -> None:
    assert f"PTMON_DEBUG={','.join(KINDS)}" in " ".join(help_text().split())


def test_a_word_that_is_not_known_is_an_error() -> None:
    with pytest.raises(PtmonError, match=r"PTMON_DEBUG: 'stop\\x1b' is not one of .*; did you mean stops\?") as raised:
        parse("stop\x1b")
    assert raised.value.exit_status == 2


def test_the_reference_engine_notes_nothing() -> None:
    assert wanted(",", "reference", guest=False) is None
    with pytest.raises(PtmonError, match="reference engine"):
        wanted("all", "reference", guest=False)
