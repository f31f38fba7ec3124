# SPDX-License-Identifier: GPL-2.0-or-later
"""LeakSanitizer has to be its process's tracer, which ptmon is: the report says so, and what helps."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support import run_ptmon

LEAKS = "#include <stdlib.h>\nint main(void)\n{\n\treturn malloc(1) == NULL;\n}\n"


def test_a_search_for_leaks_that_ptmon_is_in_the_way_of_is_told_with_its_remedy(tmp_path: Path) -> None:
    program = tmp_path / "leaks"
    made = subprocess.run(["cc", "-fsanitize=address", "-x", "c", "-", "-o", program], input=LEAKS, text=True)
    if made.returncode != 0:
        pytest.skip("no AddressSanitizer here (libasan)")
    traced = run_ptmon([program], tmp_path / "r.json")
    (warning,) = traced.report["warnings"]
    assert traced.returncode != 0
    assert warning["reason"] == "ptrace" and "ASAN_OPTIONS=detect_leaks=0" in warning["message"]
    assert traced.report["complete"]
    off = run_ptmon([program], tmp_path / "r.json", env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    assert (off.returncode, off.report["warnings"]) == (0, [])
