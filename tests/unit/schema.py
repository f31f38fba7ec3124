# SPDX-License-Identifier: GPL-2.0-or-later
"""The schemas of ``ptmon.report/1`` and of a line of ``ptmon.event/1``, ready to validate."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema

import ptmon

FILE = Path(ptmon.__file__).with_name("report.schema.json")


@functools.cache
def validator() -> Any:
    """``validator().validate(document)`` raises where a document is no report."""
    return jsonschema.Draft202012Validator(json.loads(FILE.read_text()))


@functools.cache
def event_validator() -> Any:
    """``event_validator().validate(document)`` raises where a line's document is no event and no first line."""
    schema = json.loads(FILE.with_name("event.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
