# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python API: ``ptmon.run``, ``ptmon.launch`` and ``ptmon.attach``.

>>> import ptmon
>>> program = ["python3", "-c", "import socket; a, b = socket.socketpair(); a.send(b'hello'); b.recv(100)"]
>>> report = ptmon.run(program)
>>> report.totals.sent, report.totals.received, report.exit.code
(5, 5, 0)
>>> with ptmon.launch(program, trace=["socketpair"]) as session:
...     [event.kind for event in session if event.kind in ("enter", "return", "send", "receive")]
['enter', 'return', 'send', 'receive']
>>> session.report.totals.sent
5

>>> ptmon.run(["sh", "-c", "pwd; echo $A"], cwd="/", env={"A": "b"}, capture_output=True).stdout
b'/\\nb\\n'

What the events are ``pydoc ptmon.Event`` says: their kinds, and what each has.

The tracer runs in a thread of its own. A loop over events, however slow, never makes the traced program wait: events
go through a bounded buffer, and what finds it full is dropped and counted (``session.dropped``); the totals have it all
the same. Only hooks run while the tracee waits, in the tracer's thread.

Nothing is written to the program's stderr. What the command line would say there goes to the logger ``ptmon``, as that
one of several processes can't be attached to (the report's warnings have it, too); a hook that raised is also a
RuntimeWarning at the end of the block.

The program that calls this keeps its signals, their handlers and its children. But ptrace(2) reports to wait(2), so it
must wait for children of its own by their pid, as subprocess and asyncio do: ``os.wait()`` and ``os.waitpid(-1, ...)``
would take reports that are the tracer's. For the same reason its own children can be launched, but not attached to.

For who looks for a fault in ptmon itself: with PTMON_DEBUG in the environment (``ptmon.debugging``) what it has done is
told to the logger ``ptmon.debug`` at the end of a run, at the level DEBUG.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ptmon import explain
from ptmon.api.tracing import INTERRUPT_S, Tracing
from ptmon.defaults import FAST_AFTER, MAX_SOCKETS
from ptmon.errors import PtmonError
from ptmon.events import Event
from ptmon.frozen import replace
from ptmon.preparing import prepare
from ptmon.report import Report
from ptmon.saying import Saying

if TYPE_CHECKING:
    from ptmon.api.capturing import Capture
    from ptmon.hooks import Hook

__all__ = ["BUFFER", "Tracing", "attach", "launch", "prepare", "run"]

BUFFER = 65_536
"""Events that wait for who reads them."""

Path = str | bytes | os.PathLike[str]
Command = Sequence[Path]
Environment = Mapping[str, str] | Mapping[bytes, bytes]


def run(
    command: Command,
    *,
    on_event: Callable[[Event], object] | None = None,
    capture_output: bool = False,
    cwd: Path | None = None,
    env: Environment | None = None,
    only: str | None = None,
    follow: bool = True,
    io_uring: bool = True,
    seccomp: str = "auto",
    fast: str = "auto",
    fast_after: int = FAST_AFTER,
    duration: float | None = None,
    trace: Iterable[str] = (),
    deny: Iterable[str] = (),
    allow: Iterable[str] = (),
    hooks: Iterable[Hook] = (),
    interval: float | None = None,
    buffer: int = BUFFER,
    max_sockets: int = MAX_SOCKETS,
) -> Report:
    """Runs a program to its end and returns what it sent and received. The keywords are those of :func:`launch`.

    ``on_event`` is called with each event, in the thread that called this. If it is so slow that events are dropped, a
    RuntimeWarning tells how many. ``capture_output=True``: what the program and its children write to stdout and stderr
    is not shown: ``report.stdout`` and ``report.stderr`` have it, as bytes (they are None otherwise). As with
    ``subprocess.run`` that waits until nobody can write there any more.

    Whatever ends this early ends the program, too, as with ``subprocess.run``: it is killed. At a KeyboardInterrupt it
    is given a quarter of a second first, since Ctrl-C has reached it as well. Raises PtmonError; its ``exit_status`` is
    127 where the program was not found.
    """
    asked = {**locals()}  # nothing else is local yet: these are the keywords, and the command
    del asked["on_event"], asked["capture_output"]
    if on_event is None:
        asked["buffer"] = 0
    with ExitStack() as stack:
        capture = stack.enter_context(_capture()) if capture_output else None
        session = _tracing(streams=None if capture is None else capture.fds, **asked)
        report = _run(session, on_event, capture)
    if session.dropped:
        warnings.warn(f"{session.dropped} events were dropped: on_event is too slow", RuntimeWarning, stacklevel=2)
    return report


def _capture() -> Capture:
    from ptmon.api.capturing import Capture  # late: the command line loads this module, and captures nothing

    return Capture()


def _run(session: Tracing, on_event: Callable[[Event], object] | None, capture: Capture | None) -> Report:
    with session:
        try:
            if capture is not None:
                capture.start()
            if on_event is not None:
                for event in session:
                    on_event(event)
            report = session.wait()
            if capture is None:
                return report
            stdout, stderr = capture.outputs()
            return replace(report, stdout=stdout, stderr=stderr)
        except BaseException as error:
            session.end(INTERRUPT_S if isinstance(error, KeyboardInterrupt) else 0.0)
            raise


def launch(
    command: Command,
    *,
    cwd: Path | None = None,
    env: Environment | None = None,
    only: str | None = None,
    follow: bool = True,
    io_uring: bool = True,
    seccomp: str = "auto",
    fast: str = "auto",
    fast_after: int = FAST_AFTER,
    duration: float | None = None,
    trace: Iterable[str] = (),
    deny: Iterable[str] = (),
    allow: Iterable[str] = (),
    hooks: Iterable[Hook] = (),
    interval: float | None = None,
    buffer: int = BUFFER,
    max_sockets: int = MAX_SOCKETS,
) -> Tracing:
    """A program that is traced from its execve on: ``with ptmon.launch(["make", "test"]) as session: ...``.

    ``command`` is looked for in PATH; no shell takes it apart. Its streams, environment, directory and fds are as with
    ``subprocess.Popen(command)``, and so are ``cwd``, the directory in which it starts, and ``env``, all of its
    environment. The other keywords, each as the option of the command line that is named so:

    ``only``: count only processes whose executable has this file name. ``follow=False``: threads, but no children.
    ``io_uring=False``: io_uring_setup fails. ``seccomp``: auto, on or off. ``fast``: auto (calls are counted inside the
    program, without stops, where its code is known) or off; ``fast_after``: so many stops of a process come first.
    ``duration``: seconds after which counting ends. ``trace``: system calls whose enter and return are events, too.
    ``deny``: rules by which calls fail. ``allow``: rules that name who may be reached, and nobody else is. ``hooks``:
    functions that ``@ptmon.hook`` marks; they run in the tracer's thread. ``interval``: seconds from one ``snapshot``
    event to the next. ``buffer``: events that wait for who reads them; 0: none are made, which is faster.
    ``max_sockets``: closed sockets beyond are folded.

    Raises PtmonError where a name or rule is not understood; and at the start of the block if the program can't be run.
    TypeError and ValueError as subprocess does: for a command that is a single text, for a NUL in a word.
    """
    return _tracing(**locals())


def attach(
    pids: int | Iterable[int],
    *,
    only: str | None = None,
    follow: bool = True,
    io_uring: bool = True,
    fast: str = "auto",
    fast_after: int = FAST_AFTER,
    duration: float | None = None,
    trace: Iterable[str] = (),
    deny: Iterable[str] = (),
    allow: Iterable[str] = (),
    hooks: Iterable[Hook] = (),
    interval: float | None = None,
    buffer: int = BUFFER,
    max_sockets: int = MAX_SOCKETS,
) -> Tracing:
    """Running processes, traced until the block ends: ``with ptmon.attach(pid) as session: ...``.

    All threads of each are traced, and all its descendants: those that are there, and those that are born meanwhile
    (``follow=False``: neither). One that may not be traced is left out, which makes the report incomplete. At the end
    of the block, or by ``session.detach()``, they are let go and run on. The keywords are those of
    :func:`launch`. Raises PtmonError, at the latest at the start of the block.
    """
    asked = {**locals()}
    del asked["pids"]
    targets = (pids,) if isinstance(pids, int) else tuple(pids)
    if not targets:
        raise PtmonError("no process to attach to")
    for pid in targets:
        _check_not_own_child(pid)
    return _tracing(attach=targets, **asked)


def _tracing(*, interval: float | None, buffer: int, max_sockets: int, **asked: Any) -> Tracing:
    """``asked``: what the engine is to do, by the names that prepare() has for it."""
    saying = Saying()
    settings = prepare(guest=True, failed=saying.hook_failed, **asked)
    if not settings.attach and not (settings.command and settings.command[0]):
        raise PtmonError("no program to start: the command is empty")
    return Tracing(settings, buffer=buffer, interval=interval, max_sockets=max_sockets, saying=saying)


def _check_not_own_child(pid: int) -> None:
    """wait4(2) gives the ptrace-stops of a child to whichever thread of its parent asks (wait_consider_task() in the
    kernel's exit.c): ``Popen.poll()`` would take one, and the child would stand still for ever.
    """
    if explain.status(pid).get("PPid") == str(os.getpid()):
        raise PtmonError(
            f"cannot attach to process {pid}: it is a child of this program, whose wait() and poll() would take the"
            " tracer's reports; start it by ptmon.launch()"
        )
