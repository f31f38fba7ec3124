# SPDX-License-Identifier: GPL-2.0-or-later
"""--doctor's probes: each in a child, whatever becomes of it."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from typing import NoReturn

import pytest

from ptmon.doctor import PROBES, examine, probing
from ptmon.doctor.probing import LIMITED, MISSING, OK, Answer, Finding, ask
from ptmon.errors import PtmonError


def hang() -> Answer:
    time.sleep(1000)
    raise AssertionError


def crash() -> Answer:
    faulthandler.disable()  # pytest's would tell of it
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def refuse() -> Answer:
    raise PtmonError("nobody may")


def fail() -> Answer:
    raise KeyError("what")


def leave() -> NoReturn:
    os._exit(3)


def speak() -> Answer:
    os.write(1, b"heard by nobody\n")
    return Answer(LIMITED, "half of it", "its own remedy")


def test_what_a_probe_says_is_its_finding() -> None:
    assert ask("it", lambda: Answer(OK, "all of it"), "do that") == Finding("it", OK, "all of it", "")
    assert ask("it", speak, "do that") == Finding("it", LIMITED, "half of it", "its own remedy")


@pytest.mark.parametrize(
    ("probe", "said"),
    [
        (hang, "it did not come to an end within 0.3 s"),
        (crash, "who tried it was killed by signal 11 (Segmentation fault)"),
        (refuse, "nobody may"),
        (fail, "KeyError: 'what'"),
        (leave, "who tried it ended without a word"),
    ],
)
def test_a_probe_that_hangs_or_crashes_is_missing_with_the_reason(probe: probing.Probe, said: str) -> None:
    seconds = 0.3 if probe is hang else probing.SECONDS
    assert ask("it", probe, "do that", seconds) == Finding("it", MISSING, said, "do that")


def test_what_a_probe_has_started_is_gone_with_it() -> None:
    reader, writer = os.pipe()

    def probe() -> Answer:
        if os.fork() == 0:
            time.sleep(1000)
        return Answer(OK, "")

    ask("it", probe, "")
    os.close(writer)
    assert os.read(reader, 1) == b"", "somebody has the other end still"
    os.close(reader)


def test_a_probe_whose_module_cannot_be_loaded_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptmon.doctor.PROBES", (("launch", "nowhere", "launch", "do that"),))
    told, status = examine("text")
    assert status == 1
    assert "missing  launch       ModuleNotFoundError: No module named 'ptmon.doctor.nowhere'" in told


def test_each_probe_has_a_name_of_its_own() -> None:
    assert len({name for name, *_ in PROBES}) == len(PROBES)
