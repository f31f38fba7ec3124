# SPDX-License-Identifier: GPL-2.0-only
"""The main path: an engine's records go into the ledger, and what the ledger says goes to the outputs."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from datetime import UTC, datetime

from ptmon import explain
from ptmon.engines import Engine, EngineSettings, create
from ptmon.errors import AttachError, LaunchError, PtmonError
from ptmon.ledger import MAX_SOCKETS, Ledger
from ptmon.outputs import Output, Outputs, stderr
from ptmon.records import Exit
from ptmon.report import Header, Report


class Session:
    """One run of ptmon.

    ``report`` is set once counting has stopped; ``exit`` tells how the program (or the first target) ended, and stays
    None where it did not.
    """

    def __init__(
        self,
        settings: EngineSettings,
        outputs: Output | None = None,
        *,
        engine: str = "native",
        interval: float | None = None,
        max_sockets: int = MAX_SOCKETS,
    ) -> None:
        self.settings = settings
        self.report: Report | None = None
        self.exit: Exit | None = None
        self._outputs = Outputs([]) if outputs is None else outputs
        self._engine_name = engine
        self._interval = interval
        self._max_sockets = max_sockets

    def run(self) -> Report:
        """Traces until the last tracee ends, the duration is over, or a signal asks an attached ptmon to end.

        Raises PtmonError for what a user can cause. Must be called in the main thread.
        """
        settings = self._checked(self.settings)
        engine = create(self._engine_name, settings)
        try:
            with self._outputs, engine:
                self._outputs.start(engine.root)
                self._trace(engine)
        except LaunchError as error:
            raise explain.launch_failure(error) from error
        except AttachError as error:
            raise explain.attach_failure(error) from error
        self.exit = engine.exit
        if self.report is None:
            raise PtmonError("the engine ended without an end of counting")
        return self.report

    def _trace(self, engine: Engine) -> None:
        ledger = Ledger(self._header(engine), self._max_sockets)
        add, write = ledger.add, self._outputs.write
        wants_records = self._outputs.wants_records
        due = self._interval
        for batch in engine:
            if self.report is not None:
                continue  # --duration is over: the program is only passed on
            for record in batch:
                add(record)
                if wants_records:
                    write(record)
            if not engine.counting and not self.settings.attach:
                self._finish(ledger, engine)
            elif due is not None and self._interval is not None and (now := engine.elapsed()) >= due:
                self._outputs.snapshot(ledger.snapshot(now))
                due += self._interval * (1 + (now - due) // self._interval)
        if self.report is None:
            self._finish(ledger, engine)

    def _finish(self, ledger: Ledger, engine: Engine) -> None:
        self.report = ledger.report(engine.elapsed())
        self._outputs.finish(self.report)

    def _checked(self, settings: EngineSettings) -> EngineSettings:
        """Refuses targets which cannot be attached to, before anything is touched; tids become thread groups."""
        groups: dict[int, None] = {}
        for pid in settings.attach:
            group, said = explain.check_target(pid)
            if said is not None:
                stderr.say(said)
            groups[group] = None
        return replace(settings, attach=tuple(groups))

    def _header(self, engine: Engine) -> Header:
        attached = bool(self.settings.attach)
        return Header(
            host=socket.gethostname(),
            command=self.settings.command,
            mode="attach" if attached else "launch",
            engine=engine.name,
            started=datetime.fromtimestamp(engine.started, UTC)
            .isoformat(timespec="microseconds")
            .replace("+00:00", "Z"),
            root=engine.root,
            ppid=None if attached else os.getpid(),
        )
