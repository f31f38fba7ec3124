# SPDX-License-Identifier: GPL-2.0-or-later
"""The man page, as man(1) shows it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ptmon.command_line import ENVIRONMENT, STATUSES
from ptmon.errors import EXIT_INCOMPLETE, EXIT_LIMIT, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, EXIT_OWN, EXIT_USAGE
from ptmon.manual import EXAMPLES, GROUPS, page
from ptmon.options import TABLE
from tests.support import DEADLINE

CHECKERS = {
    "man": ("--warnings", "-l"),
    "mandoc": ("-Tlint", "-Wstyle"),
    "groff": ("-ww", "-man", "-Tutf8"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "ptmon.1"
    path.write_text(page(0))
    return path


def shown(path: Path) -> str:
    """Without what makes it bold, in one line for each paragraph's line."""
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    words = ["groff", "-man", "-Tutf8", "-P-c", "-P-b", "-P-u", "-rLL=500n", "-rHY=0", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=True)
    return done.stdout


@pytest.mark.parametrize("checker", CHECKERS)
def test_nothing_is_wrong_with_the_page(path: Path, checker: str) -> None:
    if not shutil.which(checker):
        pytest.skip(f"{checker} is not installed")
    words, environment = [checker, *CHECKERS[checker], str(path)], {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    if checker == "mandoc":
        assert done.stdout == ""


def test_the_page_has_each_option_and_what_it_does(path: Path) -> None:
    text = shown(path)
    for option in TABLE:
        flags = ", ".join(sorted(option.flags, key=len))
        head = f"{flags}{'' if option.default is not None else ' '}{option.metavar or ''}".rstrip()
        assert re.search(rf"^ +{re.escape(head)}( +|\n +){re.escape(' '.join(option.help.split()))}$", text, re.M), (
            option.dest
        )


def test_the_page_has_each_exit_status_and_variable(path: Path) -> None:
    text = shown(path)
    assert set(STATUSES) == {0, EXIT_INCOMPLETE, EXIT_LIMIT, EXIT_USAGE, EXIT_OWN, EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND}
    for name, meaning in (*STATUSES.items(), *ENVIRONMENT.items()):
        assert re.search(rf"^ +{re.escape(str(name))}( +|\n +){re.escape(meaning)}$", text, re.M), name
    for command in EXAMPLES:
        assert command in text


def test_each_group_of_options_has_a_title() -> None:
    assert list(GROUPS) == list(dict.fromkeys(option.group for option in TABLE))


def test_the_page_is_the_same_each_time_it_is_made_for_a_date() -> None:
    assert page(86400) == page(86400)
    assert ".TH PTMON 1 1970-01-02 " in page(86400)


def test_what_writes_the_page_takes_no_option_for_a_folder(tmp_path: Path) -> None:
    maker = Path(__file__).parents[2] / "native" / "build_pages.py"
    done = subprocess.run([sys.executable, maker, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage:") and list(tmp_path.iterdir()) == []
