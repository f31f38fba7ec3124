# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the tests that run ptmon on targets."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.counting import I386
from tests.fast import MODES, Fast
from tests.hazards import Unprivileged, as_unprivileged, run_both
from tests.live import Tmux, tmux
from tests.support import PTMON, Outcome, Targets
from tests.watching import X86, Run

INSIDE = ("test_fast_", "test_hazards_forged")
"""The files whose tests are about calls that are counted inside the program."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only x86_64 has that."""
    skip = pytest.mark.skip(reason="calls are not counted inside here: that is for x86_64")
    for item in items:
        if not X86 and item.path.name.startswith(INSIDE):
            item.add_marker(skip)


@pytest.fixture
def hazard(targets: Targets, tmp_path: Path) -> Callable[..., Outcome]:
    """``hazard("name", argument...)`` runs a target plainly and under ptmon and compares; keywords as of run_both."""

    def run(name: str, *arguments: str, **keywords: object) -> Outcome:
        return run_both([targets(name), *arguments], tmp_path / "report.json", **keywords)  # type: ignore[arg-type]

    return run


@pytest.fixture
def nobody() -> Iterator[Unprivileged]:
    """A user without capabilities who can run ptmon, if there is one."""
    with as_unprivileged() as user:
        version = subprocess.run([*PTMON, "--version"], capture_output=True, text=True, **user.keywords)
        if version.returncode != 0:
            pytest.skip(f"user 65534 can't run ptmon where it is installed: {version.stderr.strip().splitlines()[-1:]}")
        yield user


@pytest.fixture(params=["on", "off"])
def seccomp(request: pytest.FixtureRequest) -> str:
    """--seccomp: with ptmon's filter, and without it."""
    return str(request.param)


@pytest.fixture
def watched(targets: Targets, seccomp: str) -> Run:
    """watched.c, driven by the engine alone: see tests.watching.Run."""
    return Run(targets, seccomp, ())


@pytest.fixture(params=[(), pytest.param(I386, marks=pytest.mark.skipif(not X86, reason="no i386 here"))])
def watched_any(targets: Targets, seccomp: str, request: pytest.FixtureRequest) -> Run:
    """The same, and its i386 twin."""
    return Run(targets, seccomp, request.param)


@pytest.fixture(scope="session")
def fast_references() -> dict[tuple[str, ...], Any]:
    """The figures of the first run of each target, whatever its mode: all others must have the same."""
    return {}


@pytest.fixture(params=list(MODES))
def fast(
    targets: Targets, tmp_path: Path, fast_references: dict[tuple[str, ...], Any], request: pytest.FixtureRequest
) -> Fast:
    """Runs a target plainly and with one way to count: see tests.fast.Fast."""
    return Fast(targets, tmp_path, str(request.param), fast_references)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Tmux]:
    """A shell on a terminal of 80 columns and 24 lines: see tests.live.Tmux."""
    with tmux(tmp_path, 80, 24) as found:
        yield found
