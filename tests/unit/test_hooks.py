# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks: what a function is called with, what its answer does, and what becomes of one that fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ptmon import hooks, syscalls
from ptmon.errors import UsageError
from ptmon.hooks import Call, Deny, Hook, Return, Runner, hook, merge_watches
from ptmon.records import Called
from ptmon.watches import Answer, Capture, CaptureKind, Held, Watch

PATH = 0x7F0000000FFC
"""Four bytes before the end of a page."""
MEMORY = {PATH: b"/etc/passwd\0"}


def read(address: int, length: int) -> bytes:
    """Memory that ends where its string ends, but for the rest of that page."""
    for base, data in MEMORY.items():
        data = data + bytes(-(base + len(data)) % 4096)
        if base <= address and address + length <= base + len(data):
            return data[address - base :][:length]
    raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))


def held(name: str = "openat", *args: int, result: int | None = None) -> Held:
    number, compat = syscalls.numbers(name)[0]
    registers = (*args, *[0] * (6 - len(args)))
    return Held(0.5, os.getpid(), os.getpid(), Called(number, compat, registers), result, read)


def at_entry(*functions: Hook, of: Held | None = None) -> Answer | None:
    return Runner(functions).hold(of or held())


def answering(value: object, *names: str, when: str = "both") -> Hook:
    def answers(call: Call) -> object:
        return value

    return hook(*names or ("openat",), when=when)(answers)  # type: ignore[arg-type]


def test_a_hook_sees_the_call_at_its_entry_and_its_result_at_its_return() -> None:
    seen: list[tuple[str, bool, int | None, str | None]] = []

    @hook("openat")
    def look(call: Call) -> None:
        seen.append((call.name, call.entering, call.result, call.errno))

    runner = Runner([look])
    assert runner.hold(held()) is None
    assert runner.hold(held(result=3)) is None
    assert runner.hold(held(result=-errno.ENOENT)) is None
    assert runner.hold(held(result=-512)) is None
    assert runner.hold(held("close")) is None
    assert seen == [
        ("openat", True, None, None),
        ("openat", False, 3, None),
        ("openat", False, -2, "ENOENT"),
        ("openat", False, -512, "ERESTARTSYS"),
    ]


@pytest.mark.parametrize(("when", "expected"), [("entry", [True]), ("return", [False]), ("both", [True, False])])
def test_a_hook_may_leave_out_the_entry_or_the_return(when: str, expected: list[bool]) -> None:
    seen: list[bool] = []

    @hook("openat", when=when)
    def look(call: Call) -> None:
        seen.append(call.entering)

    runner = Runner([look])
    runner.hold(held())
    runner.hold(held(result=0))
    assert seen == expected


def test_what_a_hook_knows_of_a_call() -> None:
    seen: list[Call] = []

    @hook("openat")
    def look(call: Call) -> None:
        assert call.arguments["filename"] == "/etc/passwd"
        assert call.read(PATH + 1, 3) == b"etc"
        assert call.read_string(PATH) == "/etc/passwd"
        assert call.read_string(PATH, 6) == "/etc/p"
        with pytest.raises(OSError, match="Bad address"):
            call.read(16, 1)
        assert call.text.startswith('openat(AT_FDCWD, "/etc/passwd", O_RDONLY')
        seen.append(call)

    at_fdcwd = 2**32 - 100
    assert at_entry(look, of=held("openat", at_fdcwd, PATH)) is None
    (call,) = seen
    assert (call.pid, call.tid, call.time, call.compat) == (os.getpid(), os.getpid(), 0.5, False)
    assert call.process == Path("/proc/self/comm").read_text().rstrip("\n")
    assert call.args == (at_fdcwd, PATH, 0, 0, 0, 0)
    with pytest.raises(ProcessLookupError, match="the call is over"):
        call.read(PATH, 1)


def test_memory_is_read_only_if_a_hook_asks_for_it() -> None:
    def never(address: int, length: int) -> bytes:
        raise AssertionError("nobody asked")

    seen: list[str] = []

    @hook("openat")
    def look(call: Call) -> None:
        seen.append(call.name)

    number, compat = syscalls.numbers("openat")[0]
    assert at_entry(look, of=Held(0.5, 1, 1, Called(number, compat, (0, PATH, 0, 0, 0, 0)), None, never)) is None
    assert seen == ["openat"]


def test_the_text_of_a_return_has_its_result() -> None:
    texts: list[str] = []

    @hook("close", when="return")
    def look(call: Call) -> None:
        texts.append(call.text)

    runner = Runner([look])
    runner.hold(held("close", 7, result=0))
    runner.hold(held("close", 7, result=-errno.EBADF))
    assert texts == ["close(7) = 0", "close(7) = -1 EBADF (Bad file descriptor)"]


def test_a_denial_names_its_hook() -> None:
    assert at_entry(answering(Deny())) == Answer(-errno.EACCES, "hook answers")
    assert at_entry(answering(Deny("EPERM"))) == Answer(-errno.EPERM, "hook answers")
    assert at_entry(answering(Deny(errno.ENOSYS))) == Answer(-errno.ENOSYS, "hook answers")


def test_a_value_is_returned_as_it_is_and_is_no_denial() -> None:
    assert at_entry(answering(Return(4242))) == Answer(4242, None)
    assert at_entry(answering(Return(-2))) == Answer(-2, None)


@pytest.mark.parametrize("wrong", ["EFOO", 0, 512, -1, 2.5])
def test_an_unknown_errno_is_no_denial(wrong: object) -> None:
    with pytest.raises(ValueError, match="no such errno"):
        Deny(wrong)  # type: ignore[arg-type]


def test_a_value_fits_a_register() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        Return(2**63)
    with pytest.raises(TypeError, match="a number"):
        Return("1")  # type: ignore[arg-type]


def test_the_first_hook_that_answers_wins_and_the_others_are_not_asked() -> None:
    asked: list[str] = []

    @hook("openat", when="entry")
    def first(call: Call) -> None:
        asked.append("first")

    @hook("openat", when="entry")
    def second(call: Call) -> Deny:
        asked.append("second")
        return Deny("EPERM")

    @hook("openat", when="entry")
    def third(call: Call) -> Deny:
        asked.append("third")
        return Deny()

    assert at_entry(first, second, third) == Answer(-errno.EPERM, "hook second")
    assert asked == ["first", "second"]


def test_all_hooks_see_the_return() -> None:
    asked: list[int] = []

    def looks(number: int) -> Hook:
        return hook("openat", when="return")(lambda call: asked.append(number))

    Runner([looks(1), looks(2), looks(3)]).hold(held(result=3))
    assert asked == [1, 2, 3]


def raises(error: BaseException) -> Callable[[Call], None]:
    def broken(call: Call) -> None:
        raise error

    return broken


@pytest.mark.parametrize("error", [RuntimeError("my fault"), SystemExit("my fault"), AssertionError("my fault")])
def test_a_hook_that_raises_is_told_of_once_and_not_called_again(
    error: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    other: list[bool] = []
    runner = Runner([hook("openat")(raises(error)), hook("openat")(lambda call: other.append(call.entering))])
    for _ in range(3):
        assert runner.hold(held()) is None
        assert runner.hold(held(result=3)) is None
    assert other == [True, False] * 3, "the other hook runs on"
    said = capfd.readouterr().err
    assert said.startswith(f"ptmon: hook broken failed at the entry of openat in process {os.getpid()};")
    assert said.count("Traceback") == 1 == said.count("my fault")
    assert __file__ in said and hooks.__file__ not in said, "the traceback is that of the user's own code"


@pytest.mark.parametrize(
    ("value", "result", "said"),
    [
        (True, None, "a hook answers Deny(errno), Return(value) or None, not True"),
        (Deny, None, "not <class"),
        (Deny("EPERM"), 3, "comes too late"),
        (Return(1), 3, "comes too late"),
    ],
)
def test_an_answer_that_means_nothing_is_the_hooks_error(
    value: object, result: int | None, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    runner = Runner([answering(value)])
    assert runner.hold(held(result=result)) is None
    assert runner.hold(held(result=result)) is None
    err = capfd.readouterr().err
    assert err.count("ptmon: hook answers failed") == 1 and said in err


def test_the_users_own_interrupt_is_not_the_hooks_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        at_entry(hook("openat")(raises(KeyboardInterrupt())))
    assert capfd.readouterr().err == ""


def test_a_mark_leaves_the_function_callable_and_names_calls_and_classes() -> None:
    marked = answering(None, "openat", "%process")
    assert marked(Call(held())) is None
    assert marked.name == "answers"
    assert {"openat", "execve", "clone"} <= set(marked.calls)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: hook("opneat"), "did you mean openat?"),
        (lambda: hook(), "names the system calls"),
        (lambda: hook(print), "names the system calls"),  # type: ignore[arg-type]
        (lambda: hook("openat", when="exit"), "not one of entry, return, both"),
        (lambda: hook("openat")(answering(None)), "a hook already"),
    ],
)
def test_a_wrong_mark_is_an_error(make: Callable[[], object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


def test_every_abi_of_a_hooks_calls_is_held_once() -> None:
    runner = Runner([answering(None, "openat", "close"), answering(None, "openat")])
    watches = runner.watches()
    assert {(watch.number, watch.compat) for watch in watches} == {
        *syscalls.numbers("openat"),
        *syscalls.numbers("close"),
    }
    assert len(watches) == len(syscalls.numbers("openat")) + len(syscalls.numbers("close"))
    assert all(watch.hold and not watch.tell and not watch.captures for watch in watches)


def test_a_call_that_is_told_and_held_is_one_watch() -> None:
    captures = (Capture(CaptureKind.STRING, at_entry=True, most=9),)
    told, other = Watch(2, False, True, False, captures), Watch(2, True, True, False, captures)
    held_too = Watch(2, False, False, True)
    assert merge_watches([held_too, told, other]) == (Watch(2, False, True, True, captures), other)
    assert merge_watches([told, held_too]) == (Watch(2, False, True, True, captures),)
    assert merge_watches([]) == ()
