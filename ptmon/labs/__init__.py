# SPDX-License-Identifier: GPL-2.0-or-later
"""Labs: what a tracer is, learnt by writing one. ``python -m ptmon.labs`` lists them; docs/TEACHING.md is for teachers.

Each is a folder here: ``lesson.md`` and ``start/`` are what a student gets, ``solution/`` and ``inputs/`` are what the
grader has, ``checks.py`` says how it grades.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from ptmon.errors import EXIT_USAGE, PtmonError, kernel_word
from ptmon.frozen import dataclass
from ptmon.labs.grading import Check

HERE = Path(__file__).parent
MARK = ".ptmon-lab"
"""A file in a student's folder that holds the lab's number."""


@dataclass(frozen=True, slots=True)
class Lab:
    """One lab."""

    number: str
    title: str

    @property
    def folder(self) -> Path:
        return HERE / f"lab{self.number}"

    @property
    def checks(self) -> Sequence[Check]:
        made: Sequence[Check] = importlib.import_module(f"ptmon.labs.lab{self.number}.checks").CHECKS
        return made


def labs() -> list[Lab]:
    """All of them, in their order. A lab's title is its lesson's first line."""
    found = []
    for lesson in sorted(HERE.glob("lab*/lesson.md")):
        title = lesson.read_text().partition("\n")[0].partition(": ")[2]
        found.append(Lab(lesson.parent.name.removeprefix("lab"), title))
    return found


def find(number: str) -> Lab:
    """The lab of a number, as 1 or 01. Raises PtmonError."""
    for lab in labs():
        if lab.number == number.zfill(2):
            return lab
    known = ", ".join(lab.number for lab in labs())
    raise PtmonError(f"there is no lab {number}, only {known}", EXIT_USAGE)


def start(lab: Lab, folder: Path) -> None:
    """Copies a lab out, without its solution. Raises PtmonError where something is in the way."""
    try:
        if folder.exists() and any(folder.iterdir()):
            raise PtmonError(f"{folder} is there already and not empty: name a new folder", EXIT_USAGE)
        shutil.copytree(lab.folder / "start", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(lab.folder / "lesson.md", folder / "lesson.md")
        (folder / MARK).write_text(f"{lab.number}\n")
    except OSError as error:
        raise PtmonError(f"cannot copy the lab to {folder}: {kernel_word(error.errno or 0)}", EXIT_USAGE) from None


def lab_of(folder: Path) -> Lab:
    """The lab that a student's folder is of. Raises PtmonError."""
    try:
        return find((folder / MARK).read_text().strip())
    except OSError:
        raise PtmonError(f"{folder} is no lab: it has no file {MARK}; name the lab by --lab NN", EXIT_USAGE) from None
