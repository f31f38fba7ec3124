# SPDX-License-Identifier: GPL-2.0-or-later
"""The labs: what a lesson says a command shows it shows; a solution has full marks, and what is copied out has not."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ptmon.labs import Lab, find, labs
from ptmon.labs.__main__ import main
from ptmon.labs.grading import grade
from tests.support import DEADLINE

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the lessons name registers of x86_64")
LABS = pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab.number)
ANY = "…"


def words(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "ptmon.labs", *map(str, arguments)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def solved(lab: Lab, folder: Path) -> Path:
    assert main(["start", lab.number, str(folder)]) == 0
    for path in (lab.folder / "solution").iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    return folder


def commands(lesson: Path) -> Iterator[tuple[str, str]]:
    """Each command of the lesson, and what is said to come of it."""
    for block in re.findall(r"^```console\n(.*?)^```", lesson.read_text(), re.MULTILINE | re.DOTALL):
        assert block.startswith("$ ")
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def matches(shown: str, output: str) -> bool:
    """A … stands for anything in its line; alone in a line, for any lines."""
    wanted = ""
    for line in shown.splitlines():
        parts = [re.escape(part) for part in line.split(ANY)]
        wanted += r"(?:.*\n)*" if line == ANY else "[^\\n]*".join(parts) + r"\n"
    return re.fullmatch(wanted, output) is not None


@LABS
def test_what_a_lesson_says_a_command_shows_it_shows(lab: Lab, folder: Path) -> None:
    assert main(["start", lab.number, str(folder)]) == 0
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = list(commands(folder / "lesson.md"))
    assert told
    for command, shown in told:
        done = subprocess.run(
            ["bash", "-c", command], cwd=folder, env={**os.environ, "PATH": path}, text=True, timeout=DEADLINE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert matches(shown, done.stdout), f"$ {command}\n{done.stdout}"


@LABS
def test_the_solution_has_full_marks_and_what_is_copied_out_has_not(lab: Lab, folder: Path) -> None:
    assert main(["start", lab.number, str(folder)]) == 0
    assert subprocess.run(words("check", folder), capture_output=True, timeout=DEADLINE).returncode == 1
    shutil.rmtree(folder)
    done = subprocess.run(words("check", solved(lab, folder)), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stdout
    assert "hint" not in done.stdout


SWAPPED = "for method in methods:\n        for _ in range(rounds):"
WRITING = "counts->writing = info.entry.nr == SYS_write;"
EXITED = "\n\t} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && counts->writing) {"
FORGETS = f"{WRITING}{EXITED}\n\t\tcounts->writing = false;"
NEVER_FORGETS = f"{WRITING.replace('=', '|=', 1)}{EXITED}"
WRONG = [
    ("01", FORGETS, NEVER_FORGETS, "other calls are not counted", "(3, 15, 0)"),
    ("02", "signal = event.signum", "signal = event", "the program gets its signals", "Error: "),
    ("06", "QUEUE_MOST = 1000", "QUEUE_MOST = 10**9", "what is dropped is told", "wait for a client"),
    ("06", "            self.dropped = 0\n\n", "\n", "what is dropped is told", "told as dropped before"),
    ("06", "tell_dropped()\n            self.lines.append(N", "lines.append(N", "what is dropped is told", "all"),
    ("06", ", contextlib.suppress(OSError)", "", "a client that leaves", "nothing on stderr"),
    ("06", "letter.isprintable()", "letter > ' '", "nothing but text", "no control character"),
    ("07", "flags & MSG_PEEK ? moved : counted(", "counted(", "and neither what is peeked at", "by peeking"),
    ("07", "errno = saved;", "(void)saved;", "and neither what is peeked at", "ends, as by itself"),
    ("07", "atomic_long *total", "volatile long *total", "preload.c and stops.c compile", "without a warning"),
    ("07", "SYS_recvfrom, 0, 1", "SYS_recvfrom, 0, 0", "stops few stops at sendto", "stops: sent"),
    ("07", "for _ in range(rounds):\n        for method in methods:", SWAPPED, "measure.py runs", "in round 1"),
    ("07", "statistics.median(method_times)", "statistics.mean(method_times)", "measure.py runs", "3 rounds, median"),
    ("07", "native,-,-,-,-,-,-,-,7,", "native,-,-,-,-,-,-,-,4,", "table.csv has what your own", "5 rounds of native"),
    ("07", "yes,yes,yes,yes,yes,no,no", "yes,yes,yes,yes,yes,no,yes", "raw_calls of preload", "no as raw_calls"),
    ("07", "ftrace,yes,no,yes,yes,no,yes", "ftrace,yes,no,yes,yes,no,no", "table.csv has the facts", "root of ftrace"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "old", "new", "check", "said"), WRONG)
def test_a_solution_with_one_fault_fails_the_check_that_is_for_it(
    number: str, old: str, new: str, check: str, said: str, folder: Path
) -> None:
    lab = find(number)
    changed = 0
    for path in solved(lab, folder).iterdir():
        if path.name in os.listdir(lab.folder / "solution"):
            changed += path.read_text().count(old)
            path.write_text(path.read_text().replace(old, new))
    assert changed == 1
    wanted = [one for one in lab.checks if one.name.startswith(check)]
    (result,) = grade(lab.number, lab.title, wanted, lab.folder / "inputs", folder).results
    assert result.points == 0
    assert said in f"{result.expected}, {result.got}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"", "the columns method,"),
        (b"\xff,\0\n", "the columns method,"),
        (b"method,root\npreload,no\n", "the columns method,"),
        (b"{head}\n\nnative\n", "none for preload"),
        (b"{head}\n" + b"x" * 200_000, "field larger than"),
        (b"{rows}native,-,-,-,-,-,-,-,5,nan,nan\n", "numbers as rounds"),
        (b"{rows}native\n", "numbers as rounds"),
        (b"{rows}native,-,-,-,-,-,-,-,5,0,1.00,more\n", "two medians, as ratio of native"),
    ],
)
def test_a_table_that_is_none_is_a_failed_check(table: bytes, said: str, folder: Path) -> None:
    lab = find("07")
    own = solved(lab, folder) / "table.csv"
    head = own.read_bytes().splitlines()[0]
    own.write_bytes(table.replace(b"{rows}", own.read_bytes()).replace(b"{head}", head))
    wanted = [check for check in lab.checks if check.name.startswith("table.csv has what your own")]
    (result,) = grade(lab.number, lab.title, wanted, lab.folder / "inputs", folder).results
    assert said in f"{result.expected}, {result.got}"


@LABS
def test_each_check_is_failed_by_what_is_copied_out_or_is_a_small_part(lab: Lab, folder: Path) -> None:
    assert main(["start", lab.number, str(folder)]) == 0
    done = subprocess.run(words("check", "--format", "json", folder), capture_output=True, text=True, timeout=DEADLINE)
    told = json.loads(done.stdout)
    assert told["points"] <= told["most"] / 5
    for check in told["checks"]:
        passed = check["points"] == check["most"]
        assert passed or (check["expected"] and check["hint"]), check


@LABS
def test_a_student_gets_neither_the_solution_nor_the_inputs(lab: Lab, folder: Path) -> None:
    assert main(["start", lab.number, str(folder)]) == 0
    hidden = {path.name for path in (lab.folder / "inputs").iterdir()} | {"solution", "inputs", "checks.py"}
    assert not hidden & {path.name for path in folder.rglob("*")}
    assert len(re.findall(r"^## \d\. ", (folder / "answers.md").read_text(), re.MULTILINE)) == 2
    gaps = [path for path in folder.iterdir() if path.suffix in (".c", ".csv", ".py") and "GAP" in path.read_text()]
    assert {path.name for path in gaps} == {path.name for path in (lab.folder / "solution").iterdir() if path.is_file()}


@LABS
def test_a_lesson_is_about_a_page(lab: Lab) -> None:
    lines = (lab.folder / "lesson.md").read_text().splitlines()
    assert len(lines) <= 160
    assert max(map(len, lines)) <= 120
    assert lines[0] == f"# Lab {lab.number}: {lab.title}"


def test_the_labs_are_listed() -> None:
    done = subprocess.run(words(), capture_output=True, text=True, timeout=DEADLINE, check=True)
    assert [line[:2] for line in done.stdout.splitlines() if line[:1].isdigit()] == [lab.number for lab in labs()]


def test_the_page_for_teachers_has_a_row_for_each_lab() -> None:
    page = (Path(__file__).parents[2] / "docs" / "TEACHING.md").read_text()
    assert re.findall(r"^\| (\d\d) \|", page, re.MULTILINE) == [lab.number for lab in labs()]


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    assert main(["start", "1", str(folder)]) == 0
    assert main(["start", "1", str(folder)]) == 2
    assert capsys.readouterr().err == f"ptmon.labs: {folder} is there already and not empty: name a new folder\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start", "77", "x"], "there is no lab 77, only 01"),
        (["check", "/nowhere"], "/nowhere is no folder"),
        (["check", "/"], "/ is no lab"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"ptmon.labs: {said}")
    assert errors.count("\n") == 1


def test_grades_for_machines_say_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start", "1", str(folder)]) == 0
    capsys.readouterr()
    told = {}
    for form in ("json", "junit", "gradescope"):
        assert main(["check", "--format", form, str(folder)]) == 1
        told[form] = capsys.readouterr().out
    as_json, tests = json.loads(told["json"]), json.loads(told["gradescope"])["tests"]
    assert as_json["schema"] == "ptmon.labs/1"
    assert [(check["points"], check["most"]) for check in as_json["checks"]] == [
        (test["score"], test["max_score"]) for test in tests
    ]
    suite = ElementTree.fromstring(told["junit"])
    failed = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failed == [check["name"] for check in as_json["checks"] if check["points"] < check["most"]]
    assert (suite.get("tests"), suite.get("failures")) == (str(len(tests)), str(len(failed)))


def test_a_program_that_does_not_end_is_killed_and_costs_its_points(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["start", "1", str(folder)]) == 0
    (folder / "count.c").write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
    monkeypatch.setattr("ptmon.labs.grading.SECONDS", 0.5)
    monkeypatch.setattr("ptmon.labs.grading.Work.own", _compiled_slowly)
    assert main(["check", str(folder)]) == 1
    assert "none within 0.5 s" in capsys.readouterr().out


def _compiled_slowly(work: object, name: str) -> Path:
    """Without the time limit, which is far too short for a compiler here."""
    folder: Path = work.folder  # type: ignore[attr-defined]
    subprocess.run(["cc", "-o", folder / "hanging", folder / name], check=True)
    return folder / "hanging"


def test_a_program_that_does_not_compile_costs_its_points_with_the_compilers_word(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start", "1", str(folder)]) == 0
    (folder / "count.c").write_text("int main(void) { return nothing; }\n")
    assert main(["check", str(folder)]) == 1
    shown = capsys.readouterr().out
    assert "0 of 10 points" in shown
    assert "count.c:1:25: error:" in shown


def test_an_answer_is_seen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["start", "1", str(folder)]) == 0
    answers = folder / "answers.md"
    answers.write_text(answers.read_text().replace("(your answer)", "exit_group never returns", 1))
    main(["check", str(folder)])
    assert "answers.md: no answer yet to question 2\n" in capsys.readouterr().out
    answers.write_text(answers.read_text().replace("(your answer)", "it remembers"))
    main(["check", str(folder)])
    assert "answers.md: both questions are answered" in capsys.readouterr().out


def test_checking_writes_nothing_into_the_folder(folder: Path) -> None:
    assert main(["start", "1", str(folder)]) == 0
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    main(["check", str(folder)])
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before
