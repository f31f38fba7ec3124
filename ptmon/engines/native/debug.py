# SPDX-License-Identifier: GPL-2.0-or-later
"""What the C core notes of its own work (struct pt_debug), as lines for who looks for a fault in it.

An entry holds numbers alone: no byte of what is traced gets here.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable, Iterator

from ptmon.engines import Debug
from ptmon.engines.boundary import ffi, lib
from ptmon.engines.native.batches import FALLBACKS
from ptmon.static import Any

KINDS = {
    "stops": lib.PT_DEBUG_STOPS,
    "patch": lib.PT_DEBUG_PATCH,
    "ring": lib.PT_DEBUG_RING,
    "sockets": lib.PT_DEBUG_SOCKETS,
}
UNKNOWN = 2**64 - 1
MEMORY = {
    lib.PT_DEBUG_NEW: "memory for stubs was mapped",
    lib.PT_DEBUG_ADOPTED: "memory for stubs was taken over from an earlier ptmon",
    lib.PT_DEBUG_COPIED: "a fork has copied the memory for stubs",
}
VERDICTS = {
    lib.PT_SITE_CHOSEN: "is to be replaced",
    lib.PT_SITE_ANY: "is left: it makes more than one call, and none of them has stopped",
    lib.PT_SITE_FOREIGN: "is refused: it makes 32-bit calls (int 0x80 or sysenter)",
    lib.PT_SITE_DATA: "is refused: it is most likely no code",
    lib.PT_SITE_ENTERED: "is refused: the code jumps into the middle of what would be replaced",
    lib.PT_SITE_FLAGS: "is refused: behind it flags are read that a stub does not keep",
    lib.PT_SITE_SHORT: "is refused: too few of the instructions around it mean the same elsewhere",
    lib.PT_SITE_CHANGED: "is refused: its bytes are not any more what was looked at",
    lib.PT_SITE_FULL: "is refused: there is no room for another stub",
}
NEXT = {
    lib.PT_DEBUG_IN_HAND: "in hand",
    lib.PT_DEBUG_CONT: "resumed by PTRACE_CONT",
    lib.PT_DEBUG_SYSCALL: "resumed by PTRACE_SYSCALL",
    lib.PT_DEBUG_STEP: "resumed by PTRACE_SINGLESTEP",
    lib.PT_DEBUG_LISTEN: "listening, by PTRACE_LISTEN",
    lib.PT_DEBUG_DETACH: "let go by PTRACE_DETACH",
    lib.PT_DEBUG_STAYS: "stays",
    lib.PT_DEBUG_GONE: "gone",
}
PTRACE_EVENTS = {1: "FORK", 2: "VFORK", 3: "CLONE", 4: "EXEC", 5: "VFORK_DONE", 6: "EXIT", 7: "SECCOMP", 128: "STOP"}
"""ptrace(2): PTRACE_EVENT_*."""
EVENT_STOP = 128
AT_EXIT = 2
BEFORE_CALL = (1, 3)
CALL_STOPS = {1: "syscall-enter-stop", AT_EXIT: "syscall-exit-stop"}
"""By PTRACE_SYSCALL_INFO_* (PTRACE_GET_SYSCALL_INFO)."""


class DebugRing:
    """The memory in which the C core notes its work; it has to live as long as the tracer."""

    def __init__(self, debug: Debug) -> None:
        self._debug = debug
        self.ring: Any = ffi.new("struct pt_debug *")
        self.ring.what = sum(KINDS[kind] for kind in debug.what)

    def freeze(self) -> None:
        """Nothing more is noted: what comes from now on would push out what an error came from."""
        self.ring.what = 0

    def tell(self, start: int) -> None:
        """Tells all that is there; times count from ``start`` (ns, CLOCK_MONOTONIC)."""
        self._debug.tell(list(self._lines(start)))

    def _lines(self, start: int) -> Iterator[str]:
        ring, most = self.ring, lib.PT_DEBUG_ENTRIES
        first = max(ring.count - most, 0)
        if first:
            yield f"{first} older entries were dropped: the last {most} are kept"
        for number in range(first, ring.count):
            entry = ring.entries[number % most]
            yield f"{(entry.time - start) / 1e9:12.6f}  [{entry.tid}]  {self._said(entry)}"

    def _said(self, entry: Any) -> str:
        return SAID[entry.event](self, entry) + (f" ({_errno(entry.error)})" if entry.error else "")

    def call(self, entry: Any) -> str:
        """The name of an entry's call."""
        number = entry.number - 2**64 if entry.number >> 63 else entry.number
        if entry.number == UNKNOWN:
            return "any call"
        return self._debug.name(number, bool(entry.compat)) if number >= 0 else "no call"


def _stop(ring: DebugRing, entry: Any) -> str:
    said = _kernel_word(entry)
    if entry.number != UNKNOWN:
        said += f" {ring.call(entry)}"
    if entry.op == AT_EXIT:
        said += f" = {_result(entry.result)}"
    if entry.address:
        said += f" {'at' if entry.op in BEFORE_CALL else 'before'} {entry.address:#x}"
    return f"{said}: {_next(entry)}"


def _kernel_word(entry: Any) -> str:
    """What the stop is called in ptrace(2)."""
    status: int = entry.status
    if os.WIFEXITED(status):
        return f"exited with status {os.WEXITSTATUS(status)}"
    if os.WIFSIGNALED(status):
        return f"killed by {_signal(os.WTERMSIG(status))}"
    number, event = os.WSTOPSIG(status), status >> 16
    if event == EVENT_STOP and number != signal.SIGTRAP:
        return f"group-stop {_signal(number)}"
    if event:
        return f"PTRACE_EVENT_{PTRACE_EVENTS.get(event, event)}"
    if number == signal.SIGTRAP | 0x80:
        return CALL_STOPS.get(entry.op, "syscall-stop")
    return f"signal-delivery-stop {_signal(number)}"


def _next(entry: Any) -> str:
    return NEXT[entry.next] + (f" with {_signal(entry.signal)}" if entry.signal else "")


def _mapped(ring: DebugRing, entry: Any) -> str:
    return "no memory for stubs" if entry.error else MEMORY[entry.count]


def _code(ring: DebugRing, entry: Any) -> str:
    end = entry.address + entry.length
    return f"code from {entry.address:#x} to {end:#x} was looked at: {counted(entry.count, 'site')}"


def _site(ring: DebugRing, entry: Any) -> str:
    return f"site {entry.address:#x} ({ring.call(entry)}) {VERDICTS[entry.status]}"


def _jumps(ring: DebugRing, entry: Any) -> str:
    return f"{counted(entry.count, 'site')} replaced until now" + ("; this time nothing" if entry.error else "")


def _halt(ring: DebugRing, entry: Any) -> str:
    return "all threads stand" if entry.count else "not all threads could be brought to a stop"


def _later(ring: DebugRing, entry: Any) -> str:
    return f"threads are in the way: the next try is in {entry.count // 1_000_000} ms"


def _free(ring: DebugRing, entry: Any) -> str:
    return "goes on stopping at its calls" if entry.error else "stops at no call any more but where a stub asks"


def _fell_back(ring: DebugRing, entry: Any) -> str:
    return f"falls back to stops: {FALLBACKS[entry.status].value}"


def _withdrawn(ring: DebugRing, entry: Any) -> str:
    return "its own code is back" if entry.count else "its own code can't be put back now: the jumps lead to stops"


def _unmapped(ring: DebugRing, entry: Any) -> str:
    return "the memory for stubs could not be given back" if entry.error else "the memory for stubs is given back"


def _retry(ring: DebugRing, entry: Any) -> str:
    return f"{ring.call(entry)} at {entry.address:#x} is made again, in its stub"


def _drain(ring: DebugRing, entry: Any) -> str:
    said = f"ring {entry.status}: {counted(entry.count, 'record')} from number {entry.number} on"
    return said + (f", {counted(entry.length, 'gap')} left" if entry.length else "")


def _full(ring: DebugRing, entry: Any) -> str:
    return f"ring {entry.status} was full at number {entry.number}: calls stopped"


def _lost(ring: DebugRing, entry: Any) -> str:
    return "the rings can't be read" if entry.error else "the rings hold what no stub has written: they are given up"


def _identified(ring: DebugRing, entry: Any) -> str:
    family, kind = _family(entry.address), _kind(entry.length)
    return f"fd {entry.status} is socket {entry.number}: {family}, {kind}, protocol {entry.count}"


def _learnt(ring: DebugRing, entry: Any) -> str:
    named = "no socket" if entry.number == UNKNOWN else f"socket {entry.number or 'of unknown inode'}"
    return f"fd {entry.status} is known from now on: {named}"


def _closing(ring: DebugRing, entry: Any) -> str:
    some = f"fd {entry.number} is" if entry.number == entry.count else f"fds {entry.number} to {entry.count} are"
    return f"{some} closed or changed: not known any more"


def _audit(ring: DebugRing, entry: Any) -> str:
    kernel = f"the kernel counted {entry.number} B sent, {entry.count} B received"
    return f"audit of fd {entry.status}: {kernel}; ptmon {entry.address} B and {entry.length} B"


SAID: dict[int, Callable[[DebugRing, Any], str]] = {
    lib.PT_DEBUG_STOP: _stop,
    lib.PT_DEBUG_RESUMED: lambda ring, entry: _next(entry),
    lib.PT_DEBUG_OVERTAKEN: lambda ring, entry: "not resumed: SIGKILL has taken it out of that stop",
    lib.PT_DEBUG_MAPPED: _mapped,
    lib.PT_DEBUG_CODE: _code,
    lib.PT_DEBUG_SITE: _site,
    lib.PT_DEBUG_JUMPS: _jumps,
    lib.PT_DEBUG_HALT: _halt,
    lib.PT_DEBUG_LATER: _later,
    lib.PT_DEBUG_FREE: _free,
    lib.PT_DEBUG_FELL_BACK: _fell_back,
    lib.PT_DEBUG_WITHDRAWN: _withdrawn,
    lib.PT_DEBUG_UNMAPPED: _unmapped,
    lib.PT_DEBUG_RETRY: _retry,
    lib.PT_DEBUG_DRAIN: _drain,
    lib.PT_DEBUG_FULL: _full,
    lib.PT_DEBUG_LOST: _lost,
    lib.PT_DEBUG_IDENTIFIED: _identified,
    lib.PT_DEBUG_LEARNT: _learnt,
    lib.PT_DEBUG_CLOSING: _closing,
    lib.PT_DEBUG_AUDIT: _audit,
}


def counted(number: int, noun: str) -> str:
    """``1 site``, ``2 sites``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _result(result: int) -> str:
    return f"-1 {_errno(-result)}" if -4096 < result < 0 else str(result)


def _errno(number: int) -> str:
    return errno.errorcode.get(number, f"errno {number}")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _family(number: int) -> str:
    try:
        return socket.AddressFamily(number).name
    except ValueError:
        return f"family {number}"


def _kind(number: int) -> str:
    try:
        return socket.SocketKind(number).name
    except ValueError:
        return f"type {number}"
