# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: compiled targets, and ptmon as a subprocess (its waitpid(-1) must not reap this runner's children)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.counting import Count
from tests.support import Outcome, Targets, run_plain, run_ptmon


def pytest_configure() -> None:
    """A shell starts what runs in the background with Ctrl-C ignored, which is inherited: not by the targets."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    """``targets("name")`` is tests/targets/name.c compiled; ``targets("name", "-m32")`` of its i386 twin."""
    return Targets(tmp_path_factory.mktemp("targets"))


@pytest.fixture
def ptmon(tmp_path: Path) -> Callable[..., Outcome]:
    """``ptmon(program, arg..., options=[...])`` runs ptmon with a JSON report and returns what came of it."""

    def run(*command: str | Path, options: tuple[str, ...] | list[str] = (), **keywords: object) -> Outcome:
        return run_ptmon(command, tmp_path / "report.json", tuple(options), **keywords)

    return run


@pytest.fixture
def plain() -> Callable[..., Outcome]:
    """Runs the same command without ptmon: what the target does by itself."""
    return run_plain


@pytest.fixture(params=["on", "off"])
def count(targets: Targets, tmp_path: Path, request: pytest.FixtureRequest) -> Count:
    """Counts a target's bytes with a seccomp filter, and without one (PTRACE_SYSCALL): see tests.counting.Count."""
    return Count(targets, tmp_path, str(request.param))
