# SPDX-License-Identifier: GPL-2.0-or-later
"""What the pages about the project name is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.test_imports import LAYERS
from tests.unit.test_includes import ROOMS as ORDER

PROJECT = Path(__file__).parents[2]
INTEGRATION = PROJECT / "tests" / "integration"
TARGETS = PROJECT / "tests" / "targets"
PAGES = (
    "docs/ARCHITECTURE.md", "docs/KERNEL.md", "docs/WORDS.md", "CONTRIBUTING.md", "tests/README.md", "SECURITY.md",
    "CHANGELOG.md", "docs/TEACHING.md",
    "docs/USE.md", "docs/API.md", "docs/COUNTING.md", "docs/TESTING.md", "docs/RECORDING.md", "docs/CAPTURE.md",
    "docs/RELEASE.md",
)  # fmt: skip
ROOMS = ("", "native", "native/fast", "ptmon")
"""The folders that a page's names may begin at."""

FILE = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:[chS]|py|md|json))`")
SEE = re.compile(r"[Ss]ee ((?:`[\w -]+`(?:, )?)+)")
OPTION = re.compile(r"`(--[a-z-]+)")
FOLDER = re.compile(r"`((?:[\w.-]+/)+)`")
RESUMING = re.compile(r"\bPTRACE_(?:CONT|SYSCALL|SINGLESTEP|LISTEN|DETACH)\b")
INTERRUPTING = re.compile(r"\bPTRACE_INTERRUPT\b")
SEIZING = re.compile(r"\bptrace\(PTRACE_SEIZE\b")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def text(page: str) -> str:
    """On one line, for a sentence may be wrapped anywhere."""
    return re.sub(r"\s+", " ", (PROJECT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    for name in FILE.findall(text(page)):
        assert any((PROJECT / room / name).is_file() for room in ROOMS), name


@pytest.mark.parametrize("page", PAGES)
def test_folders_that_a_page_names_are_there(page: str) -> None:
    for name in FOLDER.findall(text(page)):
        assert any((PROJECT / room / name).is_dir() for room in ROOMS), name


@pytest.mark.parametrize("page", (*PAGES, "README.md", "docs/BENCHMARK.md"))
def test_links_of_a_page_lead_to_files(page: str) -> None:
    for target in re.findall(r"\]\(([^):#]+)\)", text(page)):
        assert ((PROJECT / page).parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES)
def test_options_that_a_page_names_are_there(page: str) -> None:
    known = "".join((PROJECT / "ptmon" / file).read_text() for file in ("options.py", "testing/plugin.py"))
    for option in OPTION.findall(text(page)):
        assert f'"{option}"' in known, option


@pytest.mark.parametrize("page", PAGES)
def test_names_in_capitals_that_the_page_of_changes_tells_are_in_the_files_beside_them(page: str) -> None:
    """As "RULES of `counting.py`"."""
    for name, file in re.findall(r"\b([A-Z]{4,}) (?:of|in) `([\w/]+\.\w+)`", text(page)):
        assert re.search(rf"\b{name}\b", (PROJECT / file).read_text()), (name, file)


def test_tests_that_the_page_of_kernel_facts_names_are_there() -> None:
    seen = re.findall(r"`([\w -]+)`", " ".join(SEE.findall(text("docs/KERNEL.md"))))
    named = re.findall(r"`(\w+ -k \w+)`", text("docs/KERNEL.md"))
    assert named
    for one in {*seen, *named}:
        name, _, word = one.partition(" -k ")
        tests = re.findall(r"^def (test_\w+)", (INTEGRATION / f"test_{name}.py").read_text(), re.MULTILINE)
        assert any(word in test for test in tests), one


def section(page: str, title: str) -> str:
    """What stands under a heading, on one line."""
    found = re.search(
        rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", (PROJECT / page).read_text(), re.MULTILINE | re.DOTALL
    )
    assert found, title
    return re.sub(r"\s+", " ", found[1])


def who_says(words: re.Pattern[str]) -> set[str]:
    """The sources of the core in whose code, not only in whose comments, these words are."""
    found = set()
    for path in (PROJECT / "native").rglob("*.c"):
        if words.search(COMMENT.sub("", path.read_text())):
            found.add(path.relative_to(PROJECT).as_posix())
    return found


def test_the_page_of_the_house_names_all_who_resume_interrupt_and_seize() -> None:
    told = section("docs/ARCHITECTURE.md", "Who resumes")
    resuming = re.findall(r"\| `([\w/.]+)` \|", told)
    assert set(resuming) == who_says(RESUMING)
    interrupting = re.findall(r"PTRACE_INTERRUPT, which (.*?) Tracees are made", told)[0]
    assert set(FILE.findall(interrupting)) == who_says(INTERRUPTING)
    assert set(FILE.findall(told.partition("Tracees are made")[2])) == who_says(SEIZING)


def test_the_page_of_the_house_has_a_row_for_each_kind_of_stop() -> None:
    told = section("docs/ARCHITECTURE.md", "The way of a stop")
    kinds = re.findall(r"^\t(STOP_\w+)", (PROJECT / "native/loop/stop.h").read_text(), re.MULTILINE)
    assert sorted(re.findall(r"\| `(STOP_\w+)` \|", told)) == sorted(kinds)
    core = "".join(path.read_text() for room in ("loop", "process") for path in (PROJECT / "native" / room).glob("*.c"))
    for handler in re.findall(r"`(on_\w+|program_\w+|clone_\w+|\w+_\w+\(\))`", told):
        assert re.search(rf"\b{handler.removesuffix('()')}\(", core), handler
    for following in re.findall(r"\bNEXT_\w+", told):
        assert f"\t{following}" in (PROJECT / "native/process/next.h").read_text(), following


def test_the_page_of_the_house_lists_what_goes_through_the_door() -> None:
    told = section("docs/ARCHITECTURE.md", "The door to the fast path")
    door = re.findall(r"^static inline .*?\b(fast_\w+)\(", (PROJECT / "native/state/door.h").read_text(), re.MULTILINE)
    assert sorted(re.findall(r"`(fast_\w+)`", told)) == sorted(door)


def test_the_page_of_the_house_has_the_rooms_and_modules_in_their_order() -> None:
    rooms = re.findall(r"^ ([a-z/]+)  ", drawing("The rooms of `native/`"), re.MULTILINE)
    assert tuple(reversed(rooms)) == ORDER
    lines = drawing("The modules of `ptmon/`").splitlines()
    assert [set(re.findall(r"[\w.]+", re.split(r"   ", line.strip())[0])) for line in reversed(lines)] == list(LAYERS)


def drawing(title: str) -> str:
    """The first block under a heading of the page of the house."""
    after = (PROJECT / "docs/ARCHITECTURE.md").read_text().partition(f"## {title}\n")[2]
    return after.split("```")[1].strip("\n")


@pytest.mark.parametrize("file", ["support", "counting", "attaching", "hazards", "fast"])
def test_the_page_of_the_tests_has_the_words_of_a_file(file: str) -> None:
    table = (PROJECT / "tests" / "README.md").read_text().partition(f"\n`tests/{file}.py`, for ")[2].split("\n\n")[1]
    words = {word for row in table.splitlines()[2:] for word in re.findall(r"`(\w+)`", row.split("|")[1])}
    source = (PROJECT / "tests" / f"{file}.py").read_text()
    there = set(re.findall(r"^(?:def|class) (\w+)", source, re.MULTILINE))
    assert there <= words, "a word that the page has not"
    assert words - there <= set(re.findall(r"^(?:    def )?(\w+)(?:\(| =)", source, re.MULTILINE)), (
        "a word that is gone"
    )


def test_the_page_of_the_tests_has_all_fixtures() -> None:
    found = set()
    for path in (PROJECT / "tests").rglob("conftest.py"):
        found |= set(re.findall(r"^@pytest\.fixture.*\n(?:@.*\n)*def (\w+)", path.read_text(), re.MULTILINE))
    table = section("tests/README.md", "Fixtures")
    assert found - set(re.findall(r"`(\w+)`", table)) == {"fast_references"}


def test_files_that_tests_share_are_on_their_page() -> None:
    page = (PROJECT / "tests" / "README.md").read_text()
    for path in (*(PROJECT / "tests").glob("*.py"), *(PROJECT / "tests" / "unit").glob("*.py")):
        if not path.name.startswith(("test_", "__init__")):
            assert path.relative_to(PROJECT).as_posix() in page, path


def test_names_of_functions_that_the_page_of_changes_tells_are_there() -> None:
    sources = [*(PROJECT / "native").rglob("*.[ch]"), *(PROJECT / "ptmon").rglob("*.py"), *TARGETS.glob("*.h")]
    code = "\n".join(path.read_text() for path in [*sources, PROJECT / "tests/c/check.h"])
    for name in re.findall(r"`(\w+)\(\)`", text("CONTRIBUTING.md")):
        assert re.search(rf"\b{name}\(", code), name


def test_pages_are_short_and_narrow() -> None:
    """But for tables, and for what is shown as it is, between fences."""
    for page in PAGES:
        told = (PROJECT / page).read_text()
        assert len(told.splitlines()) <= 250, page
        lines = re.sub(r"^```.*?^```$", "", told, flags=re.MULTILINE | re.DOTALL).splitlines()
        assert max(len(line) for line in lines if not line.startswith("|")) <= 120, page


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
