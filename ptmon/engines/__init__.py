# SPDX-License-Identifier: GPL-2.0-or-later
"""Engines: what makes records of a traced program. All of them look alike from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from ptmon.defaults import FAST_AFTER, NAMES, SECCOMP
from ptmon.errors import AttachError, PtmonError
from ptmon.frozen import dataclass
from ptmon.records import Exit, Inside, Record, Site
from ptmon.report import Header, LimitReport
from ptmon.static import TYPE_CHECKING, Protocol
from ptmon.watches import Hold, Rule, Watch

if TYPE_CHECKING:
    from ptmon.recording import Recorder

ENGINES = {
    "native": ("ptmon.engines.native", "NativeEngine"),
    "reference": ("ptmon.engines.reference", "ReferenceEngine"),
    "replay": ("ptmon.engines.replay", "ReplayEngine"),
}


@dataclass(frozen=True, slots=True)
class Debug:
    """What an engine is to note of its own work, for who looks for a fault in it."""

    what: tuple[str, ...]
    """Of stops, patch, ring and sockets."""
    name: Callable[[int, bool], str]
    """The name of a system call, by its number, and whether that is one of the 32-bit ABI."""
    tell: Callable[[Sequence[str]], None]
    """Called with the lines, at the end or after an error, when nobody is held any more."""


@dataclass(frozen=True, slots=True)
class Act:
    """What an engine has just done itself, or seen, for who tells people how a tracer works."""

    kind: str
    """A row of ACTS of ``ptmon.narrating``."""
    pid: int
    number: int = 0
    """Of a system call, a signal or an fd; of PTRACE_SETOPTIONS, the options."""
    value: int = 0
    """What a call has returned, or how many bytes have counted."""
    compat: bool = False
    """The number is one of the 32-bit ABI."""
    sockets: bool = False
    """The call may move bytes over a socket."""
    registers: tuple[tuple[str, int], ...] = ()
    name: str = ""
    """Of a call that has counted."""
    way: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a run that is replayed."""

    header: Header
    limit: LimitReport | None = None
    damage: str = ""
    """What is wrong with its recording, in words."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an engine is to trace, and how. Either ``command`` or ``attach`` is set, or ``replay``."""

    command: tuple[str, ...] = ()
    """The program to start and its arguments; bytes that are not UTF-8 as surrogate escapes (PEP 383)."""
    attach: tuple[int, ...] = ()
    """Thread groups to attach to."""
    only: str | None = None
    follow: bool = True
    """Children are traced too (threads always are)."""
    io_uring: bool = True
    """False: io_uring_setup fails with ENOSYS."""
    seccomp: str = SECCOMP[0]
    fast: int = FAST_AFTER
    """So many stops of a process, and its calls are counted inside of it from then on; 0: never."""
    fast_explain: bool = False
    """What became of the program's code for the sake of ``fast`` is in ``explained`` at the end."""
    names: str = NAMES[0]
    """``off``: no Payload is told. The reference engine tells none."""
    content: int = 0
    """Of each call that moves bytes so many of these are told, at most, as Content: of the native engine. 0: none. Such
    calls stop, so that ``fast`` is 0."""
    duration: float | None = None
    """Seconds after which counting stops: attached processes are detached, a launched one is passed on."""
    every_call: bool = False
    """Each Transfer stands for one call; else equal ones may be told as one."""
    lives: bool = False
    """Without ``every_call``: new sockets may be told as Lives, which are for the ledger alone."""
    watches: tuple[Watch, ...] = ()
    rules: tuple[Rule, ...] = ()
    hold: Hold | None = None
    """Called where a watched call is held."""
    reopen: Callable[[], None] | None = None
    """Called where an attached ptmon gets a SIGHUP by kill(2), as when its log was moved away. None: that ends it."""
    guest: bool = False
    """ptmon is a library in another program: its signals and its other children are left alone."""
    ignored: int | None = None
    """The signals that a launched program ignores, bit n - 1 for signal n, as SigIgn of proc(5). None: not known; those
    that ptmon does, but for SIGPIPE and SIGXFSZ, which Python ignores by itself."""
    cwd: str | None = None
    """Where the program starts; None: where ptmon is."""
    environment: tuple[bytes, ...] | None = None
    """The program's, as NAME=VALUE; None: as ptmon was given it."""
    debug: Debug | None = None
    narrate: Callable[[Act], None] | None = None
    """Called at each act, while the tracee stands; the reference engine alone does it."""
    recorders: tuple[Recorder, ...] = ()
    """They get each batch, of the native engine."""
    replay: str | None = None
    """A recording, which the replay engine reads."""
    speed: float | None = None
    """How many times as fast it is told as it went; None: at once."""
    streams: tuple[int, int] | None = None
    """The fds that are its stdout and stderr, both above 2; None: ptmon's own."""


class Engine(Protocol):
    """A context manager that starts or seizes on enter and lets go on exit; iterated, it gives batches of records.

    A batch, if need be an empty one, comes at least about every 100 ms, so that its user can keep time. The last batch
    comes when the last tracee has ended, or after the detach.
    """

    name: str
    root: int
    """pid of the program, or of the first process attached to; 0 before enter."""
    started: float
    """When it began, in seconds since the epoch: ``time`` of records counts from here."""
    counting: bool
    """False once nothing is counted any more: ``duration`` is over, yet launched tracees are still passed on."""
    exit: Exit | None
    """How ``root`` ended."""
    refused: Sequence[AttachError]
    """Of several targets, those that could not be attached; the others were."""
    past: Past | None
    """Of a run that is replayed; else None."""
    explained: Sequence[Site | Inside]
    """With ``settings.fast_explain``, of the processes that have ended; once counting has stopped, of all."""
    told: float
    """Seconds since ``started``: the batches until now have what ended until then. With ``every_call`` their records
    are in the order of their times, and those of the next ones are not earlier than this.
    """

    def stop(self) -> None:
        """Ends the counting, from another thread too: attached processes are detached, a launched one is passed on."""

    def send_signal(self, number: int) -> None:
        """Sends a signal to each traced process that has not got this one so yet. Between two batches only."""

    def elapsed(self) -> float:
        """Seconds since ``started``, by the clock of the records; as it was when counting stopped."""

    def __enter__(self) -> Engine:
        """Launches or attaches. Raises LaunchError or AttachError."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Lets every tracee go."""

    def __iter__(self) -> Iterator[Sequence[Record]]: ...


def create(name: str, settings: EngineSettings) -> Engine:
    """The engine called ``name``, not yet entered. Raises PtmonError where it cannot be loaded."""
    module, kind = ENGINES[name]
    try:
        engine: Engine = getattr(__import__(module, fromlist=[kind]), kind)(settings)
    except ImportError as error:
        raise PtmonError(f"the {name} engine cannot be loaded: {error}; build ptmon with: pip install .") from error
    return engine
