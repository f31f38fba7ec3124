# SPDX-License-Identifier: GPL-2.0-or-later
"""What the reference engine tells of its own work, where ``settings.narrate`` wants to hear it (--explain)."""

from __future__ import annotations

import platform

from ptmon.engines import Act, EngineSettings
from ptmon.engines.boundary import Call
from ptmon.engines.reference.starting import ptrace
from ptmon.records import Direction, Record, Transfer

X86 = platform.machine() == "x86_64"
ARGUMENTS = {False: ("rdi", "rsi", "rdx", "r10", "r8", "r9"), True: ("rbx", "rcx", "rdx", "rsi", "rdi", "rbp")}
"""The registers of the six arguments, of the native and of the i386 ABI: syscall(2)."""


class Acts:
    """Hands acts on to who narrates; does nothing, and costs nothing, if nobody does."""

    def __init__(self, settings: EngineSettings) -> None:
        self._narrate = settings.narrate
        self._seen = 0
        """Records of the journal that were told already."""

    def tell(self, kind: str, pid: int, number: int = 0, value: int = 0) -> None:
        """One act."""
        if self._narrate is not None:
            self._narrate(Act(kind, pid, number, value))

    def call(self, pid: int, call: Call, *, sockets: bool) -> None:
        """A syscall-stop, with the registers as they are. ``sockets``: the call may move bytes over one."""
        if self._narrate is None:
            return
        kind, value = ("exit", call.result) if call.at_exit else ("entry", 0)
        shown = tuple(_registers(pid, call))
        self._narrate(Act(kind, pid, call.number, value, compat=call.compat, sockets=sockets, registers=shown))

    def counted(self, records: list[Record]) -> None:
        """What of the journal is new, and moves bytes."""
        if self._narrate is None:
            return
        for record in records[self._seen :]:
            if isinstance(record, Transfer) and record.bytes:
                ways = {Direction.SENT: "sent", Direction.RECEIVED: "received", Direction.PEEKED: "peeked"}
                what = (record.pid, record.fd, record.bytes)
                self._narrate(Act("count", *what, name=record.syscall, way=ways[record.direction]))
        self._seen = len(records)

    def taken(self) -> None:
        """The journal begins anew."""
        self._seen = 0


def _registers(pid: int, call: Call) -> list[tuple[str, int]]:
    """Those that matter, by PTRACE_GETREGS, as signed numbers where they may be an errno."""
    if not X86:
        if call.at_exit:
            return [("x0", call.result)]
        return [("x8", call.number), *((f"x{index}", value) for index, value in enumerate(call.args))]
    regs = ptrace.ptrace_getregs(pid)
    names = ("orig_rax", "rax", "rip") if call.at_exit else ("orig_rax", "rax", *ARGUMENTS[call.compat], "rip")
    return [(name, _signed(getattr(regs, name)) if name == "rax" else getattr(regs, name)) for name in names]


def _signed(word: int) -> int:
    return word - (1 << 64) if word >> 63 else word
