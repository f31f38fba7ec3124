# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m ptmon.labs``: lists the labs, copies one out, grades one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ptmon.errors import EXIT_USAGE, PtmonError, kernel_word
from ptmon.labs import find, lab_of, labs, start
from ptmon.labs.grading import grade
from ptmon.labs.telling import FORMATS


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0; 1 below full marks; 2 where the words are wrong, or a folder is."""
    options = _parser().parse_args(arguments)
    try:
        if options.what == "start":
            return _start(options.number, options.folder)
        if options.what == "check":
            return _check(options.lab, options.folder, options.format)
    except PtmonError as error:
        print(f"ptmon.labs: {error}", file=sys.stderr)
        return error.exit_status
    for lab in labs():
        print(f"{lab.number}  {lab.title}")
    print("\npython -m ptmon.labs start NN DIR   copies one into a new folder; read lesson.md there")
    print("python -m ptmon.labs check DIR      grades what you have written")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ptmon.labs", description="What a tracer is, learnt by writing one.")
    parts = parser.add_subparsers(dest="what", metavar="start|check")
    starting = parts.add_parser("start", help="copy a lab into a new folder")
    starting.add_argument("number", metavar="NN")
    starting.add_argument("folder", metavar="DIR", type=Path)
    checking = parts.add_parser("check", help="grade a folder; exit status 1 below full marks")
    checking.add_argument("--format", choices=FORMATS, default="text")
    checking.add_argument("--lab", metavar="NN", help="which lab it is; by default that which was copied there")
    checking.add_argument("folder", metavar="DIR", type=Path)
    return parser


def _start(number: str, folder: Path) -> int:
    start(find(number), folder)
    print(f"{folder / 'lesson.md'} is the lesson")
    return 0


def _check(number: str | None, folder: Path, form: str) -> int:
    if not folder.is_dir():
        raise PtmonError(f"{folder} is no folder", EXIT_USAGE)
    lab = lab_of(folder) if number is None else find(number)
    try:
        done = grade(lab.number, lab.title, lab.checks, lab.folder / "inputs", folder)
    except OSError as error:
        raise PtmonError(f"cannot read {folder}: {kernel_word(error.errno or 0)}", EXIT_USAGE) from None
    sys.stdout.write(FORMATS[form](done))
    return 0 if done.points == done.most else 1


if __name__ == "__main__":
    sys.exit(main())
