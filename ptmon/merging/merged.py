# SPDX-License-Identifier: GPL-2.0-or-later
"""Many reports -> one. What is kept of each is what the merged report lists; sums are exact whatever is folded."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ptmon import notices
from ptmon.frozen import replace
from ptmon.ledger.rates import Rate
from ptmon.merging.sockets import Sockets, since
from ptmon.merging.sums import BytesSum, ConnectSum, PathSum, PeerSum, SyscallSum, TotalsSum
from ptmon.report import DeniedReport, FallbackReport, Header, HostReport, Notice, ProcessReport, Report
from ptmon.session import utc
from ptmon.text import printable


class Merged:
    """A report that others are added to."""

    def __init__(self, max_sockets: int) -> None:
        self.hosts: list[HostReport] = []
        self.left_out = 0
        self._max_sockets = max_sockets
        self._begun: list[float] = []
        """Of each report, seconds since the epoch."""
        self._ended = 0.0
        self._complete = True
        self._engines: set[str] = set()
        self._warnings: list[Notice] = []
        self._fallbacks: dict[FallbackReport, None] = {}
        self._processes: list[tuple[float, int | None, ProcessReport]] = []
        """When its run began, and which one that was."""
        self._denied: Counter[tuple[str, str, str]] = Counter()
        self._totals = TotalsSum()
        self._families, self._scopes = BytesSum(), BytesSum()
        self._syscalls = SyscallSum()
        self._path = PathSum()
        self._peers = PeerSum(max_sockets)
        self._connects = ConnectSum(max_sockets)
        self._sockets = Sockets(max_sockets)

    def add(self, report: Report, file: str) -> None:
        """Takes one report; a merged one is taken as those that it is made of."""
        base = len(self.hosts)
        self.hosts += report.hosts or (_host(report, file),)
        begun = moment(report.header.started)
        self._begun.append(begun)
        self._ended = max(self._ended, begun + report.duration_s)
        self._complete &= report.complete
        self._engines.add(report.header.engine)
        self._totals.add(report.totals)
        self._families.add(report.by_family)
        self._scopes.add(report.by_scope)
        self._syscalls.add(report.by_syscall)
        self._path.add(report.path)
        self._peers.add(report.by_peer)
        self._connects.add(report.connects)
        for row in report.denied:
            self._denied[row.rule, row.syscall, row.errno] += row.calls
        self._add_rows(report, base, begun)

    def leave_out(self, file: str, why: str) -> None:
        """A file that is no report: what it would have told is missing."""
        self.left_out += 1
        self._complete = False
        self._warnings.append(Notice("left_out", None, f"{printable(file)} {why}; it is left out"))

    def report(self) -> Report:
        """All that was added."""
        start = min(self._begun)
        duration = since(self._ended, start)
        totals = self._totals.report()
        hosts = {row.host for row in self.hosts}
        commands = {row.command for row in self.hosts}
        ends = {row.exit for row in self.hosts}
        alone = self.hosts[0] if len(self.hosts) == 1 else None
        command = self.hosts[0].command if len(commands) == 1 else ()
        header = Header(
            host=next(iter(hosts)) if len(hosts) == 1 else f"{len(hosts)} hosts",
            command=command,
            mode="merge",
            engine=next(iter(self._engines)) if len(self._engines) == 1 else "mixed",
            started=utc(start),
            root=0,
            ppid=None,
            rank=None if alone is None else alone.rank,
        )
        return Report(
            header=header,
            command=command,
            duration_s=duration,
            exit=next(iter(ends)) if len(ends) == 1 else None,
            complete=self._complete,
            warnings=self._said(),
            totals=totals,
            by_family=self._families.report(),
            by_scope=self._scopes.report(),
            by_syscall=self._syscalls.report(),
            rates={"sent": _rate(totals.sent, duration), "received": _rate(totals.received, duration)},
            path=self._path.report(),
            fallbacks=tuple(self._fallbacks),
            denied=tuple(DeniedReport(*key, calls) for key, calls in self._denied.items()),
            processes=tuple(_moved(row, source, begun - start) for begun, source, row in self._processes),
            sockets=self._sockets.report(start),
            by_peer=self._peers.report(),
            connects=self._connects.report(),
            hosts=tuple(self.hosts),
        )

    def _add_rows(self, report: Report, base: int, begun: float) -> None:
        """Those that are listed one by one."""

        def source(told: int | None) -> int | None:
            """Of a row whose report says that it is of that run."""
            if not report.hosts:
                return base
            return None if told is None else base + told

        self._warnings += (replace(row, source=source(row.source)) for row in report.warnings)
        self._fallbacks |= ((replace(row, source=source(row.source)), None) for row in report.fallbacks)
        self._processes += ((begun, source(row.source), row) for row in report.processes)
        add = self._sockets.add
        for row in report.sockets:
            add(begun, source(row.source), row)

    def _said(self) -> tuple[Notice, ...]:
        if not self._sockets.folded:
            return tuple(self._warnings)
        return (*self._warnings, notices.folded(self._sockets.folded, self._max_sockets))


def moment(started: str) -> float:
    """Seconds since the epoch, of a report's ``started``."""
    return datetime.fromisoformat(started).timestamp()


def _host(report: Report, file: str) -> HostReport:
    header = report.header
    return HostReport(
        header.host,
        header.rank,
        file,
        report.command,
        header.started,
        report.duration_s,
        report.exit,
        report.complete,
        report.totals,
    )


def _moved(row: ProcessReport, source: int | None, later: float) -> ProcessReport:
    """Of a run that began so much later than the first."""
    ended = None if row.ended_s is None else since(row.ended_s + later)
    return replace(row, source=source, started_s=since(row.started_s + later), ended_s=ended)


def _rate(count: int, duration: float) -> Rate:
    """Which second was the busiest is in no report."""
    return Rate(None, round(count / duration) if duration > 0 else count, None)
