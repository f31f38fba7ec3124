# SPDX-License-Identifier: GPL-2.0-or-later
"""A tool from the command line: ``--tool 'NAME=COMMAND {}'``."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Collection, Sequence

from benchmarks.tools import Tool
from benchmarks.workloads import Speed

PLACE = "{}"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,23}")


def given_tools(texts: Sequence[str], taken: Collection[str]) -> tuple[Tool, ...]:
    """A tool for each text; no two have the same name. Raises ValueError with what is wrong, in a line."""
    tools: list[Tool] = []
    for text in texts:
        tools.append(given_tool(text, {*taken, *(tool.name for tool in tools)}))
    return tuple(tools)


def given_tool(text: str, taken: Collection[str]) -> Tool:
    """The tool of one text. Raises ValueError with what is wrong, in a line."""
    name, equals, command = text.partition("=")
    try:
        if not equals:
            raise ValueError("it must be 'NAME=COMMAND {}'")
        if not NAME.fullmatch(name):
            raise ValueError("a name is up to 24 letters, digits and any of _ . + -")
        if name in taken:
            raise ValueError(f"there is a tool {name} already")
        before, after = around(command)
    except ValueError as error:
        raise ValueError(f"--tool {shlex.quote(text)}: {error}") from None
    # What it costs is not known. The fewest operations, since one that stops at each call would take minutes for more.
    return Tool(
        name, name, before, "given by --tool", Speed.STOPS, trial=(*before, "true", *after), given=True, after=after
    )


def around(command: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command's words before and after the place of the workload's own. Raises ValueError."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"the command can't be cut into words: {error}") from None
    places = words.count(PLACE)
    if places == 0:
        inside = "a word of its own, outside of quotes" if PLACE in command else "where the workload's command goes"
        raise ValueError(f"{PLACE} must be there once, {inside}")
    if places > 1:
        raise ValueError(f"{PLACE} must be there once, not {places} times")
    place = words.index(PLACE)
    if place == 0:
        raise ValueError(f"there is no program before {PLACE}")
    if shutil.which(words[0]) is None:
        raise ValueError(f"there is no program {shlex.quote(words[0])} (no shell reads the command: ~ and $ stay)")
    return tuple(words[:place]), tuple(words[place + 1 :])
