# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rows of a document have to be like. A report may come from anywhere, and be anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter

from ptmon.static import Any
from ptmon.text import printable

MOST = 1 << 70
"""No number in a report is as large, nor are all of a row together: each fits into 64 bits."""
TEXT = frozenset({str})
COUNT = frozenset({int})
TIME = frozenset({int, float})
NONE = frozenset({type(None)})
TRUTH = frozenset({bool})
LIST = frozenset({list})
OBJECT = frozenset({dict})
NUMBERS = COUNT | TIME
FAMILIES = frozenset({"inet", "inet6", "unix", "netlink", "packet", "vsock", "other", "unknown"})
SCOPES = frozenset({"loopback", "private", "global", "local", "unknown"})
AUDITS = frozenset({"match", "differ", "unavailable"})
ORIGINS = frozenset({"connected", "accepted", "bound", "pair", "none", "unknown"})


Words = Mapping[str, frozenset[str]]
"""Those that there are, by the member."""


class WrongError(Exception):
    """A document is not what a report is; the text says where."""


class Shape:
    """The members of a row: the types that each may have, and for some the words that there are."""

    def __init__(
        self, what: str, members: Mapping[str, frozenset[type]], words: Words | None = None, *plain: str
    ) -> None:
        """``what``: as errors call it. ``plain``: members that people get to see as they are."""
        self._what = what
        self._names = tuple(members)
        self._types = tuple(members.values())
        self._get: Callable[[Any], tuple[Any, ...]] = itemgetter(*self._names)
        self._words = tuple((self._names.index(name), known) for name, known in (words or {}).items())
        self._plain = tuple(self._names.index(name) for name in plain)
        self._seen: dict[tuple[type, ...], Callable[[Any], tuple[Any, ...]]] = {}
        """By the types of the values of a row that were all right, for most rows are alike: what gets its numbers."""

    def values(self, row: Any) -> tuple[Any, ...]:
        """Those of the members, in their order. Raises WrongError."""
        if type(row) is not dict:
            raise WrongError(f"{self._what} is no object")
        try:
            values = self._get(row)
        except KeyError as error:
            raise WrongError(f"{self._what} has no {error.args[0]}") from None
        types = tuple(map(type, values))
        numbers = (self._seen.get(types) or self._checked(types))(values)
        if not (min(numbers) >= 0 and sum(numbers) < MOST):  # nor is it so if one of them is NaN
            raise WrongError(f"{self._wrong(values)} of {self._what} is out of range")
        self._check_texts(values)
        return values

    def _checked(self, types: tuple[type, ...]) -> Callable[[Any], tuple[Any, ...]]:
        for name, kind, allowed in zip(self._names, types, self._types, strict=True):
            if kind not in allowed:
                raise WrongError(f"{name} of {self._what} is a {kind.__name__}")
        at = [number for number, kind in enumerate(types) if kind in NUMBERS]
        getter: Callable[[Any], tuple[Any, ...]] = itemgetter(*at, *at) if at else lambda values: (0,)
        self._seen[types] = getter  # of one number alone an itemgetter makes no tuple, hence twice
        return getter

    def _wrong(self, values: tuple[Any, ...]) -> str:
        """The member whose number it is; all of them where they are too large together."""
        wrong = (at for at, value in enumerate(values) if type(value) in NUMBERS and not 0 <= value < MOST // 64)
        return next((self._names[at] for at in wrong), "a number")

    def _check_texts(self, values: tuple[Any, ...]) -> None:
        for at, known in self._words:
            if values[at] not in known:
                raise WrongError(f"{self._names[at]} of {self._what} is {printable(values[at][:40])!r}")
        for at in self._plain:
            if not values[at].isprintable():
                raise WrongError(f"{self._names[at]} of {self._what} is {printable(values[at][:40])!r}")


def rows(value: Any, what: str) -> list[Any]:
    """A list. Raises WrongError."""
    if type(value) is not list:
        raise WrongError(f"{what} is no list")
    return value


def texts(value: Iterable[Any], what: str) -> tuple[str, ...]:
    """A list of texts. Raises WrongError."""
    found = tuple(value)
    if not all(type(one) is str for one in found):
        raise WrongError(f"{what} is no list of texts")
    return found


def counts(value: Any, what: str) -> dict[str, int]:
    """Numbers by name. Raises WrongError."""
    found = dict(pairs(value, what))
    if not all(type(one) is int and 0 < one < MOST for one in found.values()):
        raise WrongError(f"{what} are no numbers by name")
    return found


def pairs(value: Any, what: str) -> Iterable[tuple[str, Any]]:
    """The members of an object, whose names people get to see as they are. Raises WrongError."""
    if type(value) is not dict or not all(map(str.isprintable, value)):
        raise WrongError(f"{what} is no object of names")
    return value.items()
