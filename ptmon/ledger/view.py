# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger while it counts, with all of its rows: for who shows a part of them again and again."""

from __future__ import annotations

from collections.abc import Callable

from ptmon.frozen import dataclass
from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.socket_tally import SocketTally
from ptmon.ledger.tallies import ProcessTally, SyscallTally
from ptmon.report import Header, Notice, PathReport


@dataclass(frozen=True, slots=True)
class View:
    """The ledger at an instant, made in no time: the rows are the ledger's own and go on counting.

    So they are read, and never kept for long or changed; each of their numbers is true when it is read.
    """

    header: Header
    snapshot: Snapshot
    path: PathReport | None
    """None: not known."""
    processes: tuple[ProcessTally, ...]
    sockets: tuple[SocketTally, ...]
    syscalls: tuple[tuple[str, SyscallTally], ...]
    notices: tuple[Notice, ...]
    peer_name: Callable[[SocketTally], str | None]
    """What the program knows the peer of a socket as."""
