# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the unit tests."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ptmon.option_values import Address
from ptmon.outputs import stderr
from ptmon.outputs.server import ServerOutput
from tests.unit.build import HEADER
from tests.unit.served import Serve, Served


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(stderr, "say", lines.append)
    monkeypatch.setattr(stderr, "would_wait", lambda: False)
    return lines


@pytest.fixture
def serve(said: list[str]) -> Serve:
    @contextlib.contextmanager
    def run(start: bool = True, **keywords: Any) -> Iterator[Served]:
        with ServerOutput(Address("127.0.0.1", 0), **keywords) as output:
            assert isinstance(output, ServerOutput)
            served = Served(output)
            if start:
                output.start(HEADER)
            try:
                yield served
            finally:
                for caller in served.callers:
                    caller.socket.close()
        assert [thread.name for thread in threading.enumerate() if "serve" in thread.name] == []

    return run
