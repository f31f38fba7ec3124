# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin for pytest: ``--ptmon``, and the markers ``no_global_network`` and ``limit_traffic("1 MB")``.

Without --ptmon it does nothing. Nothing of ptmon but this file needs pytest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from typing import Any

import pytest

from ptmon.testing import marks

MARKERS = (
    "no_global_network: with --ptmon the test fails if it, or a process that it starts, reaches out to an address that"
    " is neither on this machine nor in a private network",
    'limit_traffic(size): with --ptmon the test fails if it and its processes send and receive more, as "1 MB"',
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    told = "run the tests under ptmon: tell which of them move most, and see to no_global_network and limit_traffic"
    parser.getgroup("ptmon").addoption("--ptmon", action="store_true", help=told)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, Any, Any]:
    """Before pytest has taken hold of stdout, and before any file of the project is loaded."""
    known = early_config.known_args_namespace
    if known.ptmon and marks.VARIABLE not in os.environ:
        if getattr(known, "numprocesses", None) or getattr(known, "tx", None):
            raise pytest.UsageError("--ptmon cannot tell tests apart that run at the same time: run them without -n")
        words = [sys.executable, "-P", "-m", "ptmon.testing.parent", sys.executable, *sys.orig_argv[1:]]
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, words)
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """The markers are known in any case."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.option.ptmon and marks.VARIABLE in os.environ:
        from ptmon.testing.watching import Watching

        config.pluginmanager.register(Watching(int(os.environ.pop(marks.VARIABLE))), "ptmon-watching")
