# SPDX-License-Identifier: GPL-2.0-or-later
"""Frozen records: what ``dataclasses.dataclass(frozen=True, slots=True)`` makes, and to a type checker it is just that.

That one writes and compiles six methods a class, which was a quarter of a short run's time, and loads ``inspect``. Here
five are inherited, and the one that has to be compiled is so when the first object is made. Objects are made in a
third of the time, too. ``dataclasses.replace``, ``fields`` and ``asdict`` take these as they take their own.
"""

from __future__ import annotations

from operator import attrgetter

from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace

    from ptmon.static import Any, Never


class _New:
    """``__new__`` of a record's class, compiled when it is first asked for."""

    def __get__(self, record: object, kind: type[Frozen]) -> Callable[..., Any]:
        owner = next((one for one in kind.__mro__ if "_values" in vars(one)), None)
        if owner is None:
            return object.__new__
        made = _constructor(owner)
        owner.__new__ = staticmethod(made)  # type: ignore[method-assign]
        return made


class _Described:
    """What the functions of ``dataclasses`` ask a class for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, record: object, kind: type[Frozen]) -> Any:
        if kind is Frozen:
            raise AttributeError(self._name)
        import dataclasses

        fields = []
        for name in kind.__match_args__:
            given = {"default": kind._defaults[name]} if name in kind._defaults else {}
            field = dataclasses.field(repr=name not in kind._hidden, **given)
            fields.append((name, kind.__annotations__[name], field))
        twin = dataclasses.make_dataclass(kind.__name__, fields, frozen=True, slots=True)
        return getattr(twin, self._name)


class Frozen:
    """What records have in common."""

    __slots__ = ()
    __dataclass_fields__ = _Described("__dataclass_fields__")
    __dataclass_params__ = _Described("__dataclass_params__")
    if TYPE_CHECKING:  # annotations are fields
        __match_args__: tuple[str, ...]
        _values: Callable[[object], object]
        """All of them, to compare by."""
        _defaults: dict[str, Any]
        _hidden: frozenset[str]
    else:
        __match_args__ = ()

    def __setattr__(self, name: str, value: object) -> Never:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> Never:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        kind = type(self)
        return kind._values(self) == kind._values(other) if type(other) is kind else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values(self))

    def __repr__(self) -> str:
        shown = (f"{name}={getattr(self, name)!r}" for name in self.__match_args__ if name not in self._hidden)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__match_args__)


Frozen.__new__ = _New()  # type: ignore[assignment, method-assign]


class _Field:
    """What is said of a field."""

    def __init__(self, *, default: object = ..., repr: bool = True) -> None:
        """``...``: it has no default."""
        self.default = default
        self.repr = repr


def _dataclass(*, frozen: bool, slots: bool) -> Callable[[type[Any]], type[Any]]:
    assert frozen and slots
    return _record


def _record(kind: type[Any]) -> type[Any]:
    """The class anew, for slots have to be there from the start."""
    names = tuple(kind.__annotations__)
    body = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    given = {name: _as_field(body.pop(name)) for name in names if name in body}
    body["__slots__"] = body["__match_args__"] = names
    body["_values"] = attrgetter(*names)
    body["_hidden"] = frozenset(name for name, field in given.items() if not field.repr)
    body["_defaults"] = {name: field.default for name, field in given.items() if field.default is not ...}
    made = type(kind.__name__, (Frozen,), body)
    made.__qualname__ = kind.__qualname__
    return made


def _as_field(value: object) -> _Field:
    return value if isinstance(value, _Field) else _Field(default=value)


def _constructor(kind: type[Frozen]) -> Callable[..., Any]:
    """Sets the slots of an object of another class, which has the same but is not frozen, and then makes it ``kind``'s.

    To get past ``__setattr__`` slot by slot takes three times as long.
    """
    names = kind.__match_args__
    thawed = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    twin = type(kind.__name__, (Frozen,), {"__slots__": names, **thawed})
    parameters = (f"{name}=_defaults[{name!r}]" if name in kind._defaults else name for name in names)
    lines = (
        f"def __new__(cls, {', '.join(parameters)}):",
        " _record = _new(_twin if cls is _kind else cls)",
        f" if cls is not _kind: _set_all(_record, ({', '.join(names)},))",
        " else:",
        *(f"  _record.{name} = {name}" for name in names),
        "  _record.__class__ = cls",
        *([" _record.__post_init__()"] if hasattr(kind, "__post_init__") else []),
        " return _record",
    )
    scope: dict[str, Any] = {
        "_defaults": kind._defaults, "_kind": kind, "_new": object.__new__, "_set_all": _set_all, "_twin": twin
    }  # fmt: skip
    exec("\n".join(lines), scope)
    made: Callable[..., Any] = scope["__new__"]
    made.__module__, made.__qualname__ = kind.__module__, f"{kind.__qualname__}.__new__"
    made.__annotations__.update(kind.__annotations__)
    return made


def _set_all(record: Frozen, values: tuple[object, ...]) -> None:
    """Of an object of a class derived from a record's, which has more in it than the twin."""
    for name, value in zip(record.__match_args__, values, strict=True):
        object.__setattr__(record, name, value)


def _replace(record: Any, /, **changes: object) -> Any:
    return type(record)(**{name: getattr(record, name) for name in record.__match_args__} | changes)


if not TYPE_CHECKING:
    dataclass, field, replace = _dataclass, _Field, _replace
