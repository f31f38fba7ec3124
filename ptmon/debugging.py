# SPDX-License-Identifier: GPL-2.0-or-later
"""PTMON_DEBUG: what ptmon notes of its own work, for who looks for a fault in it, and where that goes.

The last 4096 entries are kept, and told at the end of a run, or when an error has ended it: as lines on stderr, which
begin with ``ptmon: debug:``. A program that uses the Python API gets them by the logger ``ptmon.debug``, at its level
DEBUG. The environment is the traced program's, too, and it gets that as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ptmon import syscalls
from ptmon.engines import Debug
from ptmon.errors import EXIT_USAGE, PtmonError
from ptmon.outputs import stderr
from ptmon.text import did_you_mean, printable

VARIABLE = "PTMON_DEBUG"
KINDS = ("stops", "patch", "ring", "sockets")
ALL = "all"
LOGGER = "ptmon.debug"


def wanted(words: str, engine: str, *, guest: bool) -> Debug | None:
    """What the variable's value asks for; None: nothing. ``guest``: ptmon is a library in another program.

    Raises PtmonError for a word that is not known, and for the reference engine, which notes nothing.
    """
    kinds = parse(words)
    if not kinds:
        return None
    if engine != "native":
        raise PtmonError(f"{VARIABLE}: the {engine} engine notes nothing of its work; unset it", EXIT_USAGE)
    return Debug(kinds, syscalls.name, _logged() if guest else _on_stderr)


def parse(words: str) -> tuple[str, ...]:
    """``stops,ring`` or ``all`` as kinds, each once. Raises PtmonError."""
    given = dict.fromkeys(word for word in (word.strip() for word in words.split(",")) if word)
    for word in given:
        if word not in (*KINDS, ALL):
            known = ", ".join((*KINDS, ALL))
            meant = did_you_mean(word, (*KINDS, ALL))
            raise PtmonError(f"{VARIABLE}: '{printable(word)}' is not one of {known}{meant}", EXIT_USAGE)
    return KINDS if ALL in given else tuple(kind for kind in KINDS if kind in given)


def _on_stderr(lines: Sequence[str]) -> None:
    stderr.put(lambda file: file.writelines(f"ptmon: debug: {line}\n" for line in lines))


def _logged() -> Callable[[Sequence[str]], None]:
    import logging

    logger = logging.getLogger(LOGGER)

    def tell(lines: Sequence[str]) -> None:
        for line in lines:
            logger.debug("%s", line)

    return tell
