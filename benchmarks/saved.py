# SPDX-License-Identifier: GPL-2.0-or-later
"""A file of ``--json``, read again. It may be another file, or be damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

from benchmarks.results import SCHEMA, Cell, Results


def loaded(path: Path) -> Results:
    """The results in it. Raises ValueError with what is wrong, in a line."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        raise ValueError(f"{path} is no file of this benchmark's --json (schema {SCHEMA})")
    return understood(path, data)


def understood(path: Path, data: Mapping[str, Any]) -> Results:
    try:
        results = Results.from_json(data)
        check(results)
    except KeyError as error:
        raise ValueError(f"{path} is damaged: {error} is missing") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    return results


def check(results: Results) -> None:
    """Raises ValueError if a value is none that a run can bring."""
    if not isinstance(results.rounds, int) or results.rounds < 1:
        raise ValueError(f"rounds is {results.rounds!r}")
    if not isinstance(results.measurement, bool):
        raise ValueError(f"measurement is {results.measurement!r}")
    texts = [*results.machine.items(), *map(astuple, results.rows), *map(astuple, results.columns)]
    for text in (text for several in texts for text in several):
        if not isinstance(text, str):
            raise ValueError(f"{text!r} stands where a text must")
    for (tool, workload), cell in results.cells.items():
        check_cell(f"{tool} at {workload}", cell)


def check_cell(where: str, cell: Cell) -> None:
    if not isinstance(cell.operations, int) or not isinstance(cell.failed, str):
        raise ValueError(f"the figures of {where}")
    for number in cell.nanoseconds:
        if not is_amount(number) or number == 0:
            raise ValueError(f"{number!r} stands where {where} must have nanoseconds")
    for number in (*cell.cpu_seconds, *cell.peak_bytes):
        if not is_amount(number):
            raise ValueError(f"{number!r} stands where {where} must have seconds or bytes")


def is_amount(number: object) -> bool:
    return isinstance(number, int | float) and math.isfinite(number) and number >= 0
