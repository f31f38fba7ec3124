# SPDX-License-Identifier: GPL-2.0-or-later
"""How a lab is graded: checks, which run what a student has written on inputs that he has not."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ptmon.frozen import dataclass

SECONDS = 20.0
"""After which a program is given up."""
OUTPUT_MOST = 64 * 1024
FILES_MOST = 64 << 20
ANSWERS = "answers.md"
UNANSWERED = "(your answer)"


class WrongError(Exception):
    """A check has failed."""

    def __init__(self, expected: object, got: object) -> None:
        super().__init__(f"expected {expected}, got {got}")
        self.expected = str(expected)
        self.got = str(got)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a program that was run."""

    status: int
    """Its exit status; -N if signal N has killed it."""
    stdout: str
    stderr: str

    @property
    def last(self) -> str:
        """The last line on stderr."""
        return (self.stderr.splitlines() or [""])[-1]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a solution has to do. ``does`` raises WrongError where it does not."""

    name: str
    points: int
    hint: str
    does: Callable[[Work], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a check has come to; ``expected``, ``got`` and ``hint`` are empty where it has passed."""

    name: str
    points: int
    most: int
    expected: str = ""
    got: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Grade:
    """All results of a student's folder."""

    number: str
    title: str
    results: Sequence[Result]
    unanswered: Sequence[int]
    """Questions of answers.md without an answer; who reads the others is a person."""

    @property
    def points(self) -> int:
        return sum(result.points for result in self.results)

    @property
    def most(self) -> int:
        return sum(result.most for result in self.results)


class Work:
    """A copy of a student's folder, and a place for what is compiled; nothing is written into the folder itself."""

    def __init__(self, folder: Path, inputs: Path, scratch: Path) -> None:
        self.folder = scratch / "work"
        shutil.copytree(folder, self.folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        self._inputs = inputs
        self._scratch = scratch
        self._compiled: dict[Path, Path | WrongError] = {}

    def own(self, name: str, *flags: str) -> Path:
        """A program of the student's, compiled if it is C, with more flags if need be: a library has some of its own.

        Raises WrongError where it is missing or not accepted.
        """
        path = self.folder / name
        if not path.is_file():
            raise WrongError(f"a file {name}", "none")
        return self._program(path, "own", flags)

    def given(self, name: str) -> Path:
        """A program of the grader's, compiled if it is C."""
        return self._program(self._inputs / name, "given", ())

    def run(self, *words: str | Path, stdin: str = "") -> Done:
        """Runs a program; all that it has started is killed with it. Raises WrongError if it does not end."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
            given.write(stdin.encode())
            given.seek(0)
            environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
            process = subprocess.Popen(
                [str(word) for word in words], cwd=self.folder, stdin=given, stdout=out, stderr=err, env=environment,
                start_new_session=True, preexec_fn=_limit,
            )  # fmt: skip
            try:
                status = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                raise WrongError("an end of the program", f"none within {SECONDS:g} s") from None
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            return Done(status, _text(out), _text(err))

    def python(self, script: str | Path, *words: str | Path) -> Done:
        """Runs a script by this Python, which has what ptmon needs."""
        return self.run(sys.executable, script, *words)

    def _program(self, source: Path, whose: str, flags: Sequence[str]) -> Path:
        if source.suffix != ".c":
            return source
        if source not in self._compiled:
            self._compiled[source] = self._compile(source, self._scratch / f"{whose}-{source.stem}", flags)
        made = self._compiled[source]
        if isinstance(made, WrongError):
            raise made
        return made

    def _compile(self, source: Path, program: Path, more: Sequence[str]) -> Path | WrongError:
        if shutil.which("cc") is None:
            return WrongError("a C compiler", "there is no cc: install gcc")
        flags = ("-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread", *more)
        done = self.run("cc", *flags, "-o", program, source)
        if done.status == 0:
            return program
        errors = [line for line in done.stderr.splitlines() if "error:" in line] or [done.last]
        return WrongError("a program that compiles without a warning", re.sub(r"^\S*/", "", errors[0]))


def _limit() -> None:
    """In the child: it can't fill the disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILES_MOST, FILES_MOST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(OUTPUT_MOST).decode(errors="replace")


def grade(number: str, title: str, checks: Sequence[Check], inputs: Path, folder: Path) -> Grade:
    """Grades a student's folder. Raises OSError where it can't be read."""
    with tempfile.TemporaryDirectory(prefix="ptmon-lab-") as scratch:
        work = Work(folder, inputs, Path(scratch))
        results = [_result(check, work) for check in checks]
    return Grade(number, title, results, _unanswered(folder / ANSWERS))


def _result(check: Check, work: Work) -> Result:
    try:
        check.does(work)
    except WrongError as error:
        return Result(check.name, 0, check.points, error.expected, error.got, check.hint)
    return Result(check.name, check.points, check.points)


def _unanswered(path: Path) -> list[int]:
    """The questions below whose headings nothing is, or what stood there at the start."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return [1, 2]
    parts = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    return [index for index, part in enumerate(parts, 1) if not part.replace(UNANSWERED, "").strip()]
