# SPDX-License-Identifier: GPL-2.0-or-later
"""Records behave as those that dataclasses makes: each test looks at one of either kind."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from typing import Any, get_type_hints

import pytest

from ptmon import frozen
from ptmon.records import Clone, Exit, Fallback, FallbackReason, Incomplete, Reason


class Record:
    """A record."""

    number: int
    text: str = "none"
    rest: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ValueError(self.number)

    @property
    def twice(self) -> int:
        return 2 * self.number


def both() -> tuple[Any, Any]:
    """Each makes a new class and takes the defaults out of the one that it is given."""
    given = {name: value for name, value in vars(Record).items() if name not in ("__dict__", "__weakref__")}
    given["__qualname__"] = "Record"
    theirs: Any = dataclasses.dataclass(frozen=True, slots=True)(type("Record", (), given))
    ours: Any = frozen.dataclass(frozen=True, slots=True)
    return ours(type("Record", (), given)), theirs


Ours, Theirs = both()
KINDS = pytest.mark.parametrize("kind", [Ours, Theirs], ids=["ours", "theirs"])


@KINDS
def test_a_record_is_made_by_place_and_by_name(kind: Any) -> None:
    made = kind(3, text="a")
    assert (made.number, made.text, made.rest, made.twice) == (3, "a", (), 6)
    for wrong in ({}, {"number": 1, "other": 2}):
        with pytest.raises(TypeError):
            kind(**wrong)
    with pytest.raises(TypeError):
        kind(1, "a", (), 4)


@KINDS
def test_a_record_looks_at_what_it_is_made_of(kind: Any) -> None:
    with pytest.raises(ValueError, match="-1"):
        kind(-1)


@KINDS
def test_a_record_is_equal_to_one_of_its_kind_with_the_same_values(kind: Any) -> None:
    assert kind(3, "a") == kind(3, "a") != kind(3, "b")
    assert len({kind(3, "a"), kind(3, "a"), kind(4)}) == 2
    assert kind(3, "a").__eq__((3, "a", ())) is NotImplemented


def test_records_of_two_kinds_are_never_equal() -> None:
    assert Ours(3) != Theirs(3)
    one: object = Clone(1.0, 2, 3, 4)
    assert one != Fallback(1.0, 2, FallbackReason.CODE, 4)
    assert one != (1.0, 2, 3, 4)


@KINDS
def test_a_record_stays_as_it_is(kind: Any) -> None:
    made = kind(3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.number = 4
    with pytest.raises(dataclasses.FrozenInstanceError):
        del made.text
    assert made == kind(3)
    assert not hasattr(made, "__dict__")


@KINDS
def test_a_record_says_what_it_holds(kind: Any) -> None:
    assert repr(kind(3)) == "Record(number=3, text='none', rest=())"
    assert kind.__doc__ == "A record."
    assert kind.__slots__ == kind.__match_args__ == ("number", "text", "rest")


@pytest.mark.parametrize("place", [0, 1], ids=["ours", "theirs"])
def test_a_class_can_be_derived_from_a_record_s(place: int) -> None:
    kind: Any = both()[place]

    class Derived(kind):  # type: ignore[misc]
        def thrice(self) -> int:
            return 3 * int(self.number)

    for _ in range(2):
        made = Derived(3, rest=(1,))
        assert (made.thrice(), made.twice, made.text, made.rest) == (9, 6, "none", (1,))
        assert made == Derived(3, rest=(1,)) != kind(3, rest=(1,))
        assert repr(made).endswith("Derived(number=3, text='none', rest=(1,))")
        kind(3)


@KINDS
def test_a_signature_names_the_fields(kind: Any) -> None:
    parameters = inspect.signature(kind).parameters
    assert list(parameters) == ["number", "text", "rest"]
    assert [parameter.default for parameter in parameters.values()] == [inspect.Parameter.empty, "none", ()]


@KINDS
def test_a_record_is_matched_by_place(kind: Any) -> None:
    match kind(3, "a"):
        case kind(3, text, ()):
            assert text == "a"
        case other:
            pytest.fail(f"{other} is not matched")


@KINDS
def test_dataclasses_knows_a_record(kind: Any) -> None:
    made = kind(3, "a")
    known: bool = dataclasses.is_dataclass(made)
    assert known
    assert [(field.name, field.type) for field in dataclasses.fields(made)] == [
        ("number", "int"), ("text", "str"), ("rest", "tuple[int, ...]"),
    ]  # fmt: skip
    assert get_type_hints(kind) == {"number": int, "text": str, "rest": tuple[int, ...]}
    assert dataclasses.asdict(made) == {"number": 3, "text": "a", "rest": ()}
    assert dataclasses.replace(made, text="b") == frozen.replace(made, text="b") == kind(3, "b")
    with pytest.raises(TypeError):
        frozen.replace(made, other=1)


def test_a_record_can_be_copied_and_sent_to_another_process() -> None:
    ended, warning = Exit(1.5, 2, 3, "name", 0, None), Incomplete(0.0, 7, Reason.AIO, None, 0)
    for made in (ended, warning):
        assert pickle.loads(pickle.dumps(made)) == copy.copy(made) == copy.deepcopy(made) == made


def test_a_field_may_be_left_out_of_the_text() -> None:
    class Hiding:
        shown: int
        hidden: int = frozen.field(repr=False)
        more: int | None = frozen.field(default=None, repr=False)

    make: Any = frozen.dataclass(frozen=True, slots=True)
    kind = make(Hiding)
    assert repr(kind(1, 2, more=3)).endswith("Hiding(shown=1)")
    assert kind(1, 2) == kind(1, 2, None) != kind(1, 3)
    assert [field.repr for field in dataclasses.fields(kind)] == [True, False, False]
    with pytest.raises(TypeError):
        kind(1)


def test_the_command_line_loads_no_dataclasses() -> None:
    code = "import ptmon.cli, sys; print([name for name in ('dataclasses', 'inspect') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
