# SPDX-License-Identifier: GPL-2.0-only
"""What users write -> what an engine is told: the one place for the command line and the Python API."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from ptmon.engines import FAST_AFTER, EngineSettings
from ptmon.errors import PtmonError
from ptmon.static import TYPE_CHECKING
from ptmon.watches import Hold, Rule, Watch

if TYPE_CHECKING:
    from ptmon.hooks import Hook

SECCOMP = ("auto", "on", "off")
FAST = ("auto", "off")


def prepare(
    *,
    command: Sequence[str | bytes | os.PathLike[str]] = (),
    attach: Sequence[int] = (),
    only: str | None = None,
    follow: bool = True,
    io_uring: bool = True,
    seccomp: str = "auto",
    fast: str = "auto",
    fast_after: int = FAST_AFTER,
    explain: bool = False,
    duration: float | None = None,
    trace: Iterable[str] = (),
    deny: Iterable[str] = (),
    hooks: Iterable[Hook] = (),
    told: bool = True,
    guest: bool = False,
    ignored: int | None = None,
    cwd: str | bytes | os.PathLike[str] | None = None,
    env: Mapping[str, str] | Mapping[bytes, bytes] | None = None,
) -> EngineSettings:
    """The settings of an engine: names of system calls become watches, and rules what the engine can check.

    ``told`` False: nobody asks which calls were refused, so that some rules need no stop. Raises PtmonError, and
    UsageError for a name or a rule that is not understood.
    """
    if seccomp not in SECCOMP:
        raise PtmonError(f"seccomp is {seccomp!r}, not one of {', '.join(SECCOMP)}")
    if fast not in FAST:
        raise PtmonError(f"fast is {fast!r}, not one of {', '.join(FAST)}")
    if not isinstance(fast_after, int) or isinstance(fast_after, bool) or not 0 < fast_after < 2**31:
        raise PtmonError(f"fast_after is {fast_after!r}, not a positive number of stops")
    if seccomp == "on" and not follow:
        raise PtmonError("children inherit the seccomp filter: with seccomp 'on' they have to be followed")
    for pid in attach:
        if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 2**31:
            raise PtmonError(f"cannot attach to process {pid!r}: that is not a process id")
    if duration is not None and not duration > 0:
        raise PtmonError(f"duration is {duration!r}, not a positive number of seconds")
    if only is not None and (not only or "/" in only or "\0" in only):
        raise PtmonError(f"only is {only!r}, not a file name without its directory")
    refusing = _rules(_texts("deny", deny), told)
    watches, hold = _watched(_texts("trace", trace), tuple(hooks), refusing)
    return EngineSettings(
        command=_words(command),
        attach=tuple(attach),
        only=only,
        follow=follow,
        io_uring=io_uring,
        seccomp=seccomp,
        fast=fast_after if fast == "auto" else 0,
        explain=explain,
        duration=duration,
        watches=watches,
        rules=refusing,
        hold=hold,
        guest=guest,
        ignored=ignored,
        cwd=None if cwd is None else _path(cwd),
        environment=None if env is None else _environment(env),
    )


def _words(command: Sequence[str | bytes | os.PathLike[str]]) -> tuple[str, ...]:
    if isinstance(command, str | bytes):
        raise TypeError(f"a command is a sequence of words, as [{command!r}], and no shell takes it apart")
    words = tuple(os.fsdecode(word) for word in command)
    if any("\0" in word for word in words):
        raise ValueError("a word of the command has a NUL in it")
    return words


def _path(cwd: str | bytes | os.PathLike[str]) -> str:
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


def _rules(deny: tuple[str, ...], told: bool) -> tuple[Rule, ...]:
    if not deny:
        return ()
    from ptmon import rules

    return tuple(rule for text in deny for rule in rules.parse(text, told))


def _watched(
    trace: tuple[str, ...], hooks: tuple[Hook, ...], rules: tuple[Rule, ...]
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
    runner = Runner(hooks)
    return merge_watches([*watches, *runner.watches()]), runner.hold
