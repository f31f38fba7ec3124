# SPDX-License-Identifier: GPL-2.0-or-later
"""--explain: the words for what the reference engine does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ptmon import syscalls
from ptmon.engines import Act
from ptmon.narrating import ACTS, Narrator

ENGINE = Path(__file__).parents[2] / "ptmon" / "engines" / "reference"
NUMBERS = {name: syscalls.numbers(name)[0][0] for name in ("close", "sendto")}


def entry(name: str, *, sockets: bool = False) -> Act:
    return Act("entry", 7, NUMBERS[name], sockets=sockets, registers=(("orig_rax", NUMBERS[name]), ("rax", -38)))


def leave(name: str, value: int) -> Act:
    return Act("exit", 7, NUMBERS[name], value, registers=(("rax", value),))


def told(capfd: pytest.CaptureFixture[str], *acts: Act) -> list[str]:
    narrator = Narrator()
    for act in acts:
        narrator(act)
    return capfd.readouterr().err.splitlines()


def test_there_are_words_for_each_act_of_the_engine_and_for_no_other() -> None:
    code = "\n".join(path.read_text() for path in ENGINE.glob("*.py"))
    kinds = set(re.findall(r'(?:\btell|Act)\("(\w+)"', code)) | set(re.findall(r'"(entry|exit)"', code))
    assert kinds == set(ACTS)


def test_an_explanation_is_given_once() -> None:
    for line, more, source in ACTS.values():
        assert line and more.endswith(".") and re.search(r"\(\d\)", source)


def test_steps_are_numbered_and_say_where_to_read_more(capfd: pytest.CaptureFixture[str]) -> None:
    lines = told(capfd, Act("fork", 7), Act("traceme", 7), Act("signal", 7, 10), Act("signal", 7, 12))
    assert [line[:4] for line in lines if line[:2].strip()] == [" 1. ", " 2. ", " 3. ", " 4. "]
    assert sum(line.startswith("    → ") for line in lines) == 4
    assert lines[-2:] == [
        " 4. signal-delivery-stop: SIGUSR2 is about to be delivered",
        "    → ptrace(2), Signal-delivery-stop; signal(7)",
    ]


def test_calls_that_move_nothing_are_told_in_full_twice_and_then_together(capfd: pytest.CaptureFixture[str]) -> None:
    close = (entry("close"), leave("close", 0))
    sendto = (entry("sendto", sockets=True), leave("sendto", -11))
    lines = told(capfd, *close * 5, *sendto, Act("count", 7, 3, 35, name="sendto", way="sent"))
    steps = [line[4:].split(",")[0] for line in lines if re.match(r"[ \d]\d\. ", line)]
    assert steps == [
        "syscall-entry-stop: it is about to make close",
        "syscall-exit-stop: close",
        "syscall-entry-stop: it is about to make close",
        "syscall-exit-stop: close",
        "syscall-entry-stop: it is about to make sendto",
        "syscall-exit-stop: sendto",
        "counted: 35 bytes sent by sendto on fd 3",
    ]
    assert "    ... 3 calls that can't move bytes over a socket, each seen twice: close (3)" in lines
    assert any(line.endswith("has returned -11 (-EAGAIN)") for line in lines)
    assert any(re.match(r" +rax +-38 +-ENOSYS: ", line) for line in lines)


def test_lines_are_narrow(capfd: pytest.CaptureFixture[str]) -> None:
    assert max(map(len, told(capfd, *(Act(kind, 7, 9, 9, name="recvmsg", way="received") for kind in ACTS)))) <= 100


@pytest.mark.skipif(shutil.which("man") is None, reason="there is no man")
def test_the_man_pages_that_are_named_are_there() -> None:
    if subprocess.run(["man", "-w", "2", "ptrace"], capture_output=True).returncode:
        pytest.skip("there are no man pages of section 2")
    for *_, source in ACTS.values():
        for name, section in re.findall(r"\b(\w+)\((\d)\)", source.format(name="sendto")):
            done = subprocess.run(["man", "-w", section, name], capture_output=True)
            assert done.returncode == 0, (name, section)
