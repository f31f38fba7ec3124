# SPDX-License-Identifier: GPL-2.0-or-later
"""What users write -> what an engine is told: the one place for the command line and the Python API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from ptmon.defaults import FAST, FAST_AFTER, NAMES, SECCOMP
from ptmon.engines import EngineSettings
from ptmon.errors import PtmonError
from ptmon.static import TYPE_CHECKING, Any
from ptmon.watches import Hold, Rule, Watch

if TYPE_CHECKING:
    from ptmon.hooks import Failed, Hook

Text = str | bytes | os.PathLike[str]


def prepare(
    *,
    command: Sequence[Text] = (),
    attach: Sequence[int] = (),
    fast: str = FAST[0],
    fast_after: int = FAST_AFTER,
    content: int = 0,
    trace: Iterable[str] = (),
    deny: Iterable[str] = (),
    allow: Iterable[str] = (),
    noted: Iterable[Rule] = (),
    hooks: Iterable[Hook] = (),
    told: bool = True,
    failed: Failed | None = None,
    cwd: Text | None = None,
    env: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
    **others: Any,
) -> EngineSettings:
    """The settings of an engine: names of system calls become watches, and rules what the engine can check.

    ``others`` are fields of EngineSettings, which go through as they are. ``told`` False: nobody asks which calls were
    refused, so that some rules need no stop. ``noted``: rules that refuse nothing, and only tell. ``failed``: as
    hooks.Runner has it. Raises PtmonError, and UsageError for a name or a rule that is not understood.
    """
    _check(fast=fast, fast_after=fast_after, **others)
    for pid in attach:
        if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 2**31:
            raise PtmonError(f"cannot attach to process {pid!r}: that is not a process id")
    refusing = (*_rules(_texts("deny", deny), _texts("allow", allow), told), *noted)
    watches, hold = _watched(_texts("trace", trace), tuple(hooks), refusing, failed)
    return EngineSettings(
        command=_words(command),
        attach=tuple(attach),
        fast=fast_after if fast == FAST[0] and not content else 0,
        content=content,
        watches=watches,
        rules=refusing,
        hold=hold,
        cwd=None if cwd is None else _path(cwd),
        environment=None if env is None else _environment(env),
        **others,
    )


ASKED = frozenset((*EngineSettings.__match_args__, "fast_after", "trace", "deny", "allow"))
"""What can be asked of an engine, by its name in the Python API. An option of such a name is passed on."""


def _check(**asked: Any) -> None:
    for name, (is_so, what) in _CHECKS.items():
        if name in asked and not is_so(asked[name]):
            raise PtmonError(f"{name} is {asked[name]!r}, not {what}")
    if asked.get("seccomp") == "on" and not asked.get("follow", True):
        raise PtmonError("children inherit the seccomp filter: with seccomp 'on' they have to be followed")


def _is_number_of_stops(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _is_file_name(value: str) -> bool:
    return bool(value) and "/" not in value and "\0" not in value


_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "seccomp": (SECCOMP.__contains__, f"one of {', '.join(SECCOMP)}"),
    "names": (NAMES.__contains__, f"one of {', '.join(NAMES)}"),
    "fast": (FAST.__contains__, f"one of {', '.join(FAST)}"),
    "fast_after": (_is_number_of_stops, "a positive number of stops"),
    "duration": (lambda value: value is None or value > 0, "a positive number of seconds"),
    "only": (lambda value: value is None or _is_file_name(value), "a file name without its directory"),
}
"""What a value has to be, and how that is said."""


def _words(command: Sequence[Text]) -> tuple[str, ...]:
    if isinstance(command, str | bytes):
        raise TypeError(f"a command is a sequence of words, as [{command!r}], and no shell takes it apart")
    words = tuple(os.fsdecode(word) for word in command)
    if any("\0" in word for word in words):
        raise ValueError("a word of the command has a NUL in it")
    return words


def _path(cwd: Text) -> str:
    path = os.fsdecode(cwd)
    if "\0" in path:
        raise ValueError("the path cwd has a NUL in it")
    return path


def _environment(env: Mapping[str, str] | Mapping[bytes, bytes]) -> tuple[bytes, ...]:
    entries = tuple((os.fsencode(name), os.fsencode(value)) for name, value in env.items())
    for name, value in entries:
        if not name or b"=" in name or b"\0" in name + value:
            raise ValueError(f"the environment can't have a variable {os.fsdecode(name)!r} with that value")
    return tuple(name + b"=" + value for name, value in entries)


def _texts(what: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):  # or its letters would be taken for names
        raise PtmonError(f"{what} is {given!r}, not a list of texts: [{given!r}]")
    texts = tuple(given)
    for text in texts:
        if not isinstance(text, str):
            raise PtmonError(f"{what} has {text!r} in it, which is no text")
    return texts


def _rules(deny: tuple[str, ...], allow: tuple[str, ...], told: bool) -> tuple[Rule, ...]:
    """The first that concerns a call refuses it: what is denied is so by that rule, whatever is allowed."""
    if not (deny or allow):
        return ()
    from ptmon import allowing, rules

    return (*(rule for text in deny for rule in rules.parse(text, told)), *allowing.parse(allow, told))


def _watched(
    trace: tuple[str, ...], hooks: tuple[Hook, ...], rules: tuple[Rule, ...], failed: Failed | None
) -> tuple[tuple[Watch, ...], Hold | None]:
    """What of calls is to be told, kept and held; and who answers for those that are held."""
    # Imported late: these are tables of hundreds of names, and most runs name none.
    if not (trace or hooks or rules):
        return (), None
    from ptmon import decoding, syscalls
    from ptmon.hooks import Hook, Runner, merge_watches

    watches = [*decoding.watches(syscalls.resolve(trace), tell=True, hold=False)]
    for rule in rules:
        if rule.told:  # a Denied shows the arguments
            captures = decoding.captures(syscalls.name(rule.number, rule.compat), rule.compat)
            watches.append(Watch(rule.number, rule.compat, tell=False, hold=False, captures=captures))
    if not hooks:
        return merge_watches(watches), None
    for each in hooks:
        if not isinstance(each, Hook):
            raise PtmonError(f'{each!r} is no hook: mark the function with @ptmon.hook("execve")')
    runner = Runner(hooks, failed)
    return merge_watches([*watches, *runner.watches()]), runner.hold
