# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of --capture."""

from __future__ import annotations

from datetime import datetime

from ptmon import addresses
from ptmon.outputs.private import PrivateFile
from ptmon.packets import pcapng
from ptmon.packets.talks import Talk
from ptmon.records import Content, Direction
from ptmon.report import Header
from ptmon.text import printable
from ptmon.version import __version__

_SECOND = 1_000_000_000


class PacketFile:
    """Writes what a call has moved at once, so that the file ends with a whole packet at any time."""

    def __init__(self, file: PrivateFile) -> None:
        self.file = file
        self._began = 0
        """Nanoseconds since the epoch."""

    def start(self, header: Header, command: str) -> None:
        """The program runs."""
        self.file.start(header.root)
        began = datetime.fromisoformat(header.started)
        self._began = int(began.timestamp()) * _SECOND + began.microsecond * 1000
        about = printable(command) or f"process {header.root}"
        self.file.write(pcapng.section(f"ptmon {__version__}", about) + pcapng.interface("ptmon", about))

    def write(self, record: Content, talk: Talk, begins: bool, name: str) -> None:
        """What a call has moved; ``begins``: it is the first of its talk."""
        if not self.file.is_open or (talk.is_stream and not record.moved):
            return
        time = self._time(record.time)
        blocks = []
        if begins:
            comment = f"made up: the connection {_shown(talk)}"
            for way, packet in talk.begin():
                sent = way is Direction.SENT
                blocks.append(pcapng.packet(time, packet.data, packet.length, sent=sent, comment=comment))
        comment = f"{record.pid}/{record.tid} {name} {record.syscall} fd {record.fd}"
        if talk.made_up:
            comment = f"{comment}, {_shown(talk)}"
        sent = record.direction is Direction.SENT
        for packet in talk.move(record.direction, record.data, record.moved):
            blocks.append(pcapng.packet(time, packet.data, packet.length, sent=sent, comment=comment))
        self.file.write(b"".join(blocks))

    def end(self, time: float, talk: Talk) -> None:
        """Nobody has that socket any more."""
        if talk.is_stream:
            packet = talk.end()
            comment = f"made up: closed {_shown(talk)}"
            self.file.write(pcapng.packet(self._time(time), packet.data, packet.length, sent=True, comment=comment))

    def _time(self, time: float) -> int:
        return self._began + round(time * _SECOND)


def _shown(talk: Talk) -> str:
    """The socket, as the program has it."""
    seen = talk.seen
    ends = (addresses.address_text(address) or "?" for address in (seen.local, seen.peer))
    return f"{addresses.family_name(seen.family)} {addresses.type_name(seen.type)} {printable(' - '.join(ends))}"
