# SPDX-License-Identifier: GPL-2.0-or-later
"""What the API makes of what users write, and the way of events from the tracer's thread to theirs."""

from __future__ import annotations

import errno
import inspect
import re
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ptmon import api, decoding, events, hooks, syscalls
from ptmon.api import attach, launch, prepare, run
from ptmon.api.events import EventQueue, Handle
from ptmon.engines import EngineSettings
from ptmon.errors import PtmonError, UsageError
from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.records import Transfer
from tests.unit.build import HEADER, close, exits, inet, peeked, received, report_of, sent, udp

PAGE = Path(__file__).parents[2] / "docs" / "API.md"


def event(count: int) -> Event:
    return Event("send", sent(count), "x", None)


def test_an_event_has_the_bytes_and_the_peer_that_it_is_about() -> None:
    seen = udp(1, 7, inet("192.0.2.1", 80))
    for kind, record, count in (("send", sent(35), 35), ("receive", received(17), 17), ("receive", peeked(17), 0)):
        one = Event(kind, record, "x", seen)
        assert (one.bytes, one.peer) == (count, "192.0.2.1:80")
        assert Event(kind, record, "x", None).peer is None
    for kind, other in (("socket", seen), ("close", close(1, None))):
        assert (Event(kind, other, "x", seen).bytes, Event(kind, other, "x", seen).peer) == (0, "192.0.2.1:80")
    assert (Event("exit", exits(), "x", None).bytes, Event("exit", exits(), "x", None).peer) == (0, None)


def test_every_kind_of_event_and_its_fields_are_documented() -> None:
    classes = {**{name: kind for kind, name in events.KINDS.items()}, "send": Transfer}
    section = PAGE.read_text()
    told = inspect.cleandoc(Event.__doc__ or "")
    rows = {name: (kind, text) for name, kind, text in re.findall(r"^(\w+) +(\w+)  +(.*(?:\n  .*)*)", told, re.M)}
    assert rows.keys() == {*classes, "receive"}
    assert rows["receive"][0] == "Transfer"
    for name, kind in classes.items():
        assert f"`{name}`" in section
        assert rows[name][0] == kind.__name__
        if kind is not Snapshot:  # which has the totals
            assert {field.name for field in fields(kind)} <= {"time", "pid", *re.findall(r"\w+", rows[name][1])}, name


def test_without_names_nothing_is_watched() -> None:
    assert prepare(command=["ls", "-l"]) == EngineSettings(command=("ls", "-l"))


def test_each_setting_goes_through() -> None:
    settings = prepare(
        attach=[17, 18], only="x", follow=False, io_uring=False, seccomp="off", fast_after=3, duration=1.5, guest=True
    )
    assert settings == EngineSettings(
        attach=(17, 18), only="x", follow=False, io_uring=False, seccomp="off", fast=3, duration=1.5, guest=True
    )
    assert prepare(command=["x"], fast="off", fast_after=3).fast == 0


def test_names_become_watches_that_tell() -> None:
    settings = prepare(command=["x"], trace=["openat", "%network"])
    numbers = {(watch.number, watch.compat) for watch in settings.watches}
    assert set(syscalls.numbers("openat")) | set(syscalls.numbers("connect")) <= numbers
    assert len(numbers) == len(settings.watches)
    assert all(watch.tell and not watch.hold for watch in settings.watches)
    by_number = {(watch.number, watch.compat): watch for watch in settings.watches}
    assert by_number[syscalls.numbers("openat")[0]].captures == decoding.captures("openat")
    assert settings.hold is None


def test_a_call_may_be_traced_hooked_and_refused_at_once() -> None:
    @hooks.hook("connect")
    def mine(call: hooks.Call) -> None:
        return None

    settings = prepare(command=["x"], trace=["connect"], deny=["connect"], hooks=[mine])
    key = syscalls.numbers("connect")[0]
    (watch,) = [watch for watch in settings.watches if (watch.number, watch.compat) == key]
    assert (watch.tell, watch.hold, watch.captures) == (True, True, decoding.captures("connect"))
    assert settings.hold is not None
    assert [rule.text for rule in settings.rules] == ["connect"] * len(settings.rules) != []


def test_what_is_refused_is_shown_with_its_arguments_if_it_is_told() -> None:
    (watch, *_) = prepare(command=["x"], deny=["mkdirat=EROFS"]).watches
    assert (watch.tell, watch.hold, watch.captures) == (False, False, decoding.captures("mkdirat"))
    silent = prepare(command=["x"], deny=["mkdirat=EROFS"], told=False)
    assert silent.watches == ()
    assert {(rule.error, rule.told) for rule in silent.rules} == {(errno.EROFS, False)}


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"trace": ["nosuch"]}, UsageError),
        ({"deny": ["connect:nowhere"]}, UsageError),
        ({"hooks": [print]}, PtmonError),
        ({"seccomp": "maybe"}, PtmonError),
        ({"seccomp": "on", "follow": False}, PtmonError),
        ({"fast": "on"}, PtmonError),
        ({"fast_after": 0}, PtmonError),
        ({"fast_after": True}, PtmonError),
        ({"fast_after": 2**31}, PtmonError),
        ({"command": "ls -l"}, TypeError),
        ({"command": ["a\0b"]}, ValueError),
    ],
)
def test_what_is_not_understood_is_an_error(keywords: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        prepare(**{"command": ["x"], **keywords})  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [run, launch, attach])
def test_each_way_to_trace_has_the_keywords_of_the_fast_path(function: Callable[..., object]) -> None:
    keywords = inspect.signature(function).parameters
    assert (keywords["fast"].default, keywords["fast_after"].default) == ("auto", 50)
    with pytest.raises(PtmonError, match="fast is 'never', not one of auto, off"):
        function(["true"] if function is not attach else 1, fast="never")


@pytest.mark.parametrize("function", [run, launch, attach])
def test_each_way_to_trace_passes_on_what_it_is_given(
    function: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All keywords by their names, and those that are not given as the engine has them by itself."""
    passed: dict[str, object] = {}

    def tracing(**asked: object) -> NoReturn:
        passed.update(asked)
        raise PtmonError("that is all")

    monkeypatch.setattr(api, "_tracing", tracing)
    keywords = inspect.signature(function).parameters
    with pytest.raises(PtmonError, match="that is all"):
        function(1 if function is attach else ["true"], **({"on_event": print} if function is run else {}))
    own = {"pids": "attach", "on_event": None, "capture_output": None}
    assert set(passed) - {"streams"} == {own.get(name, name) for name in keywords} - {None}
    engines = {field.name: field.default for field in fields(EngineSettings)}
    for name, parameter in keywords.items():
        if name in engines and name not in ("command", "fast"):
            assert parameter.default == engines[name], name
        if name in passed and parameter.default is not parameter.empty:
            assert passed[name] == parameter.default, name


def test_what_is_no_keyword_is_an_error() -> None:
    with pytest.raises(TypeError):
        prepare(command=["x"], nonsense=1)


def test_a_launch_wants_a_command() -> None:
    for command in ([], [""]):
        with pytest.raises(PtmonError, match="the command is empty"):
            launch(command)


def test_what_finds_the_queue_full_is_dropped_and_counted() -> None:
    queue = EventQueue(3)
    queue.write([event(1), event(2)])
    queue.write([event(3), event(4), event(5)])
    queue.write([event(6)])
    assert queue.dropped == 3
    assert [queue.get(), queue.get()] == [event(1), event(2)]
    queue.write([event(7)])
    queue.end(None)
    assert [queue.get(), queue.get(), queue.get(), queue.get()] == [event(3), event(7), None, None]


def test_a_queue_for_nothing_asks_for_no_events() -> None:
    assert not EventQueue(0).wants_events
    assert EventQueue(1).wants_events


def test_a_reader_waits_for_events_and_is_woken_at_the_end() -> None:
    queue = EventQueue(10)
    got: list[Event | None] = []
    reader = threading.Thread(target=lambda: got.extend([queue.get(), queue.get()]))
    reader.start()
    queue.write([event(1)])
    queue.finish(report_of([exits()]))
    reader.join(10)
    assert got == [event(1), None]


def test_the_start_and_the_end_are_told() -> None:
    queue = EventQueue(1)
    assert not queue.wait_reported(0)
    assert not queue.wait_ended(0)
    queue.start(HEADER)
    queue.wait_started()
    queue.end(PtmonError("x"))
    assert queue.wait_reported(0) and queue.wait_ended(0)
    assert isinstance(queue.error, PtmonError)


def test_a_kill_reaches_nobody_when_the_program_is_not_ours() -> None:
    handle = Handle()
    with handle:
        handle.kill()
        handle.start(replace(HEADER, mode="attach", root=1))
        handle.kill()
    handle.kill()


def test_a_session_that_has_not_begun_says_so_and_does_not_wait() -> None:
    for use in (lambda s: s.wait(), list, lambda s: s.detach(), lambda s: s.end(), lambda s: s.snapshot()):
        with pytest.raises(PtmonError, match="tracing has not begun: use it by with"):
            use(launch(["true"]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration": 0},
        {"duration": -1},
        {"interval": 0},
        {"interval": -1.0},
        {"only": ""},
        {"only": "a/b"},
        {"trace": "dup"},
        {"trace": [3]},
        {"deny": "ptrace"},
        {"deny": [None]},
    ],
    ids=str,
)
def test_numbers_and_names_that_make_no_sense_are_errors_before_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(PtmonError):
        launch(["true"], **wrong)


@pytest.mark.parametrize("pid", [0, -1, 2**31, 2**40, True])
def test_what_is_no_process_id_is_an_error(pid: int) -> None:
    with pytest.raises(PtmonError, match="that is not a process id"):
        attach(pid)
