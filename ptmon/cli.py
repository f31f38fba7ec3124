# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: options -> session -> exit status. The one place that catches what a user can cause."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from ptmon import command_line
from ptmon.defaults import SNAPLEN
from ptmon.errors import EXIT_INCOMPLETE, EXIT_LIMIT, EXIT_NOT_FOUND, EXIT_OWN, PtmonError, UsageError, kernel_word
from ptmon.options import TABLE, Options
from ptmon.outputs import make, stderr
from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from ptmon.engines import EngineSettings
    from ptmon.hooks import Hook
    from ptmon.session import Session


def main(arguments: Sequence[str] | None = None, ignored: int | None = None) -> int:
    """Runs ptmon and returns its exit status; dies by the signal that killed the program.

    ``ignored``: what ptmon was started with, as EngineSettings has it.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return run(command_line.parse(words), ignored)
    except PtmonError as error:
        said = str(error)
        if error.exit_status == EXIT_NOT_FOUND:
            said += command_line.meant(words, said)
        stderr.say(f"{said} (see ptmon --help)" if isinstance(error, UsageError) else said)
        return error.exit_status
    except KeyboardInterrupt:
        return die_by(signal.SIGINT)
    except MemoryError:
        stderr.say("out of memory; see --max-sockets")
        return EXIT_OWN


def run(options: Options, ignored: int | None = None) -> int:
    """Does what the options say. Raises PtmonError."""
    if options.help:
        return show(command_line.help_text())
    if options.version:
        from ptmon.version import __version__

        return show(f"ptmon {__version__}\n")
    if options.connect is not None:
        from ptmon.live import remote

        return remote.watch(options)
    if options.merge or options.diff:
        from ptmon import merging

        settle()
        return merging.merge(options) if options.merge else merging.compare(options)
    if options.doctor:
        from ptmon import doctor

        told, status = doctor.examine(options.doctor)
        return show(told) or status
    if options.print_completion:
        from ptmon.completion import script

        return show(script(options.print_completion))
    return trace(options, ignored)


def trace(options: Options, ignored: int | None = None) -> int:
    """Launches or attaches, reports, and returns the exit status."""
    # Imported late: an error in the options, --help and --version need none of it.
    from ptmon.session import Session

    outputs = make(options, os.uname().nodename)
    with traced(options) as command:
        session = Session(
            make_settings(options, command, told=bool(outputs), ignored=ignored),
            outputs,
            engine="replay" if options.replay else options.engine,
            interval=options.interval,
            max_sockets=options.max_sockets,
            wait=options.wait,
            limit=options.limit,
            say=stderr.say,
        )
        settle()
        session.run()
    if session.limit_passed:
        return EXIT_LIMIT
    if session.past is not None:
        if session.past.damage:
            stderr.say(session.past.damage)
        return EXIT_INCOMPLETE if session.past.damage else 0
    return 0 if options.attach or options.wait else exit_status(session)


def settle() -> None:
    """What is loaded by now stays: looking for garbage in it is for nothing, above all at the very end."""
    if not gc.isenabled():  # as ptmon.__main__ has left it
        gc.freeze()
        gc.enable()


def exit_status(session: Session) -> int:
    """That of the launched program; dies by the signal that killed it. Raises PtmonError."""
    if session.exit is None:
        raise PtmonError("the program's exit status was not seen")
    if session.exit.signal is not None:
        return die_by(session.exit.signal)
    return session.exit.code or 0


def traced(options: Options) -> AbstractContextManager[Sequence[str]]:
    """The command to trace; that of --demo comes with its clients."""
    if not options.demo:
        return nullcontext(options.command)
    from ptmon import demo
    from ptmon.outputs.files import STDOUT

    if options.log in ("", STDOUT) and options.log_format == "dmesg":
        stderr.say(demo.EXPLAINED)
    return demo.started()


def make_settings(options: Options, command: Sequence[str], told: bool, ignored: int | None = None) -> EngineSettings:
    """What the options ask an engine to do. ``told``: there is somebody to hear which calls were refused."""
    from ptmon.preparing import ASKED, prepare

    hooks: tuple[Hook, ...] = ()
    if options.hooks:
        from ptmon.hooks import load

        hooks = tuple(hook for path in options.hooks for hook in load(path))
    asked = dict(option.keyword(options) for option in TABLE)
    asked = {name: value for name, value in asked.items() if name in ASKED}
    if options.explain:
        from ptmon.narrating import Narrator

        asked["narrate"] = Narrator(wait=options.explain_step)
    if options.capture is not None or options.dump:
        asked["content"] = options.snaplen or SNAPLEN
    asked |= {"command": command, "attach": found(options.attach), "hooks": hooks}
    if options.learn is not None:
        from ptmon import allowing

        asked["noted"] = allowing.noting()
    return prepare(**asked, told=told, ignored=ignored)


def found(targets: Sequence[int | str]) -> tuple[int, ...]:
    """The processes that are meant: those of a name are all that run that program. Raises PtmonError if none does."""
    pids: dict[int, None] = {}
    for target in targets:
        if isinstance(target, int):
            pids[target] = None
            continue
        from ptmon.waiting.program import running

        named = running(target)
        if not named:
            raise PtmonError(f"no process runs a program of the name {target}; ptmon --wait {target} waits for one")
        pids.update(dict.fromkeys(named))
    return tuple(pids)


def show(text: str) -> int:
    """Prints to stdout. A reader who has seen enough is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise PtmonError(f"cannot write to stdout: {kernel_word(error.errno or 0)}") from None
    except AttributeError:
        raise PtmonError("there is no stdout to write to") from None
    return 0


def die_by(number: int) -> int:
    """Ends ptmon by a signal as it ended the program, but without a second core file; so a shell sees the same."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)
    return 128 + number  # not reached but for signals that this kernel does not know
