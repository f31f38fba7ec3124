# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of the event server can say: help, format NAME, snapshot, done. Else it is shown."""

from __future__ import annotations

from typing import Protocol

from ptmon.formats import EVENTS
from ptmon.outputs.server.lines import Line, Voice

FORMATS = tuple(name for name, row in EVENTS.items() if row.clients is not None)
"""Those that can be taken up anywhere in the stream; the first is what a client gets that asks for none."""
HELP = (
    "ptmon: help: these lines",
    *(f"ptmon: format {name}: from now on, {EVENTS[name].clients}" for name in FORMATS),
    "ptmon: snapshot: the totals now",
    "ptmon: done: the connection ends, the program runs on",
    "ptmon: any other line is shown on ptmon's stderr",
)
FAREWELL = "Connection closed... See you again"


class Speaker(Protocol):
    """What a command can do with the client that gives it: see client.Client."""

    voice: Voice

    def join(self) -> None: ...
    def leave(self, lines: str) -> None: ...
    def answer(self, lines: str) -> None: ...
    def choose(self, name: str) -> None: ...
    def note(self, text: str) -> str: ...
    def totals(self) -> str | None: ...


def obey(client: Speaker, line: Line, now: float) -> None:
    """Does what a line from an admitted client says; the server's clock says ``now``."""
    words = [] if line.cut else line.text.split()
    match words:
        case ["done"]:
            client.join()
            client.leave(client.note(FAREWELL))
        case ["help"]:
            client.join()
            client.answer("".join(map(client.note, HELP)))
        case ["format", name] if name in FORMATS:
            client.choose(name)
            client.join()
        case ["format", name]:
            client.join()
            client.answer(client.note(f"ptmon: there is no format {name}: {' or '.join(FORMATS)}"))
        case ["snapshot"]:
            client.join()
            totals = client.totals()
            client.answer(client.note("ptmon: nothing is counted yet") if totals is None else totals)
        case _:
            client.join()
            client.voice.say(line, now)
