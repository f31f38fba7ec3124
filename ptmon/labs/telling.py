# SPDX-License-Identifier: GPL-2.0-or-later
"""A grade as text for people, and as JSON, JUnit and Gradescope's results.json for machines."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from xml.sax.saxutils import quoteattr

from ptmon.labs.grading import Grade, Result
from ptmon.text import counted, printable

SCHEMA = "ptmon.labs/1"
WIDTH = 79


def text(grade: Grade) -> str:
    """For who has written it."""
    lines = [f"Lab {grade.number}: {grade.title}", ""]
    for result in grade.results:
        lines.append(f"  {result.points}/{result.most}  {result.name}")
        lines += [f"       {line}" for line in _failure(result)]
    lines += ["", f"{grade.points} of {counted(grade.most, 'point')}"]
    return "\n".join([*lines, f"answers.md: {_answers(grade)}", ""])


def _failure(result: Result) -> list[str]:
    if result.points == result.most:
        return []
    lines = []
    for name, said in (("expected:", result.expected), ("got:", result.got), ("hint:", result.hint)):
        shown = printable(" ".join(said.split())) or "nothing"
        lines += textwrap.wrap(f"{name:9} {shown}", WIDTH - 7, subsequent_indent=" " * 10)
    return lines


def _answers(grade: Grade) -> str:
    if grade.unanswered:
        numbers = " and ".join(map(str, grade.unanswered))
        return f"no answer yet to question{'s' if len(grade.unanswered) > 1 else ''} {numbers}"
    return "both questions are answered; your teacher reads them"


def as_json(grade: Grade) -> str:
    """All of it."""
    names = Result.__match_args__
    checks = [{name: getattr(result, name) for name in names} for result in grade.results]
    told = {
        "schema": SCHEMA, "lab": grade.number, "title": grade.title, "points": grade.points, "most": grade.most,
        "checks": checks, "unanswered": list(grade.unanswered),
    }  # fmt: skip
    return f"{json.dumps(told, indent=1)}\n"


def junit(grade: Grade) -> str:
    """A testsuite with a case for each check."""
    failed = sum(result.points < result.most for result in grade.results)
    name = quoteattr(f"lab {grade.number}")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<testsuite name={name} tests="{len(grade.results)}" failures="{failed}" errors="0">')
    for result in grade.results:
        case = f"  <testcase classname={name} name={quoteattr(result.name)}"
        said = "\n".join(_failure(result))
        lines.append(f"{case}><failure message={quoteattr(said)}/></testcase>" if said else f"{case}/>")
    return "\n".join([*lines, "</testsuite>", ""])


def gradescope(grade: Grade) -> str:
    """As an autograder writes it into /autograder/results/results.json."""
    tests = [
        {
            "name": result.name,
            "score": result.points,
            "max_score": result.most,
            "status": "passed" if result.points == result.most else "failed",
            "output": "\n".join(_failure(result)),
        }
        for result in grade.results
    ]
    return f"{json.dumps({'output': f'answers.md: {_answers(grade)}', 'tests': tests}, indent=1)}\n"


FORMATS: dict[str, Callable[[Grade], str]] = {"text": text, "json": as_json, "junit": junit, "gradescope": gradescope}
