# SPDX-License-Identifier: GPL-2.0-or-later
"""How the view looks: a model -> lines of rich's Text, each as wide as it is told. No markup is ever read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ptmon.live.model import PANELS, SORTS, Model, Row, Table
from ptmon.text import counted, printable, size

BARS = "▁▂▃▄▅▆▇█"
HEAD = 4
"""Lines above the tables."""
LEAST = 3
"""Lines that a panel is worth showing with: on a low terminal some are left out."""
NUMBERS = ("sent", "received", "calls")
NUMBER_WIDTH = 11
MIDDLE_WIDTH = 8
TIME_WIDTH = 8
KEYS = (
    ("s r c t b", "sort by bytes sent, received, calls, time, bytes in all"),
    ("p", "connections one by one, or by the peer's host"),
    ("/", "show only rows with a text in them; Esc shows all again"),
    ("Tab", "one table, or the output, has all of the room; the next"),
    ("↑ ↓ PgUp PgDn", "scroll the program's output"),
    ("Ctrl-C", "to the program, as without ptmon; attached: detach"),
    ("Ctrl-Z", "stop program and view; fg goes on"),
    ("q", "leave: end the program or let it run on; attached: detach"),
)


def head(model: Model, width: int, units: str) -> list[Text]:
    """What runs, since when, totals, rates, and how it is counted: HEAD lines."""
    view = model.view
    if view is None:
        return [_line("ptmon: nothing is counted yet", width), *(Text() for _ in range(HEAD - 1))]
    header, snapshot = view.header, view.snapshot
    verdict = ("complete", "green") if snapshot.complete else ("NOT COMPLETE", "bold red")
    command = printable(" ".join(header.command)) or printable(f"{header.mode} {header.root}")
    elapsed = clock(snapshot.time)
    facts = (
        f"  {elapsed}  {counted(snapshot.processes, 'process', 'processes')}, {counted(snapshot.sockets, 'socket')}  "
    )
    room = max(width - len("ptmon ") - len(facts) - len(verdict[0]), 8)
    if header.command and cell_len(command) > room:  # the path to it is what can be done without
        command = printable(" ".join((os.path.basename(header.command[0]), *header.command[1:])))
    if cell_len(command) > room:
        command = set_cell_size(command, room - 1) + "…"
    top = Text.assemble(("ptmon ", "bold"), (command, "bold cyan"), facts, verdict)
    sent, received = snapshot.totals.sent, snapshot.totals.received
    return [
        _fit(top, width),
        _rate("sent", sent, model.sent, width, units, "green"),
        _rate("received", received, model.received, width, units, "blue"),
        _said(model, width),
    ]


def _said(model: Model, width: int) -> Text:
    warnings = model.warnings()
    if not warnings:
        return _fit(Text(model.counted(), "dim"), width)
    more = f" (and {len(warnings) - 1} more)" if len(warnings) > 1 else ""
    return _fit(Text(f"note: {warnings[-1]}{more}", "yellow"), width)


def _rate(name: str, total: int, samples: Iterable[int], width: int, units: str, style: str) -> Text:
    rates = list(samples)
    told = f"{name:8} {size(total, units):>10}  {size(rates[-1] if rates else 0, units):>10}/s  "
    return _fit(Text.assemble((told, "bold"), (sparkline(rates, width - len(told)), style)), width)


def sparkline(samples: list[int], width: int) -> str:
    """The last ``width`` samples, the highest as high as can be; a second without any bytes is blank."""
    shown = samples[-width:] if width > 0 else []
    most = max(shown, default=0)
    bars = "".join(BARS[(value * len(BARS) - 1) // most] if value else " " for value in shown)
    return bars.rjust(max(width, 0))


def table(model: Model, panel: str, width: int, height: int, units: str) -> list[Text]:
    """One of model.PANELS, in ``height`` lines at most: a heading, and rows."""
    shown = model.table(panel)
    room = max(height - 1, 0)
    hidden = shown.all - min(len(shown.rows), room)
    lines = [_heading(shown, model, hidden, width)]
    lines += [_row(row, width, units) for row in shown.rows[:room]]
    return [*lines, *(Text() for _ in range(height - len(lines)))][: max(height, 1)]


def _columns(width: int) -> tuple[int, int, int, int]:
    """How wide the name is, what stands in the middle, how many numbers there is room for, how wide the time is."""
    numbers = 3 if width >= 45 else 2
    middle = MIDDLE_WIDTH if width >= 55 else 0
    time = TIME_WIDTH if width >= 70 else 0
    return max(width - middle - numbers * NUMBER_WIDTH - time, 1), middle, numbers, time


def _heading(shown: Table, model: Model, hidden: int, width: int) -> Text:
    name, middle, numbers, time = _columns(width)
    title = f"{shown.title} ({hidden:,} more)" if hidden else shown.title
    if model.filter:
        title += f" /{printable(model.filter)}"
    text = Text(set_cell_size(title, name), "bold")
    text.append(f"{shown.middle:>{MIDDLE_WIDTH}}" if middle else "")
    for word in NUMBERS[:numbers]:
        text.append(f"{word:>{NUMBER_WIDTH}}", "underline" if SORTS[model.sort] == word else "")
    if time:
        text.append(f"{shown.seconds:>{time}}", "underline" if model.sort == "t" else "")
    text.stylize("reverse")
    return _fit(text, width)


def _row(row: Row, width: int, units: str) -> Text:
    name, middle, numbers, time = _columns(width)
    label = row.name if cell_len(row.name) < name else set_cell_size(row.name, max(name - 2, 1)) + "…"
    text = Text(set_cell_size(label, name), "dim" if row.over else "")
    text.append(f"{row.middle:>{MIDDLE_WIDTH}}" if middle else "")
    for value in (size(row.sent, units), size(row.received, units), f"{row.calls:,}")[:numbers]:
        text.append(f"{value:>{NUMBER_WIDTH}}")
    if time:
        text.append(f"{clock(row.seconds):>{time}}")
    return _fit(text, width)


def clock(seconds: float) -> str:
    """``0:07``, ``12:34``, ``3:02:01``, ``5d 03:02``: of a fixed form, so that it stands still while it counts."""
    whole = int(seconds)
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86400
    if days:
        return f"{days}d {hours:02}:{minutes:02}"
    if hours:
        return f"{hours}:{minutes:02}:{whole % 60:02}"
    return f"{minutes}:{whole % 60:02}"


def heights(height: int, output: bool, needs: Mapping[str, int], wide: str | None = None) -> dict[str, int]:
    """Lines for each panel and the output, on a terminal that has ``height``, with the head and one line of keys.

    ``needs``: as many as a table has use for; what it leaves is given to others. ``wide``: the one that has all.
    """
    room = max(height - HEAD - 1, 3)
    shares = {"processes": 4, "connections": 5, "calls": 4, "output": 5}
    found = dict.fromkeys(shares, 0)
    if wide is not None and (output or wide != "output"):
        return {**found, wide: room}
    left_out = [] if output else ["output"]
    for name in ("calls", "connections", "output"):  # on a low terminal
        if room < LEAST * (len(shares) - len(left_out)) and name not in left_out:
            left_out.append(name)
    names = [name for name in shares if name not in left_out]
    total = sum(shares[name] for name in names)
    for name in names:
        share = room * shares[name] // total
        found[name] = share if name == "output" else min(share, max(needs.get(name, 0), 2))
    spare = room - sum(found.values())
    for name in reversed(names):
        if name != "output":
            more = min(spare, max(needs.get(name, 0) - found[name], 0))
            found[name] += more
            spare -= more
    found[names[-1]] += spare
    return found


def last_screen(model: Model, width: int, units: str) -> list[Text]:
    """What stays on the terminal: the head, and of each table what matters most."""
    lines = head(model, width, units)
    for panel in PANELS:
        rows = len(model.table(panel).rows)
        if rows:
            lines += table(model, panel, width, min(rows, 5) + 1, units)
    return lines


def _line(text: str, width: int) -> Text:
    return _fit(Text(text, "bold"), width)


def _fit(text: Text, width: int) -> Text:
    text.truncate(max(width, 1))
    text.no_wrap = True
    return text


def keys(width: int) -> Text:
    """The last line."""
    text = Text(style="dim")
    for key, what in (("s", "ent"), ("r", "eceived"), ("c", "alls"), ("t", "ime"), ("b", "ytes"), ("p", "eers")):
        text.append(key, "bold underline").append(f"{what} ")
    for key, what in (("/", "filter"), ("Tab", "wide"), ("?", "help"), ("q", "leave")):
        text.append(key, "bold").append(f" {what} ")
    return _fit(text, width)
