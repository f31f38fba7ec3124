# SPDX-License-Identifier: GPL-2.0-or-later
"""fd numbers that change their meaning while the same read and write calls go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import Outcome

Hazard = Callable[..., Outcome]
MODES = ["replaced", "cloned", "unshared", "range"]
INHERITED = ["forked", "spawned", "exec"]


def test_numbers_shared_by_threads_that_open_and_close(hazard: Hazard) -> None:
    for _ in range(3):
        hazard("descriptors", "reuse")


@pytest.mark.parametrize("mode", MODES)
def test_a_number_means_what_it_meant_when_the_call_was_entered(hazard: Hazard, mode: str) -> None:
    hazard("descriptors", mode)


@pytest.mark.parametrize("mode", ["reuse", *MODES])
def test_the_same_without_a_seccomp_filter(hazard: Hazard, mode: str) -> None:
    hazard("descriptors", mode, options=["--seccomp", "off"])


@pytest.mark.parametrize("mode", INHERITED)
@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_a_number_means_what_its_own_process_means_by_it(hazard: Hazard, mode: str, seccomp: str) -> None:
    hazard("inherited", mode, options=["--seccomp", seccomp])
