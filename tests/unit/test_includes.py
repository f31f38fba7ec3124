# SPDX-License-Identifier: GPL-2.0-or-later
"""The C core's rooms: includes go down only, in no circle, and nobody looks behind the fast path's door."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

import pytest

HOUSE = Path(__file__).parents[2] / "native"

ROOMS = (
    "lib", "syscalls", "state", "machine", "records", "sockets", "process", "calls", "loop",
    "fast/scan", "fast/image", "fast/count", "fast/patch", "fast", "api",
)  # fmt: skip
"""From the ground up: a room includes its own files, and those of the rooms before it."""

GROUND = "ptmon_api.h"
"""The boundary to Python, which every room may include."""

SUFFIXES = (".c", ".h", ".S")
FILES = sorted(
    path.relative_to(HOUSE)
    for path in HOUSE.rglob("*")
    if path.suffix in SUFFIXES and "starter" not in path.parts  # a program of its own
)

COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
NAMES = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[a-z_0-9]+\.[chS])\b")


def includes(path: PurePath) -> list[PurePath]:
    return [PurePath(name) for name in re.findall(r'^#include "([^"]+)"', (HOUSE / path).read_text(), re.MULTILINE)]


def room(path: PurePath) -> str:
    return path.parent.as_posix()


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_includes_what_stands_below_it(path: PurePath) -> None:
    if str(path) == GROUND:
        assert not includes(path)
        return
    for other in includes(path):
        assert (HOUSE / other).is_file(), f"{other}: an include names its room"
        if str(other) != GROUND:
            assert ROOMS.index(room(other)) <= ROOMS.index(room(path)), f"{path} includes {other}"
            assert room(path).startswith("fast") or not room(other).startswith("fast"), f"{path} is outside of the door"


def test_no_files_include_each_other_in_a_circle() -> None:
    """A header and its source are one: what either includes both do."""
    below: dict[PurePath, set[PurePath]] = {path.with_suffix(""): set() for path in FILES}
    for path in FILES:
        below[path.with_suffix("")] |= {other.with_suffix("") for other in includes(path)} - {path.with_suffix("")}
    while leaves := {unit for unit, others in below.items() if not others & below.keys()}:
        below = {unit: others for unit, others in below.items() if unit not in leaves}
    assert not below


@pytest.mark.parametrize("path", FILES, ids=str)
def test_files_that_comments_name_are_there(path: PurePath) -> None:
    """By their name alone, or with their room; others have the path that they have in their own project."""
    names = {name.name for name in FILES} | {"stdint.h", "stddef.h"}
    rooms = {one.split("/")[0] for one in ROOMS}
    for comment in COMMENTS.findall((HOUSE / path).read_text()):
        for name in NAMES.findall(comment):
            parts = PurePath(name.removeprefix("../")).parts
            if len(parts) == 1:
                assert name in names
            elif parts[0] in rooms:
                assert (HOUSE / PurePath(*parts)).is_file() or (HOUSE / path.parent / name).is_file(), name


def test_files_that_the_page_of_the_fast_path_names_are_there() -> None:
    page = HOUSE / "fast" / "README.md"
    for name in re.findall(r"`([\w./]+\.[chS])`", page.read_text()):
        assert (page.parent / name).is_file(), name
