# SPDX-License-Identifier: GPL-2.0-only
"""What a client of the event server can say: help, format text, format jsonl, snapshot, done. Else it is shown."""

from __future__ import annotations

from typing import Protocol

from ptmon.outputs.server.lines import Line, Voice

FORMATS = ("text", "jsonl")
"""Those that can be taken up anywhere in the stream; the totals that dmesg tells want all events from the first on."""
HELP = (
    "ptmon: help: these lines",
    "ptmon: format text: from now on, events for people",
    "ptmon: format jsonl: from now on, events for programs, a JSON object a line",
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
