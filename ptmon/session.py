# SPDX-License-Identifier: GPL-2.0-or-later
"""The main path: an engine's records go into the ledger, and what the ledger says goes to the outputs."""

from __future__ import annotations

import errno
import os
import time
from _thread import allocate_lock  # which is threading.Lock
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from ptmon.defaults import MAX_SOCKETS
from ptmon.engines import Debug, Engine, EngineSettings, Past, create
from ptmon.errors import AttachError, LaunchError, PtmonError, Step
from ptmon.frozen import replace
from ptmon.ledger.ledger import Ledger
from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.view import View
from ptmon.outputs import Output, Outputs, asks, looks, records_all, wants_history
from ptmon.ranks import rank
from ptmon.records import Exit, Incomplete, Payload, Reason, Record
from ptmon.report import Header, Report, Waited, seconds
from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from ptmon.ledger.history import History
    from ptmon.limiting import Limit
    from ptmon.naming import Namer


class Session:
    """One run of ptmon.

    ``report`` is set once counting has stopped; ``exit`` tells how the program (or the first target) ended, and stays
    None where it did not.
    """

    def __init__(
        self,
        settings: EngineSettings,
        outputs: Sequence[Output] = (),
        *,
        engine: str = "native",
        interval: float | None = None,
        max_sockets: int = MAX_SOCKETS,
        wait: str | None = None,
        limit: int | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """``wait``: the program to wait for and then to attach to; ``settings`` name no target then. ``limit``: bytes,
        sent and received together, with more of which it ends a program, or lets processes go. ``say`` is called
        with what is to be told at once; None: the logger ``ptmon`` gets it.
        """
        self.settings = settings
        self.report: Report | None = None
        self.exit: Exit | None = None
        self.past: Past | None = None
        """Of a run that was replayed."""
        self._recordings = tuple(filter(records_all, outputs))
        self._outputs = Outputs(outputs)
        self._engine_name = engine
        self._interval = interval
        self._max_sockets = max_sockets
        self._wait = wait
        self._limit: Limit | None = None
        if limit is not None:
            from ptmon.limiting import Limit

            self._limit = Limit(limit, attached=bool(settings.attach) or wait is not None)
        if say is None:
            from ptmon.saying import Saying

            say = Saying().say
        self._say = say
        self._attached = bool(settings.attach) or wait is not None
        self._engine: Engine | None = None
        self._ledger: Ledger | None = None
        self._history: History | None = None
        if any(wants_history(output) for output in outputs):
            from ptmon.ledger.history import History

            self._history = History()
        self._namer: Namer | None = None
        self._stopped = False
        self._refused: list[tuple[int, int]] = []
        """Targets that could not be attached: pid, errno or 0."""
        self._lock = allocate_lock()
        """Of the ledger: another thread may ask for a snapshot."""
        if settings.duration is not None:  # now: while ptmon runs it may be replaced by another version
            from ptmon.outputs import aside  # noqa: F401
        for output in outputs:
            if asks(output):
                output.snapshot_source = self.snapshot
            if looks(output):
                output.view_source = self.view

    def run(self) -> Report:
        """Traces until the last tracee ends, the duration is over, or a signal asks an attached ptmon to end.

        Raises PtmonError for what a user can cause. Must be called in the main thread, unless ``settings.guest``.
        """
        settings = self._checked(self.settings)
        engine = create(self._engine_name, settings)
        try:
            with self._outputs, ExitStack() as stack:
                waited = None
                if self._wait is None:
                    stack.enter_context(engine)
                else:  # the engine's parts are loaded by now: from the execve to the attach nothing may take long
                    engine, waited = self._found(self._wait, settings, stack)
                self._trace(engine, waited)
        except LaunchError as error:
            from ptmon import explain

            raise explain.launch_failure(error) from error
        except AttachError as error:
            from ptmon import explain

            raise explain.attach_failure(error) from error
        self.exit, self.past = engine.exit, engine.past
        if self.report is None:
            raise PtmonError("the engine ended without an end of counting")
        return self.report

    @property
    def limit_passed(self) -> bool:
        """More was sent and received than ``limit``."""
        return self._limit is not None and self._limit.passed

    def stop(self) -> None:
        """Ends the counting, from any thread: attached processes are let go, a launched program is passed on."""
        self._stopped = True
        if self._engine is not None:
            self._engine.stop()

    def snapshot(self) -> Snapshot | None:
        """The totals now, from any thread; None before the start."""
        if self._ledger is None or self._engine is None:
            return None
        with self._lock:
            return self._ledger.snapshot(self._engine.elapsed())

    def view(self, last: Snapshot | None = None) -> View | None:
        """All rows of the ledger, from any thread; None before the start. ``last`` is as in ``Ledger.snapshot``."""
        if self._ledger is None or self._engine is None:
            return None
        with self._lock:  # for no longer than it takes to make a list
            return self._ledger.view(self._engine.elapsed(), last)

    def _found(self, name: str, settings: EngineSettings, stack: ExitStack) -> tuple[Engine, Waited]:
        """Waits until a process that can be attached to executes the program, and attaches to it."""
        from ptmon import explain
        from ptmon.waiting import Waiter, hangup
        from ptmon.waiting.program import instance

        reopen = self._outputs.reopen if self._outputs.reopens else None
        with Waiter(name, self._say) as waiter, hangup.heard(reopen):
            while True:
                found = waiter.next()
                try:
                    target = self._checked(replace(settings, attach=(found.pid,)))
                    with ExitStack() as trial:
                        engine = trial.enter_context(create(self._engine_name, target))
                        if instance(found.pid) is None:  # it was about to end, as who has made a daemon is
                            raise AttachError(found.pid, errno.ESRCH, Step.SEIZE)
                        stack.push(trial.pop_all())
                    return engine, Waited(name, seconds(found.age()))
                except AttachError as error:
                    waiter.pass_over(found, str(explain.attach_failure(error)))
                except PtmonError as error:
                    waiter.pass_over(found, str(error))

    def _trace(self, engine: Engine, waited: Waited | None) -> None:
        header = self._header(engine, waited)
        ledger = Ledger(header, self._max_sockets)
        self._engine, self._ledger = engine, ledger
        if self._stopped:  # before there was an engine
            engine.stop()
        self._outputs.start(header)
        self._tell_refused(engine)
        due = self._interval
        last: Snapshot | None = None
        for batch in engine:
            if self._limit is not None:
                self._limit.go_on(engine)
            if self.report is not None:
                continue  # --duration is over: the program is only passed on
            batch = self._outputs.take(self._named(batch))
            self._count(engine, ledger, batch)
            if self._history is not None:
                self._history.add(engine.told, *ledger.moved())
            self._outputs.write(batch)
            if not engine.counting and not self._attached:
                self.report = self._result(engine, ledger)
                self._outputs.finish_aside(self.report)
            elif due is not None and self._interval is not None and (now := engine.told) >= due:
                with self._lock:
                    last = ledger.snapshot(now, last)
                self._outputs.snapshot(last)
                due += self._interval * (1 + (now - due) // self._interval)
        if self.report is None:
            self.report = self._result(engine, ledger)
            self._outputs.finish(self.report)

    def _named(self, batch: Sequence[Record]) -> Sequence[Record]:
        """A batch with what payload says of names in the place of that."""
        if Payload not in set(map(type, batch)):
            return batch
        if self._namer is None:  # many a program reaches nobody
            from ptmon.naming import Namer

            self._namer = Namer()
        return self._namer.read(batch)

    def _count(self, engine: Engine, ledger: Ledger, batch: Sequence[Record]) -> None:
        with self._lock:
            ledger.add_all(batch)
        if Incomplete in set(map(type, batch)):
            for record in batch:
                if isinstance(record, Incomplete):
                    self._say_unguarded(record)
        if self._limit is not None and (line := self._limit.look(engine, sum(ledger.moved()))):
            self._say(line)

    def _result(self, engine: Engine, ledger: Ledger) -> Report:
        elapsed = engine.elapsed()
        for recording in self._recordings:
            recording.elapsed = elapsed
        report = ledger.report(elapsed)
        if self._limit is not None:
            report = replace(report, limit=self._limit.report())
        elif engine.past is not None:
            report = replace(report, limit=engine.past.limit)
        if self._history is not None:
            self._history.add(report.duration_s, report.totals.sent, report.totals.received)
            report = replace(report, history=tuple(self._history.points()))
        if not self.settings.fast_explain:
            return report
        from ptmon import sites

        return sites.explained(engine.explained, report, self.settings.fast)

    def _say_unguarded(self, record: Incomplete) -> None:
        """Whoever refuses calls has to know at once that a process can make them."""
        if record.reason is Reason.COMPAT and self.settings.rules and not self.settings.guest:
            self._say(f"process {record.pid} runs a 32-bit program: no rule can refuse its calls on this machine")

    def _tell_refused(self, engine: Engine) -> None:
        """Of several targets some may be traced: the report is not complete without the others."""
        if engine.refused:
            from ptmon import explain
        for error in engine.refused:
            self._say(str(explain.attach_failure(error)))
            self._refused.append((error.pid, error.number))
        for recording in self._recordings:
            recording.refused = self._refused
        records = [Incomplete(0.0, pid, Reason.UNATTACHED, None, number) for pid, number in self._refused]
        if records and self._ledger is not None:
            for record in records:
                self._ledger.add(record)
            self._outputs.write(records)

    def _checked(self, settings: EngineSettings) -> EngineSettings:
        """Refuses targets which cannot be attached to, before anything is touched; tids become thread groups."""
        groups: dict[int, None] = {}
        errors: list[PtmonError] = []
        if settings.attach:
            from ptmon import explain
        for pid in settings.attach:
            try:
                group, said = explain.check_target(pid)
            except PtmonError as error:
                errors.append(error)
                self._refused.append((pid, 0))
                continue
            if said is not None:
                self._say(said)
            groups[group] = None
        if errors and not groups:
            raise errors[0]
        for one in errors:
            self._say(f"{one}; the others are attached to")
        outputs = self._outputs
        every_call = (
            settings.every_call or outputs.wants_events or any(one.wants_every_call for one in self._recordings)
        )
        return replace(
            settings,
            debug=self._debug(),
            attach=tuple(groups),
            every_call=every_call,
            lives=not (every_call or self._recordings or settings.content),
            recorders=self._recordings,
            reopen=outputs.reopen if outputs.reopens and not settings.guest else None,
        )

    def _debug(self) -> Debug | None:
        words = os.environ.get("PTMON_DEBUG")
        if not words:
            return None
        from ptmon import debugging

        return debugging.wanted(words, self._engine_name, guest=self.settings.guest)

    def _header(self, engine: Engine, waited: Waited | None) -> Header:
        if engine.past is not None:
            return engine.past.header
        return Header(
            host=os.uname().nodename,
            command=self.settings.command,
            mode="wait" if waited is not None else "attach" if self._attached else "launch",
            engine=engine.name,
            started=utc(engine.started),
            root=engine.root,
            ppid=None if self._attached else os.getpid(),
            waited=waited,
            only=self.settings.only,
            rank=rank(),
        )


def utc(moment: float) -> str:
    """Seconds since the epoch by ISO 8601, with microseconds: datetime would have to be loaded for this alone."""
    whole, micros = divmod(round(moment * 1_000_000), 1_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{micros:06d}Z"
