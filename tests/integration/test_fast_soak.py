# SPDX-License-Identifier: GPL-2.0-or-later
"""A short soak: see tests/soak.py, which does the same for longer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak import attach_cycles, kills, launches
from tests.soaking import load
from tests.support import Targets


@pytest.fixture
def busy_machine() -> Iterator[None]:
    with load(1):
        yield


@pytest.mark.usefixtures("busy_machine")
def test_a_busy_program_survives_being_attached_to_again_and_again(targets: Targets, tmp_path: Path) -> None:
    attach_cycles(targets("verifier"), tmp_path, 30)


@pytest.mark.usefixtures("busy_machine")
def test_a_launched_program_is_counted_from_its_first_call_to_its_last(targets: Targets, tmp_path: Path) -> None:
    launches(targets("verifier"), tmp_path, 5)


@pytest.mark.usefixtures("busy_machine")
def test_a_program_survives_the_sudden_death_of_its_tracer_at_any_moment(targets: Targets, tmp_path: Path) -> None:
    kills(targets("verifier"), tmp_path, 8)
