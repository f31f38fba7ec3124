# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks: functions of the user's own around system calls. The tracee waits while one runs, and only then.

>>> import ptmon
>>> @ptmon.hook("execve", when="entry")
... def no_compiler(call: ptmon.Call) -> ptmon.Deny | None:
...     return ptmon.Deny("EPERM") if call.arguments["filename"].endswith("/cc") else None

A hook runs in ptmon's process. What it prints goes to ptmon's stdout, which is the program's stdout, too; print to a
file of one's own, or to stderr, where the program's output is read by a machine. It may start programs; they inherit
the signals that ptmon keeps for itself as blocked (SIGINT, SIGTERM ...): end them by ``kill()``, not ``terminate()``.
"""

from __future__ import annotations

import sys
import traceback
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ptmon import decoding, syscalls
from ptmon.errors import PtmonError, UsageError, kernel_word
from ptmon.frozen import dataclass
from ptmon.hook_call import Call, Deny, Return
from ptmon.outputs import stderr
from ptmon.text import printable
from ptmon.watches import Answer, Held, Watch

__all__ = ["Call", "Deny", "Hook", "Return", "Runner", "hook", "load", "merge_watches"]

Function = Callable[[Call], Deny | Return | None]
Failed = Callable[[Sequence[str]], None]
"""Takes the lines that tell of a failure: what has happened, the traceback, what was raised."""
STAGES = ("entry", "return", "both")


@dataclass(frozen=True, slots=True)
class Hook:
    """A function that runs around some system calls. It can still be called as what it was."""

    function: Function
    calls: tuple[str, ...]
    """Names of system calls."""
    when: str = "both"

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))

    def __call__(self, call: Call) -> Deny | Return | None:
        return self.function(call)


def hook(*names: str, when: str = "both") -> Callable[[Function], Hook]:
    """Marks a function as a hook of these system calls; ``%network``, ``%process`` and ``%file`` are classes.

    It is called with a :class:`Call` at the entry, and again at the return; ``when="entry"`` or ``"return"`` leaves the
    other out. At the entry it may answer ``Deny(errno)`` or ``Return(value)``: the call is not made then. ``None``
    changes nothing. A hook that raises, or answers what is none of these, is told of and not called again; the tracee
    goes on. (``ptmon --hooks`` tells of it on stderr; from Python it is a RuntimeWarning when tracing ends, and the
    logger ``ptmon`` has the traceback at once.) Raises UsageError for an unknown name.
    """
    if when not in STAGES:
        raise UsageError(f"a hook's when is {when!r}, not one of {', '.join(STAGES)}")
    if not names or not all(isinstance(name, str) for name in names):
        raise UsageError('a hook names the system calls that it is for: @ptmon.hook("execve")')
    calls = syscalls.resolve(names, "@ptmon.hook")

    def mark(function: Function) -> Hook:
        if isinstance(function, Hook):
            raise UsageError(f"{function.name} is a hook already: name all its system calls in one @ptmon.hook(...)")
        return Hook(function, calls, when)

    return mark


def load(path: str) -> tuple[Hook, ...]:
    """Runs a file of Python and returns its hooks in the order of their definition.

    Its folder comes first in sys.path, as if Python ran the file. Raises UsageError where the file can't be read or has
    no hook, and PtmonError, with the line, where it raises.
    """
    module = types.ModuleType(f"hooks in {path}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # dataclasses look their module up there
    sys.path.insert(0, str(Path(path).parent.absolute()))
    try:
        exec(compile(Path(path).read_bytes(), path, "exec"), vars(module))
    except OSError as error:
        if error.__traceback__ is not None and _line_in(path, error) is None:
            raise UsageError(f"cannot read the hooks in {path}: {kernel_word(error.errno or 0)}") from None
        raise _failed(path, error) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, asyncio's CancelledError, or one of the file's own
        raise _failed(path, error) from error
    found = {id(value): value for value in vars(module).values() if isinstance(value, Hook)}
    if not found:
        raise UsageError(f'there is no hook in {path}: mark a function with @ptmon.hook("execve")')
    return tuple(found.values())


def merge_watches(watches: Iterable[Watch]) -> tuple[Watch, ...]:
    """One watch for each call: told if any is, held if any is, with the captures of the first that has some."""
    merged: dict[tuple[int, bool], Watch] = {}
    for watch in watches:
        key = watch.number, watch.compat
        last = merged.get(key, watch)
        captures = last.captures or watch.captures
        merged[key] = Watch(*key, last.tell or watch.tell, last.hold or watch.hold, captures)
    return tuple(merged.values())


class Runner:
    """Runs hooks: ``watches()`` says where tracees are to be held, ``hold`` answers for them."""

    def __init__(self, hooks: Sequence[Hook], failed: Failed | None = None) -> None:
        """``failed`` is told of a hook that raises; None: it is said on stderr."""
        self._failed = failed or _say
        self._by_call: dict[tuple[int, bool], list[Hook]] = {}
        self._disabled: set[int] = set()
        """By id(): two marks of one function are equal, yet two hooks."""
        self._hooks = tuple(hooks)  # keeps the ids theirs
        for each in self._hooks:
            for name in each.calls:
                for key in syscalls.numbers(name):
                    decoding.captures(name, key[1])  # loads its prototype now, and not while a tracee waits
                    self._by_call.setdefault(key, []).append(each)

    def watches(self) -> tuple[Watch, ...]:
        """The calls of all hooks. What their arguments point to is read from the held tracee, so nothing is kept."""
        return tuple(Watch(number, compat, tell=False, hold=True) for number, compat in self._by_call)

    def hold(self, held: Held) -> Answer | None:
        """Asks the hooks of a call, in the order of their definition: at the entry the first answer is taken.

        Raises KeyboardInterrupt alone: that is the user, and not the hook.
        """
        call = Call(held)
        try:
            for each in self._by_call.get((held.call.number, held.call.compat), ()):
                if each.when in ("both", "entry" if call.entering else "return") and id(each) not in self._disabled:
                    answer = self._ask(each, call)
                    if answer is not None:
                        return answer
        finally:
            call.release()
        return None

    def _ask(self, each: Hook, call: Call) -> Answer | None:
        try:
            said = each.function(call)
            if sys.stdout is not None:
                sys.stdout.flush()  # before the program goes on to print; and it may end in a way that flushes nothing
            return None if said is None else _answer(each, call, said)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too: a hook can't end ptmon while a tracee waits for its answer
            self._disabled.add(id(each))
            self._failed(_failure(each, call, error))
            return None


def _answer(each: Hook, call: Call, said: object) -> Answer:
    if not isinstance(said, Deny | Return):
        raise TypeError(f"a hook answers Deny(errno), Return(value) or None, not {said!r}")
    if not call.entering:
        raise TypeError(f"{said!r} comes too late: the call was made; a hook answers at the entry")
    if isinstance(said, Return):
        return Answer(said.value)
    return Answer(-said.number, f"hook {each.name}")


def _failure(each: Hook, call: Call, error: BaseException) -> list[str]:
    where = error.__traceback__ and error.__traceback__.tb_next  # without this file's own frame
    stage = "entry" if call.entering else "return"
    said = [
        f"hook {each.name} failed at the {stage} of {call.name} in process {call.pid}; it is not called again\n",
        *traceback.format_exception(type(error), error, where),
    ]
    # What was raised may bear what the tracee has written.
    return [printable(line) for line in "".join(said).split("\n")[:-1]]


def _say(lines: Sequence[str]) -> None:
    if not stderr.would_wait():  # the tracee waits
        stderr.put(lambda file: file.writelines(f"{line}\n" for line in (f"ptmon: {lines[0]}", *lines[1:])))


def _failed(path: str, error: BaseException) -> PtmonError:
    """One line: where in the file, and what was raised."""
    if isinstance(error, SyntaxError):
        # A file with a NUL in it has no lines, says Python 3.11.4 and later.
        where = path if error.filename is None else f"{error.filename}:{error.lineno}"
        return PtmonError(f"cannot run the hooks in {where}: {error.msg}")
    said = str(error) if isinstance(error, PtmonError) else f"{type(error).__name__}: {error}"
    line = _line_in(path, error)
    return PtmonError(f"cannot run the hooks in {path}{'' if line is None else f':{line}'}: {' '.join(said.split())}")


def _line_in(path: str, error: BaseException) -> int | None:
    """The line of a file in which an exception came up, or which called what raised it."""
    lines = [row.lineno for row in traceback.extract_tb(error.__traceback__) if row.filename == path]
    return lines[-1] if lines else None
