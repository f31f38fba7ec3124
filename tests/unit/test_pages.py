# SPDX-License-Identifier: GPL-2.0-only
"""What the pages about the project name is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
INTEGRATION = PROJECT / "tests" / "integration"
PAGES = ("docs/KERNEL.md", "docs/WORDS.md", "SECURITY.md", "CHANGELOG.md")
ROOMS = ("", "native", "native/fast", "ptmon")
"""The folders that a page's names may begin at."""

FILE = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:[chS]|py|md|json))`")
SEE = re.compile(r"[Ss]ee ((?:`[\w -]+`(?:, )?)+)")
OPTION = re.compile(r"`(--[a-z-]+)")


def text(page: str) -> str:
    """On one line, for a sentence may be wrapped anywhere."""
    return re.sub(r"\s+", " ", (PROJECT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    for name in FILE.findall(text(page)):
        assert any((PROJECT / room / name).is_file() for room in ROOMS), name


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_files(page: str) -> None:
    for target in re.findall(r"\]\(([^):#]+)\)", text(page)):
        assert ((PROJECT / page).parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES)
def test_options_that_a_page_names_are_there(page: str) -> None:
    known = (PROJECT / "ptmon" / "options.py").read_text()
    for option in OPTION.findall(text(page)):
        assert f'"{option}"' in known, option


def test_tests_that_the_page_of_kernel_facts_names_are_there() -> None:
    seen = re.findall(r"`([\w -]+)`", " ".join(SEE.findall(text("docs/KERNEL.md"))))
    named = re.findall(r"`(\w+ -k \w+)`", text("docs/KERNEL.md"))
    assert named
    for one in {*seen, *named}:
        name, _, word = one.partition(" -k ")
        tests = re.findall(r"^def (test_\w+)", (INTEGRATION / f"test_{name}.py").read_text(), re.MULTILINE)
        assert any(word in test for test in tests), one


def test_pages_are_short_and_narrow() -> None:
    for page in PAGES:
        lines = (PROJECT / page).read_text().splitlines()
        assert len(lines) <= 250, page
        assert max(map(len, lines)) <= 120, page


def test_hooks_before_a_commit_download_nothing() -> None:
    hooks = (PROJECT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (\S+)", hooks) == ["local"]
    assert set(re.findall(r"language: (\S+)", hooks)) == {"system"}
    assert all(entry.startswith(".venv/bin/") for entry in re.findall(r"entry: (\S+)", hooks))


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_lists_its_targets() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    listed = subprocess.run(["make", "-s"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[0].split()
    assert [line.split()[0] for line in listed.splitlines()] == targets
    for target in targets:
        assert subprocess.run(["make", "-n", target], cwd=PROJECT, capture_output=True, check=False).returncode == 0
