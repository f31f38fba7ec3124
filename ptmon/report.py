# SPDX-License-Identifier: GPL-2.0-or-later
"""The report ``ptmon.report/1`` and the snapshot: frozen, ready for an output. ``report.schema.json`` is its schema.

Bytes are payload bytes as the system calls return them; times are seconds since ``started``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ptmon.frozen import dataclass, field
from ptmon.ledger.rates import Rate
from ptmon.static import Any
from ptmon.version import __version__

SCHEMA = "ptmon.report/1"


@dataclass(frozen=True, slots=True)
class Waited:
    """A program that was waited for."""

    name: str
    """As the user wrote it: a file name or a path."""
    attach_delay_s: float
    """The most that can have passed from its execve to the end of the attach. What it moved then is not counted."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known from the start."""

    host: str
    command: tuple[str, ...]
    """Empty for an attach: the report then says the first target's argv."""
    mode: str
    engine: str
    started: str
    """UTC, ISO 8601 with microseconds."""
    root: int
    """pid of the program, or of the first target."""
    ppid: int | None
    """Of a program that ptmon launches: ptmon itself. None for an attach: its record tells."""
    waited: Waited | None = None
    """Where ``mode`` is ``wait``."""
    only: str | None = None
    """The file name of the one program that is counted (--only)."""
    rank: int | None = None
    """Which process of an MPI or batch job ptmon was started as; None: of none."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: one of the two is set."""

    code: int | None
    signal: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the reader of a report has to know. ``pid`` is None where it concerns no process."""

    reason: str
    pid: int | None
    message: str
    source: int | None = None
    """Of a row of a merged report: which of its hosts it is of. None in a report of one run, and where it is of
    several."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all processes."""

    sent: int = 0
    received: int = 0
    peeked: int = 0
    calls_sent: int = 0
    calls_received: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class LimitReport:
    """--limit: so many bytes, sent and received together, and whether they were passed."""

    bytes: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes by direction."""

    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class SyscallReport:
    """One system call: its calls on sockets. ``bytes`` are sent or received ones, peeked ones are not in it."""

    calls: int
    errors: int
    bytes: int
    errnos: Mapping[str, int]
    """By name (EAGAIN), the most frequent first; empty where no call failed."""


@dataclass(frozen=True, slots=True)
class PathReport:
    """The calls that the report counts, by how they were seen."""

    fast: int
    """Inside the program, without stops."""
    stop: int


@dataclass(frozen=True, slots=True)
class FallbackReport:
    """A process whose calls, or some of them, were counted at stops though that was not asked for, and why."""

    pid: int
    reason: str
    """In plain words, to follow ``process 17:``."""
    source: int | None = None
    """As in Notice."""


@dataclass(frozen=True, slots=True)
class SiteReport:
    """An instruction of a process's program that makes system calls, and what became of it (--fast-explain)."""

    pid: int
    file: str
    """Its path; empty where it was mapped from none."""
    offset: int
    """In the file, or in its mapping."""
    address: int
    """Where it was in the process; 0: this row is the sum of many."""
    calls: tuple[str, ...]
    """As far as they are known."""
    stops: int
    """Calls that have stopped there; some of them go back, and are counted inside then."""
    verdict: str
    """``replaced`` by a jump, ``withdrawn`` (so it was; its calls were made to stop again), ``refused`` or ``left``."""
    reason: str | None
    """Why, in plain words; None where it is replaced."""


@dataclass(frozen=True, slots=True)
class InsideReport:
    """Calls of a process that were counted inside of it."""

    pid: int
    syscall: str
    calls: int


@dataclass(frozen=True, slots=True)
class ExplainedReport:
    """Where programs make their calls, and how these were counted."""

    sites: tuple[SiteReport, ...]
    inside: tuple[InsideReport, ...]
    off: bool
    """Nothing was to be counted inside (--fast off)."""


@dataclass(frozen=True, slots=True)
class DeniedReport:
    """Calls that a rule or a hook refused. They were not made."""

    rule: str
    """As the user wrote it; ``hook NAME`` where a hook refused."""
    syscall: str
    errno: str
    """By name: EACCES."""
    calls: int


@dataclass(frozen=True, slots=True)
class PeerReport:
    """What was moved with one peer's address by one transport, at one port of a service."""

    transport: str
    """``tcp``, ``udp``, ``unix stream``."""
    peer_address: str | None
    """Without a port; of unix sockets the name of either end. None: it has none, or it is not known."""
    port: int | None
    """Of the side that was connected to, or bound: of the peer or this one. None: not known, or there are no ports."""
    scope: str
    sockets: int
    sent: int
    received: int
    calls_sent: int
    calls_received: int
    names: tuple[str, ...] = ()
    """What the program was told that its sockets' peers are called, or calls them itself."""


@dataclass(frozen=True, slots=True)
class ConnectReport:
    """Connects to one address, and what became of them: connected + failed + in_progress + abandoned = calls."""

    family: str
    type: str
    protocol: str | None
    peer: str | None
    """None where the address could not be read, and for the sum of what is beyond ``--max-sockets``."""
    peer_address: str | None
    peer_port: int | None
    scope: str
    calls: int
    """A connect that was in progress, and those that asked after it, are one."""
    connected: int
    failed: int
    in_progress: int
    """What became of them was not seen."""
    abandoned: int
    """They were in progress when an fd of their socket was closed."""
    errnos: Mapping[str, int]
    """Of the failed ones, as far as it was seen why; by name, the most frequent first."""
    average_s: float | None
    """How long they took, connected or failed, as far as that is known."""
    longest_s: float | None
    names: tuple[str, ...] = ()
    """All that the program was told the peer's address is called."""


@dataclass(frozen=True, slots=True)
class ThreadReport:
    """One thread."""

    tid: int
    name: str
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class ProcessReport:
    """One process (thread group)."""

    pid: int
    ppid: int | None
    name: str
    argv: tuple[str, ...]
    started_s: float
    ended_s: float | None
    exit: Ended | None
    sent: int
    received: int
    threads: tuple[ThreadReport, ...]
    source: int | None = None
    """As in Notice."""


@dataclass(frozen=True, slots=True)
class TcpReport:
    """The kernel's own counters of a TCP socket when it was closed."""

    bytes_sent: int
    bytes_received: int
    retransmitted: int
    rtt_us: int


@dataclass(frozen=True, slots=True)
class SocketReport:
    """One socket; of a datagram socket without a peer, one of its peers. ``id`` 0: what belongs to no known socket."""

    id: int
    inode: int | None
    family: str
    type: str
    protocol: str | None
    local: str | None
    peer: str | None
    scope: str
    opened_s: float
    closed_s: float | None
    pids: tuple[int, ...]
    sent: int
    received: int
    peeked: int
    calls_sent: int
    calls_received: int
    tcp: TcpReport | None
    audit: str
    """``match``, ``differ`` or ``unavailable``."""
    folded: int = 0
    """Where this row stands for many closed sockets of one peer: how many."""
    direction: str = "unknown"
    """How it came by its ends: ``connected``, ``accepted``, ``bound`` (datagrams), ``pair``, ``none`` of these, or
    ``unknown``."""
    local_address: str | None = None
    """``local`` and ``peer`` in two parts: the address without its port, and the port of inet and inet6."""
    local_port: int | None = None
    peer_address: str | None = None
    peer_port: int | None = None
    connect_s: float | None = None
    """How long connect took to connect it; None: not known, or it was not connected."""
    duration_s: float | None = None
    """From ``opened_s`` to ``closed_s``; None while it is open."""
    peer_name: str | None = None
    """What the program has called the peer (HTTP, TLS), or the name that it was told last before it was opened."""
    source: int | None = None
    """As in Notice."""

    def to_json(self) -> dict[str, Any]:
        document = _sourced(self)
        document["tcp"] = None if self.tcp is None else _shallow(self.tcp)
        if not self.folded:
            del document["folded"]
        return document


class SocketRows(Sequence[SocketReport]):
    """Rows that are made when somebody goes through them: who does it once, as who writes them to a file one by one,
    needs no room for all. From the second time on they are kept.
    """

    def __init__(self, make: Callable[[], Iterator[SocketReport]], count: int) -> None:
        """``make``: makes them, the same ones each time."""
        self._make = make
        self._count = count
        self._asked = False
        self._kept: tuple[SocketReport, ...] | None = None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[SocketReport]:
        if not self._asked:
            self._asked = True
            return self._make()
        return iter(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return self._all() == tuple(other) if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self._all(),)

    def _all(self) -> tuple[SocketReport, ...]:
        if self._kept is None:
            self._kept = tuple(self._make())
        return self._kept


@dataclass(frozen=True, slots=True)
class HostReport:
    """A run that a merged report has taken up: what happened on one host, in one rank."""

    host: str
    rank: int | None
    file: str
    """Whose report or recording it was, as the user named it."""
    command: tuple[str, ...]
    started: str
    duration_s: float
    exit: Ended | None
    complete: bool
    totals: Totals

    @property
    def label(self) -> str:
        """``node1``, ``node1 rank 3``."""
        return self.host if self.rank is None else f"{self.host} rank {self.rank}"

    def to_json(self) -> dict[str, Any]:
        document = _shallow(self)
        return {**document, "exit": self.exit and _shallow(self.exit), "totals": _shallow(self.totals)}


@dataclass(frozen=True, slots=True)
class Report:
    """The ledger at the end; or many of them, merged."""

    header: Header
    command: tuple[str, ...]
    duration_s: float
    exit: Ended | None
    complete: bool
    warnings: tuple[Notice, ...]
    totals: Totals
    by_family: Mapping[str, Bytes]
    by_scope: Mapping[str, Bytes]
    by_syscall: Mapping[str, SyscallReport]
    rates: Mapping[str, Rate]
    path: PathReport
    fallbacks: tuple[FallbackReport, ...]
    denied: tuple[DeniedReport, ...]
    processes: tuple[ProcessReport, ...]
    sockets: Sequence[SocketReport] = field(repr=False)
    limit: LimitReport | None = None
    explained: ExplainedReport | None = field(default=None, repr=False)
    """With --fast-explain."""
    by_peer: tuple[PeerReport, ...] = field(default=(), repr=False)
    connects: tuple[ConnectReport, ...] = field(default=(), repr=False)
    history: tuple[tuple[float, int, int], ...] = field(default=(), repr=False)
    """Seconds since the start, and what was sent and received up to then: where an output shows it over time. It is not
    in the JSON document.
    """
    stdout: bytes | None = field(default=None, repr=False)
    """What the program has written there, where ``ptmon.run`` was to capture it. It is not in the JSON document."""
    stderr: bytes | None = field(default=None, repr=False)
    hosts: tuple[HostReport, ...] = field(default=(), repr=False)
    """Of a merged report (``header.mode`` is ``merge``): what it is made of."""

    def label(self, source: int | None) -> str:
        """Of a row's ``source``, for people; empty where there is none."""
        return "" if source is None else self.hosts[source].label

    def items(self) -> Iterator[tuple[str, Any]]:
        """The members of the JSON document in order; those of which there may be many as iterators of their rows."""
        yield "schema", SCHEMA
        yield "ptmon", __version__
        yield "host", self.header.host
        yield "rank", self.header.rank
        yield "command", self.command
        yield "mode", self.header.mode
        if self.header.waited is not None:
            yield "waited", _shallow(self.header.waited)
        yield "engine", self.header.engine
        yield "started", self.header.started
        yield "duration_s", self.duration_s
        yield "exit", self.exit and _shallow(self.exit)
        yield "complete", self.complete
        yield "warnings", [_sourced(warning) for warning in self.warnings]
        yield "totals", _shallow(self.totals)
        if self.hosts:
            yield "hosts", (row.to_json() for row in self.hosts)
        if self.limit is not None:
            yield "limit", _shallow(self.limit)
        yield "by_family", {name: _shallow(row) for name, row in self.by_family.items()}
        yield "by_scope", {name: _shallow(row) for name, row in self.by_scope.items()}
        yield "by_syscall", {name: _syscall(row) for name, row in self.by_syscall.items()}
        yield "by_peer", (_shallow(row) for row in self.by_peer)
        yield "rates", {name: _shallow(rate) for name, rate in self.rates.items()}
        yield "path", _shallow(self.path)
        yield "fallbacks", [_sourced(row) for row in self.fallbacks]
        if self.explained is not None:
            yield "sites", [_shallow(row) for row in self.explained.sites]
            yield "inside", [_shallow(row) for row in self.explained.inside]
        yield "denied", [_shallow(row) for row in self.denied]
        yield "connects", (_shallow(row) for row in self.connects)
        yield "processes", (_process(row) for row in self.processes)
        yield "sockets", (row.to_json() for row in self.sockets)

    def to_json(self) -> dict[str, Any]:
        """The whole document. Large reports are better written member by member: see :meth:`items`."""
        return {name: list(value) if isinstance(value, Iterator) else value for name, value in self.items()}


def seconds(moment: float) -> float:
    """A time as a report says it, to the microsecond."""
    return round(max(moment, 0.0), 6)


def _shallow(row: Any) -> dict[str, Any]:
    """Like dataclasses.asdict, but a hundred times as fast for it copies nothing."""
    return {name: getattr(row, name) for name in row.__slots__}


def _sourced(row: Any) -> dict[str, Any]:
    document = _shallow(row)
    if row.source is None:
        del document["source"]
    return document


def _syscall(row: SyscallReport) -> dict[str, Any]:
    document = _shallow(row)
    if not row.errnos:
        del document["errnos"]
    return document


def _process(row: ProcessReport) -> dict[str, Any]:
    document = _sourced(row)
    document["exit"] = row.exit and _shallow(row.exit)
    document["threads"] = [_shallow(thread) for thread in row.threads]
    return document
