# SPDX-License-Identifier: GPL-2.0-or-later
"""What crosses from an engine to the ledger: frozen records.

Times are seconds since the engine started (a monotonic clock), sizes are payload bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, IntEnum

from ptmon.frozen import dataclass
from ptmon.static import Protocol


class Direction(IntEnum):
    """Which way the bytes of a transfer went. The values are those of ``enum pt_direction``."""

    SENT = 1
    RECEIVED = 2
    PEEKED = 3
    """MSG_PEEK: seen, but left in the queue, so they will be received by a later call."""


class Origin(Enum):
    """How a socket came by its ends. The values stand in the report's sockets as ``direction``."""

    UNKNOWN = "unknown"
    """It was there before ptmon was, or can't be looked at."""
    NONE = "none"
    """It has no peer, and no address that it was bound to."""
    CONNECTED = "connected"
    ACCEPTED = "accepted"
    BOUND = "bound"
    """A datagram socket that was given an address, and has no peer of its own."""
    PAIR = "pair"


class Connected(Enum):
    """What became of a connect, and when that was seen."""

    RETURNED = 0
    """The call has returned; EINPROGRESS: the rest will follow, if it is seen."""
    ESTABLISHED = 1
    """One that was in progress is connected."""
    FAILED = 2
    """It has failed; ``error`` 0: why was not seen."""
    ABANDONED = 3
    """An fd of it was closed while it was in progress."""


class Reason(Enum):
    """Why a report may not be complete. The values stand in the report's warnings."""

    IO_URING = "io_uring"
    AIO = "aio"
    UNREADABLE = "unreadable"
    X32 = "x32"
    UNTRACED = "untraced"
    PTRACE = "ptrace"
    NO_MEMORY = "no_memory"
    DETACHED = "detached"
    UNATTRIBUTED = "unattributed"
    INTERRUPTED = "interrupted"
    FORGED = "forged"
    UNASKED = "unasked"
    CODE = "code"
    TRACED = "traced"
    FORBIDDEN = "forbidden"
    UNATTACHED = "unattached"
    COMPAT = "compat"
    RECORDING = "recording"


class FallbackReason(Enum):
    """Why calls of a process are counted at stops, though counting without stops was asked for."""

    MACHINE = "machine"
    SANDBOX = "sandbox"
    DISPATCH = "dispatch"
    MEMORY = "memory"
    TAKEN = "taken"
    CODE = "code"
    COMPAT = "compat"
    DESCRIPTORS = "descriptors"
    UNREADABLE = "unreadable"
    THREADS = "threads"
    LIMITED = "limited"
    ROOM = "room"
    LEFT = "left"
    PROC = "proc"
    CLOCK = "clock"
    RINGS = "rings"
    UNFOLLOWED = "unfollowed"
    FILTER = "filter"


IN_LIFE = 2**32 - 1
"""``socket`` of transfers on sockets that are told as :class:`Lives`, which have their share of them."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Calls on one socket that ended alike. ``calls`` is 0 where a further peer's share of one call is told."""

    time: float
    pid: int
    tid: int
    syscall: str
    fd: int
    socket: int
    direction: Direction
    calls: int
    bytes: int
    error: int
    """errno of failed calls (``bytes`` is 0 then), or 0."""
    fast: bool = False
    """Counted inside the program, without a stop."""


@dataclass(frozen=True, slots=True)
class Group:
    """Transfers of one second that differ in nothing but their time and their bytes."""

    sum: Transfer
    """As one, with the time of the first."""
    calls: int
    """Of each."""


class Rows(Protocol):
    """Transfers one by one, as an engine keeps them."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Transfer]: ...

    def text(self, frames: Sequence[tuple[str, str, str]]) -> bytes:
        """A text for each: head, the time, middle, the bytes, tail. ``frames`` has these of each group, in ASCII.

        The time is in seconds, rounded to microseconds, as repr() writes it. Raises MemoryError.
        """


@dataclass(frozen=True, slots=True)
class Transfers:
    """Transfers with nothing in between. They come so, for there may be a million a second."""

    groups: tuple[Group, ...]
    """What they come to, which is all that sums want to know."""
    rows: Rows


@dataclass(frozen=True, slots=True)
class Clone:
    """A thread is born; a new process if ``pid == tid``."""

    time: float
    pid: int
    tid: int
    parent: int
    """The pid of the process that made it."""


@dataclass(frozen=True, slots=True)
class Exec:
    """A process begins to run a program, or was found running it when ptmon attached (``attached``)."""

    time: float
    pid: int
    tid: int
    """The thread that called execve; it has become the thread group's leader since."""
    name: str
    executable: str
    argv: tuple[str, ...]
    attached: bool
    parent: int | None
    """The parent's pid where ``attached``; else it was told by the Clone."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A thread is gone; with ``pid == tid`` the whole process."""

    time: float
    pid: int
    tid: int
    name: str
    code: int | None
    signal: int | None


@dataclass(frozen=True, slots=True)
class SocketSeen:
    """A row of the socket table is new, or known better than before (same ``socket``)."""

    time: float
    pid: int
    tid: int
    fd: int
    socket: int
    inode: int
    family: int
    """AF_*, or -1 where it can't be known."""
    type: int
    """SOCK_*."""
    protocol: int
    local: bytes
    """struct sockaddr as the kernel gives it; empty: none."""
    peer: bytes
    opened: float | None = None
    """When the first call on it was seen, whether it moved bytes or connected it; None: not before ``time``."""
    origin: Origin = Origin.UNKNOWN
    connect: float | None = None
    """Seconds that connect took to connect it; None: not known."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A connect has returned, or one that was in progress has come to its end. No bytes are moved by it."""

    time: float
    pid: int
    tid: int
    fd: int
    inode: int
    """0: not known."""
    family: int
    type: int
    protocol: int
    peer: bytes
    """struct sockaddr that the call named; empty where it can't be read."""
    end: Connected
    error: int
    """errno of a connect that failed, or is in progress (EINPROGRESS); or 0."""
    took: float | None
    """Seconds, of the call; of one that was in progress only where its end was seen right then. None: not known."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What was moved on a socket, from which names may be read (ptmon.naming). It is no event, and goes no further."""

    time: float
    pid: int
    tid: int
    socket: int
    inode: int
    family: int
    type: int
    peer: bytes
    """struct sockaddr of the other end."""
    direction: Direction
    moved: int
    """Bytes of this datagram, or of this part of a stream."""
    data: bytes
    """So many of them as were kept."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a call has moved on a socket, or one message of it; beside its Transfer. It is no event, and goes no further
    than to the output that has asked for it."""

    time: float
    pid: int
    tid: int
    syscall: str
    fd: int
    socket: int
    direction: Direction
    """SENT or RECEIVED."""
    moved: int
    """Bytes."""
    data: bytes
    """So many of them as were kept."""
    existed: bool = False
    """The socket was there before ptmon was."""


@dataclass(frozen=True, slots=True)
class Named:
    """The program was told that a name is that of an address, or has told so itself. It is all hearsay."""

    time: float
    pid: int
    tid: int
    address: str
    """Of inet or inet6, without a port."""
    name: str
    """Letters of ASCII, digits, hyphens, underscores and dots."""
    source: str
    """``dns``, ``nscd``, ``resolved``: an answer; ``http``, ``tls``: what the program has called its peer."""
    socket: int | None
    """Of http and tls: the connection's row."""


@dataclass(frozen=True, slots=True)
class TcpCounters:
    """The kernel's own counters of a TCP socket: payload bytes, SYN and FIN taken off."""

    bytes_sent: int
    bytes_received: int
    retransmitted: int
    rtt_us: int
    auditable: bool
    """The socket was seen from its first byte and no call on it was under way when these were read."""


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """An fd of a socket is about to be closed (or its process to exit). Others may share the socket still.

    ``fd`` is -1 where ptmon detaches and the socket stays open.
    """

    time: float
    pid: int
    tid: int
    fd: int
    socket: int
    tcp: TcpCounters | None
    maybe: bool = False
    """It may stay open: read before an execve, which closes what is close-on-exec and may fail."""


LIFE = struct.Struct("=QQQQQQQQQQQQIIIiiiiIBBB28s28s5x")
"""A row of the socket table as bytes: ``struct pt_life``, whose times are nanoseconds of CLOCK_MONOTONIC."""


@dataclass(frozen=True, slots=True)
class Lives:
    """Rows of the socket table that are new, each with what was moved on it and with its close, as far as these came
    soon; and closes of such rows that were told before. It stands for SocketSeen, Transfer and SocketClosed where
    nobody asks for single events, for there may be ten thousand a second.
    """

    rows: Sequence[bytes]
    """As :data:`LIFE` has them."""
    sockets: Sequence[int]
    """Of each row ``socket``, as in SocketSeen."""
    inodes: Sequence[int]
    """And the inode."""
    steps: Sequence[int]
    """In which order they began and ended: 0: the next of the rows; else the socket whose row has its close."""
    start: int
    """When the engine started, in nanoseconds of that clock."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Bytes may be missing from here on, and why."""

    time: float
    pid: int
    reason: Reason
    syscall: str | None
    error: int
    count: int = 1
    """Of a reason that tells of other processes: how many there are by now."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """Calls of a process are counted at stops from here on, or still, and why. Nothing is missing for it."""

    time: float
    pid: int
    reason: FallbackReason
    error: int
    """errno of what the kernel refused, or 0."""


class Verdict(Enum):
    """What became of a place in a program that makes calls, when they were to be counted inside of it."""

    REPLACED = "replaced"
    CHOSEN = "chosen"
    OTHER = "other"
    ANY = "any"
    FOREIGN = "foreign"
    DATA = "data"
    ENTERED = "entered"
    FLAGS = "flags"
    SHORT = "short"
    CHANGED = "changed"
    FULL = "full"
    BUSY = "busy"
    WRITABLE = "writable"
    WITHDRAWN = "withdrawn"
    FELL_BACK = "fell_back"
    EARLY = "early"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Site:
    """An instruction of a process's program that makes system calls, with --fast-explain. It is no event."""

    pid: int
    address: int
    """0: the sum of those beyond the most that are told one by one."""
    file: str
    """Its path; empty where it was mapped from none."""
    offset: int
    """In the file, or in its mapping."""
    numbers: tuple[int, ...]
    """Of the calls that it makes, as far as they are known."""
    more: bool
    """And others."""
    compat: bool
    """They are numbers of the 32-bit ABI."""
    stops: int
    """Calls that have stopped there."""
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Inside:
    """So many calls of a process were counted inside of it, with --fast-explain. It is no event."""

    pid: int
    syscall: str
    calls: int


@dataclass(frozen=True, slots=True)
class Called:
    """A system call as the tracee made it: registers, and the memory that was kept at that stop."""

    number: int
    compat: bool
    """Made by the 32-bit ABI."""
    args: tuple[int, ...]
    """The six registers, as unsigned numbers."""
    memory: tuple[tuple[int, bytes], ...] = ()
    """Address and bytes of what its arguments point to, as far as it was asked for and could be read."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A call that --trace names was entered."""

    time: float
    pid: int
    tid: int
    call: Called


@dataclass(frozen=True, slots=True)
class Returned:
    """A call that --trace names has returned."""

    time: float
    pid: int
    tid: int
    call: Called
    result: int
    """What it returned, or -errno."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A call was refused: it was not made. Or it was only noted (``error`` 0) and made: then nobody gets this but the
    output that has asked for such rules."""

    time: float
    pid: int
    tid: int
    call: Called
    rule: str
    """As the user wrote it; ``hook NAME`` where a hook refused."""
    error: int
    """The errno that the call failed with."""


Single = (
    Transfer
    | Clone
    | Exec
    | Exit
    | SocketSeen
    | SocketClosed
    | Connect
    | Named
    | Incomplete
    | Fallback
    | Entered
    | Returned
    | Denied
)
Record = Single | Transfers | Payload | Content | Lives


def singles(records: Iterable[Record]) -> Iterator[Single]:
    """The same, with each transfer by itself."""
    for record in records:
        if isinstance(record, Transfers):
            yield from record.rows
        elif not isinstance(record, Payload | Content | Lives):
            yield record
