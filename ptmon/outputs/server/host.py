# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of the event server needs of the server: see hub.Hub."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol, TypeVar

from ptmon.events import Event
from ptmon.outputs.formats import Formatter
from ptmon.outputs.server.lines import Teller
from ptmon.report import Header

Client = TypeVar("Client", contravariant=True)
"""client.Client, which stands above: what the server does with its clients is no matter of this file."""


class Host(Protocol[Client]):
    """What a client needs of the server."""

    token: bytes | None
    header: Header | None
    """None until the program runs."""
    teller: Teller

    def is_full(self) -> bool: ...
    def refusal(self) -> str: ...
    def admit(self, client: Client) -> bool:
        """Whether there is room for it."""

    def joined(self, client: Client) -> None:
        """From now on it gets events."""

    def leaves(self, client: Client) -> bool:
        """It has had its last lines. False: there is no room for one that has yet to take them."""

    def gone(self, client: Client) -> None: ...
    def formatter(self, name: str) -> Formatter: ...
    def snapshot(self) -> Event | None:
        """The totals now; None before the start."""


class Stage(Enum):
    """Of a client's life."""

    COMING = auto()
    """It has a connection, and yet to give the token."""
    ADMITTED = auto()
    JOINED = auto()
    LEAVING = auto()
    GONE = auto()
