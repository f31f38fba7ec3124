# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of hooks share: a file of hooks, a run with it, and what its hooks told of themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.counting import assert_schema_true
from tests.support import Outcome, run_ptmon

HEAD = """
import json, os, ptmon
HERE = {here!r}
def tell(**what):
    with open(HERE + "/told", "a") as file:
        file.write(json.dumps(what) + "\\n")
"""
Hooked = Callable[..., Outcome]


def hooks_file(folder: Path, text: str) -> Path:
    """hooks.py with ``text``, which may call ``tell(name=value...)``."""
    path = folder / "hooks.py"
    path.write_text(HEAD.format(here=str(folder)) + text)
    return path


def told(folder: Path) -> list[dict[str, Any]]:
    """What the hooks told."""
    path = folder / "told"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_hooked(
    folder: Path, text: str, *command: str | Path, options: tuple[str, ...] = (), **keywords: Any
) -> Outcome:
    """Runs ptmon with the hooks in ``text``."""
    words = ["--hooks", str(hooks_file(folder, text)), *options]
    outcome = run_ptmon(command, folder / "report.json", words, **keywords)
    if outcome.report:
        assert_schema_true(outcome.report)
    return outcome
