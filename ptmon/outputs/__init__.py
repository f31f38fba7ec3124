# SPDX-License-Identifier: GPL-2.0-or-later
"""Outputs: whatever consumes records, snapshots or the report. They never see an engine."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType

from ptmon.events import Event, EventMaker
from ptmon.ledger.snapshot import Snapshot
from ptmon.recording import Recorder
from ptmon.records import Record, Transfers
from ptmon.report import Header, Report
from ptmon.static import TYPE_CHECKING, Any, Protocol, TypeGuard

if TYPE_CHECKING:
    from ptmon.ledger.view import View
    from ptmon.options import Options
    from ptmon.outputs.aside import Aside

OUTPUTS: dict[str, Callable[[Options], bool]] = {
    "ptmon.live.output": lambda options: options.live,  # the first: what others write on a terminal goes to its pane
    "ptmon.outputs.parquet": lambda options: options.log is not None and options.log_format == "parquet",
    "ptmon.outputs.log": lambda options: (
        options.log is not None and options.log_format != "parquet"
    ),  # before the report: on stderr the log stands first
    "ptmon.outputs.syslog": lambda options: options.syslog is not None,
    "ptmon.outputs.server": lambda options: options.serve is not None,
    "ptmon.outputs.report_output": lambda options: options.output is not None or not options.quiet,
    "ptmon.outputs.page": lambda options: options.html is not None,
    "ptmon.outputs.recording": lambda options: options.record is not None,
    "ptmon.outputs.capture": lambda options: options.capture is not None or options.dump,
    "ptmon.outputs.metrics": lambda options: options.metrics is not None or options.metrics_file is not None,
    "ptmon.outputs.otlp": lambda options: options.otlp is not None,
    "ptmon.outputs.learnt": lambda options: options.learn is not None,
    "ptmon.outputs.fast_explain": lambda options: options.fast_explain,  # behind the report
    "ptmon.outputs.interval": lambda options: options.interval is not None and options.log is None,
}
"""A row for each output that options can ask for: the module whose ``make(options, host)`` returns it, and when it is.
It is loaded where it is asked for: a run that tells nothing loads none.
"""


class Output(Protocol):
    """One output. An output that cannot do its work says so itself, on stderr: it never ends the run."""

    wants_events: bool
    """False: ``write`` is never called."""

    def __enter__(self) -> Output:
        """Before the program starts. Raises PtmonError where the output is sure to fail."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self, header: Header) -> None:
        """The program runs, or the first target is attached."""

    def write(self, events: Sequence[Event]) -> None:
        """What happened since, in the order in which the engine told it. The tracees wait meanwhile: be quick.

        It comes about every 100 ms with nothing, too, so that an output can go on with what waits for its reader.
        """

    def snapshot(self, snapshot: Snapshot) -> None:
        """The ledger now, every --interval; whoever wants events gets it as an event, too."""

    def finish(self, report: Report) -> None:
        """The ledger at the end."""


class Asking(Protocol):
    """An output that asks for the totals whenever it likes, from any thread."""

    snapshot_source: Callable[[], Snapshot | None] | None
    """Set by the session; gives None before the start."""


class Looking(Protocol):
    """An output that looks at all rows of the ledger whenever it likes, from any thread."""

    view_source: Callable[[Snapshot | None], View | None] | None
    """Set by the session; takes the snapshot before, gives None before the start."""


class TakingRuns(Protocol):
    """An output that can take transfers by the thousand: what comes so costs a hundredth of what single events do."""

    takes_runs: bool
    """False: it gets single events, as others do."""

    def write_runs(self, events: Sequence[Event | Transfers]) -> None:
        """In place of ``write``."""


class Drawing(Protocol):
    """An output that shows what was moved over time."""

    wants_history: bool
    """False: reports need not have one this time."""


class Reopening(Protocol):
    """An output with a file that may be moved away while it is written to, as logrotate does it."""

    reopens: bool
    """False: it has none this time."""

    def reopen(self) -> None:
        """Goes on in a new file of the old name."""


class Noting(Protocol):
    """An output for which more is told than others get: calls that are noted by rules which refuse nothing
    (EngineSettings.rules), or what calls have moved (EngineSettings.content)."""

    def take(self, records: Sequence[Record]) -> Sequence[Record]:
        """A batch before anybody else gets it; gives it back without what is for this output alone."""


class Recording(Recorder, Protocol):
    """An output that keeps what the engine tells, as it is."""

    records_all: bool
    wants_every_call: bool
    """Each record is to stand for one call; else equal ones may be told as one."""
    refused: list[tuple[int, int]]
    """Set by the session: targets that could not be attached, pid and errno or 0."""
    elapsed: float
    """The same: seconds that the run took, before there is a report."""


def asks(output: Any) -> TypeGuard[Asking]:
    """Whether an output is an Asking one."""
    return hasattr(output, "snapshot_source")


def looks(output: Any) -> TypeGuard[Looking]:
    """Whether an output is a Looking one."""
    return hasattr(output, "view_source")


def takes_runs(output: Any) -> TypeGuard[TakingRuns]:
    """Whether an output takes runs now."""
    return bool(getattr(output, "takes_runs", False))


def wants_history(output: Any) -> TypeGuard[Drawing]:
    """Whether reports are to have a history."""
    return bool(getattr(output, "wants_history", False))


def reopens(output: Any) -> TypeGuard[Reopening]:
    """Whether an output has a file to reopen."""
    return bool(getattr(output, "reopens", False))


def records_all(output: Any) -> TypeGuard[Recording]:
    """Whether an output is a Recording one."""
    return bool(getattr(output, "records_all", False))


def notes(output: Any) -> TypeGuard[Noting]:
    """Whether an output is a Noting one."""
    return hasattr(output, "take")


class SilentOutput:
    """An output that does nothing: outputs are made of it by overriding what they care for."""

    wants_events = False

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def start(self, header: Header) -> None:
        """Nothing."""

    def write(self, events: Sequence[Event]) -> None:
        """Nothing."""

    def snapshot(self, snapshot: Snapshot) -> None:
        """Nothing."""

    def finish(self, report: Report) -> None:
        """Nothing."""


class Outputs:
    """Several outputs as one: what a session drives. Events are made once, and only if some output wants them."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._outputs = outputs
        wanting = [output for output in outputs if output.wants_events]
        self.wants_events = bool(wanting)
        self._reopening = [output for output in outputs if reopens(output)]
        self.reopens = bool(self._reopening)
        self._noting = [output for output in outputs if notes(output)]
        self._runners = [output for output in wanting if takes_runs(output)]
        self._writers = [output for output in wanting if not takes_runs(output)]
        self._run_maker = EventMaker()
        self._maker = EventMaker()
        self._stack = ExitStack()
        self._aside: Aside | None = None

    def __enter__(self) -> Outputs:
        with ExitStack() as stack:
            for output in self._outputs:
                stack.enter_context(output)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._aside is not None:
                self._aside.end()
        finally:
            self._stack.__exit__(kind, error, trace)

    def start(self, header: Header) -> None:
        """The program runs, or the first target is attached."""
        for output in self._outputs:
            output.start(header)

    def take(self, records: Sequence[Record]) -> Sequence[Record]:
        """A batch without what was noted for one output alone."""
        for output in self._noting:
            records = output.take(records)
        return records

    def write(self, records: Sequence[Record]) -> None:
        """A batch of records, in its order."""
        if self._runners:
            runs = tuple(self._run_maker.runs(records))
            for runner in self._runners:
                runner.write_runs(runs)
        if self._writers:
            events = tuple(self._maker.events(records))
            for output in self._writers:
                output.write(events)

    def snapshot(self, snapshot: Snapshot) -> None:
        """The ledger now."""
        for output in self._outputs:
            output.snapshot(snapshot)
        event = self._maker.snapshot(snapshot)
        for runner in self._runners:
            runner.write_runs((event,))
        for output in self._writers:
            output.write((event,))

    def reopen(self) -> None:
        """Files that were moved away are left there; what follows goes into new ones of their names."""
        for output in self._reopening:
            output.reopen()

    def finish(self, report: Report) -> None:
        """The ledger at the end."""
        for output in self._outputs:
            output.finish(report)

    def finish_aside(self, report: Report) -> None:
        """The same while the launched program runs on: it does not wait for a slow reader, only the end does."""
        from ptmon.outputs.aside import Aside

        self._aside = Aside(self.finish, report)
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the tracer
        try:
            self._aside.start()
        except RuntimeError:  # RLIMIT_NPROC
            self._aside = None
            self.finish(report)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def make(options: Options, host: str) -> list[Output]:
    """The outputs that the options ask for, not yet entered. Raises UsageError for what no output can go by."""
    wanted = (module for module, asked in OUTPUTS.items() if asked(options))
    return [__import__(module, fromlist=["make"]).make(options, host) for module in wanted]
