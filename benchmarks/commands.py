# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that need no socket, and what they work on. workload.c runs them, so that a tool's start is not in the time.

The files are the same in each run: a tree for a number of files is made once, and the sources of a compilation anew,
for a folder that has the objects already would be nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.jobs import Built, Program, Start, program
from benchmarks.workloads import VISITS

SIZE = 1024
FOLDER = 50
"""Files in each folder of the tree."""
LINE = "{:6}: what stands in this file is read, and nobody is told of it\n"
NEEDLE = "nobody is told"
SOURCE = """
#include <stdio.h>
#include <string.h>

static int depth_{0}(const char *text)
{{
	int depth = 0;

	for (size_t i = 0; i < strlen(text); i++)
		depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
	return depth;
}}

int show_{0}(const char *text)
{{
	return printf("%s: %d\\n", text, depth_{0}(text));
}}
"""
MAKEFILE = """
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
all: $(OBJECTS)
%.o: %.c
	cc -O2 -c -o $@ $<
"""


def tree(built: Built, files: int) -> Path:
    """A folder with so many files, each of SIZE bytes, in folders of FOLDER."""
    top = built.program.parent / f"tree-{files}"
    if top.exists():
        return top
    for number in range(files):
        folder = top / f"{number // FOLDER:04}"
        if number % FOLDER == 0:
            folder.mkdir(parents=True)
        lines = "".join(LINE.format(number + line) for line in range(SIZE // len(LINE) + 1))
        (folder / f"{number:06}.txt").write_text(lines[: SIZE - 1] + "\n")
    return top


def find(built: Built, count: int, folder: Path) -> list[str]:
    # By its size it has to look at each file.
    return ["find", *[str(tree(built, count // VISITS))] * VISITS, "-type", "f", "-size", f"+{SIZE}k"]


def tar(built: Built, count: int, folder: Path) -> list[str]:
    # Not into /dev/null: tar knows it, and would read nothing. By number: names are asked of whoever keeps them.
    return ["tar", "--numeric-owner", "-cf", str(folder / "archive"), "-C", str(tree(built, count)), "."]


def git_grep(built: Built, count: int, folder: Path) -> list[str]:
    return ["git", "-C", str(tree(built, count)), "grep", "--no-index", "-c", "-e", NEEDLE]


def compilation(built: Built, count: int, folder: Path) -> list[str]:
    sources = folder / "sources"
    sources.mkdir()
    (sources / "Makefile").write_text(MAKEFILE)
    for number in range(count):
        (sources / f"{number:03}.c").write_text(SOURCE.format(number))
    return ["make", "-s", "-C", str(sources), "-j2"]


COMMANDS: Mapping[str, Callable[[Built, int, Path], list[str]]] = {
    "find": find,
    "tar": tar,
    "git_grep": git_grep,
    "compile": compilation,
}
"""By workload: the command for a number of files, with the folder of a run."""


@contextmanager
def command(built: Built, name: str, count: int, start: Start) -> Iterator[Program]:
    """The program that runs it, ready."""
    with program(built, "command", count, start, COMMANDS[name](built, count, start.folder)) as one:
        yield one
