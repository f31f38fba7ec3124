# SPDX-License-Identifier: GPL-2.0-or-later
"""Events as the lines which the kernel modules that ptmon stands in for left in the kernel's log.

What the modules did not log has no line here. Times are seconds since the start, where dmesg has seconds since boot.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ptmon.events import Event
from ptmon.ledger.snapshot import Snapshot
from ptmon.outputs.formats.parts import arguments, call_name
from ptmon.records import Clone, Denied, Direction, Entered, Exec, Exit, Returned, Single, Transfer
from ptmon.report import Header, Report
from ptmon.text import counted, printable

if TYPE_CHECKING:
    from ptmon.decoding import Argument

COMM = 15
"""Bytes of a thread's name (TASK_COMM_LEN without its NUL): a longer program name is cut there."""


class DmesgFormatter:
    """Remembers what each process has moved, for the modules say it when a process exits."""

    def __init__(self) -> None:
        self._moved: dict[int, list[int]] = {}
        """Sent and received of the processes that are alive."""
        self._monitored = False
        self._now = 0.0

    def begin(self, header: Header) -> str:
        lines = ["Traffic module: loaded."]
        named = header.only or (os.path.basename(header.command[0]) if header.command else None)
        if named is not None:
            self._monitored = True
            lines.append(_monitored(named))
        return _stamped(0.0, lines)

    def lines(self, event: Event) -> str:
        record = event.record
        self._now = record.time
        return "" if isinstance(record, Snapshot) else _stamped(record.time, self._told(record))

    def note(self, text: str) -> str:
        return f"{text}\n"

    def dropped(self, count: int) -> str:
        return _stamped(self._now, [f"Traffic module: {counted(count, 'event')} dropped."])

    def end(self, report: Report) -> str:
        """A module that is removed tells no exit, only what was moved by then: of all processes that live on."""
        alive = [process for process in report.processes if process.ended_s is None]
        moved = [sum(process.sent for process in alive), sum(process.received for process in alive)]
        lines = _totals(moved) if alive else []
        return _stamped(report.duration_s, [*lines, "Traffic module: unloaded."])

    def _told(self, record: Single) -> Sequence[str]:
        match record:
            case Transfer():
                return self._transfer(record)
            case Clone():
                if record.pid == record.tid:
                    self._moved[record.pid] = [0, 0]
            case Exec():
                return self._exec(record)
            case Exit() if record.pid == record.tid:
                end = f"Traffic module: process with PID = {record.pid} exited."
                return [end, *_totals(self._moved.pop(record.pid, [0, 0]))]
            case Entered():
                return [f"sys_{call_name(record.call)}() called: {_arguments(record)}".rstrip()]
            case Returned():
                name = call_name(record.call)
                colon = "" if name == "clone" else ":"  # as the module has it
                return [f"sys_{name}() returns{colon} {record.result}"]
            case Denied():
                return [f"sys_{call_name(record.call)}() denied: {printable(record.rule)}"]
        return ()

    def _transfer(self, record: Transfer) -> Sequence[str]:
        if not record.bytes or record.direction is Direction.PEEKED:
            return ()
        moved = self._moved.setdefault(record.pid, [0, 0])
        if record.direction is Direction.SENT:
            moved[0] += record.bytes
            return (f"Traffic module: process sent {record.bytes} bytes.",)
        moved[1] += record.bytes
        return (f"Traffic module: process received {record.bytes} bytes.",)

    def _exec(self, record: Exec) -> Sequence[str]:
        name = program_name(record)
        lines = []
        if not self._monitored:  # an attach: only now is it known what runs there
            self._monitored = True
            lines.append(_monitored(name))
        if not record.attached:
            lines.append(f"Traffic module: program {printable(name)} with PID = {record.pid} executed.")
        return lines


def program_name(record: Exec) -> str:
    """The file name of what is executed: of a script its own, not its interpreter's."""
    name = os.path.basename(record.executable)
    return name if len(os.fsencode(record.name)) >= COMM and name.startswith(record.name) else record.name or name


def _monitored(name: str) -> str:
    return f"Traffic module: program {printable(name)} is monitored."


def _totals(moved: Sequence[int]) -> list[str]:
    sent, received = moved
    return [f"Traffic module: received {received} bytes.", f"Traffic module: sent      {sent} bytes."]


def _arguments(record: Entered) -> str:
    call = record.call
    if call_name(call) == "clone":  # the module's probe saw the first two registers
        return f"clone_flags={call.args[0]:#x} newsp={call.args[1]:#x}"
    return printable(" ".join(f"{argument.name}={_text(argument)}" for argument in arguments(call)))


def _text(argument: Argument) -> str:
    """The module did not quote a string."""
    text = argument.text
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _stamped(moment: float, lines: Sequence[str]) -> str:
    """Each line with its time in front, as dmesg prints it: printk's %5lu.%06lu."""
    micros = round(max(moment, 0.0) * 1e6)
    stamp = f"[{micros // 1_000_000:5d}.{micros % 1_000_000:06d}] "
    return "".join(f"{stamp}{line}\n" for line in lines)
