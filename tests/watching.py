# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the native engine in a process of its own and hands back its records: ``python -m tests.watching``.

Settings go in by a pickle on stdin, records come out by a pickle in a file. So a hold is an object of a class of this
file; what it says of the tracees that it was asked about comes back, too.
"""

from __future__ import annotations

import errno
import os
import pickle
import platform
import signal
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ptmon.engines import EngineSettings
from ptmon.engines.native import NativeEngine
from ptmon.records import Called, Record, singles
from ptmon.watches import Answer, Capture, CaptureKind, Condition, Held, Prefix, Rule, Watch
from tests.counting import compiled
from tests.support import DEADLINE, Targets, process_state, status_field, until

PATH = Capture(CaptureKind.STRING, at_entry=True, most=4096)
ARGV = Capture(CaptureKind.STRINGS, at_entry=True, most=256)
Kind = TypeVar("Kind")


@dataclass
class Hold:
    """Lets every call be made. ``seen`` comes back: (tid, number, result or None, what more there is to say)."""

    seen: list[tuple[int, int, int | None, Any]] = field(default_factory=list)

    def __call__(self, held: Held) -> Answer | None:
        answer = self.answer(held)
        return answer if held.result is None else None

    def answer(self, held: Held) -> Answer | None:
        self.seen.append((held.tid, held.call.number, held.result, None))
        return None


@dataclass
class Refuse(Hold):
    """Refuses calls whose first argument is this path; it is read from the tracee's memory."""

    path: str = ""

    def answer(self, held: Held) -> Answer | None:
        if held.result is not None:
            return super().answer(held)
        path = held.read(held.call.args[0], len(self.path) + 1)
        self.seen.append((held.tid, held.call.number, None, path))
        return Answer(-errno.EPERM, "hook refuse") if path == self.path.encode() + b"\0" else None


@dataclass
class Return(Hold):
    """Calls are not made, they return ``value``: all, or those that have this third argument."""

    value: int = 0
    third: int | None = None

    def answer(self, held: Held) -> Answer | None:
        super().answer(held)
        return Answer(self.value) if self.third in (None, held.call.args[2]) else None


@dataclass
class Kill(Hold):
    """Kills whom it is asked about, and answers when the tracee is on its way out of where it was held."""

    def answer(self, held: Held) -> Answer | None:
        os.kill(held.pid, signal.SIGKILL)
        pending = 1 << (signal.SIGKILL - 1)
        until(lambda: not int(status_field(held.tid, "SigPnd"), 16) & pending, "SIGKILL is taken")
        self.seen.append((held.tid, held.call.number, held.result, None))
        return Answer(0, "hook kill")


@dataclass
class Stop(Hold):
    """At the third time it asks the engine, from another thread, to stop counting."""

    engine: NativeEngine | None = None

    def answer(self, held: Held) -> Answer | None:
        super().answer(held)
        if len(self.seen) == 3 and self.engine is not None:
            thread = threading.Thread(target=self.engine.stop)
            thread.start()
            thread.join()
        return None


@dataclass(frozen=True)
class Watched:
    """What came of it."""

    records: list[Record]
    seen: list[tuple[int, int, int | None, Any]]
    code: int | None
    signal: int | None
    lines: list[str]
    """What the target printed."""

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def told(self) -> list[int]:
        """What the target says of its calls: results, or -errno."""
        return [int(line) for line in self.lines]


def watch(settings: EngineSettings, **keywords: Any) -> Watched:
    """Traces ``settings.command`` to its end."""
    done = subprocess.run(
        DRIVER, input=pickle.dumps((settings, None)), capture_output=True, timeout=DEADLINE, **keywords
    )
    assert done.returncode == 0, done.stderr.decode()
    return _watched(done.stdout, b"")


def watch_attached(settings: EngineSettings, *words: str | Path) -> Watched:
    """Attaches to a ``watched -w``, sets it to work, and traces it to its end, or until the engine lets it go."""
    with subprocess.Popen([*map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
        assert target.stdin is not None and target.stdout is not None
        assert target.stdout.readline() == b"ready\n"
        go = target.stdin.fileno()
        pickled = pickle.dumps((replace(settings, attach=(target.pid,)), go))
        done = subprocess.run(DRIVER, input=pickled, capture_output=True, timeout=DEADLINE, pass_fds=(go,))
        assert done.returncode == 0, done.stderr.decode()
        return _watched(done.stdout, target.communicate(timeout=DEADLINE)[0])


DRIVER = [sys.executable, "-m", "tests.watching"]
MARK = b"\0records\0"


def _watched(answer: bytes, by_target: bytes) -> Watched:
    printed, pickled = answer.split(MARK)
    records, seen, code, ended_by = pickle.loads(pickled)
    return Watched(records, seen, code, ended_by, (printed + by_target).decode().splitlines())


def main() -> None:
    settings, go = pickle.load(sys.stdin.buffer)
    records: list[Record] = []
    with NativeEngine(settings) as engine:
        if hasattr(settings.hold, "engine"):  # of tests.watching, which is not this __main__
            settings.hold.engine = engine
        for batch in engine:
            records += singles(batch)
            # It sleeps again: the stop by which it was attached is over.
            if go is not None and process_state(engine.root) == "S":
                os.write(go, b"go\n")
                go = None
    ended = engine.exit
    answer = (records, getattr(settings.hold, "seen", []), ended and ended.code, ended and ended.signal)
    os.write(1, MARK + pickle.dumps(answer))


def telling(number: int, *captures: Capture, compat: bool = False, hold: bool = False) -> Watch:
    """A watch that tells of a call."""
    return Watch(number, compat, True, hold, captures)


def holding(number: int) -> Watch:
    """A watch that holds a call, and does not tell of it."""
    return Watch(number, False, False, True)


def string(call: Called, argument: int) -> bytes:
    """The string that was kept of what an argument points to, without its NUL."""
    memory = dict(call.memory)[call.args[argument]]
    assert memory.endswith(b"\0")
    return memory[:-1]


def strings(call: Called, argument: int) -> list[bytes]:
    """The same of an array of strings."""
    memory = dict(call.memory)
    layout = "=I" if call.compat else "=Q"
    pointers = [pointer for (pointer,) in struct.iter_unpack(layout, memory[call.args[argument]])]
    assert pointers.pop() == 0
    return [memory[pointer].removesuffix(b"\0") for pointer in pointers]


X86 = platform.machine() == "x86_64"
NUMBERS = {
    "x86_64": (0, 1, 41, 42, 44, 46, 307, 51, 56, 59, 110, 231, 257, 435),
    "aarch64": (63, 64, 198, 203, 206, 211, 269, 204, 220, 221, 173, 94, 56, 435),
}
(
    READ, WRITE, SOCKET, CONNECT, SENDTO, SENDMSG, SENDMMSG, GETSOCKNAME, CLONE, EXECVE, GETPPID, EXIT_GROUP, OPENAT,
    CLONE3,
) = NUMBERS[platform.machine()]  # fmt: skip
COMPAT = {SOCKET: 359, CONNECT: 362, SENDTO: 369, SENDMSG: 370, SENDMMSG: 345, OPENAT: 295, EXECVE: 11, GETPPID: 64}
"""The numbers of the i386 table."""
MOST = 128


class Run:
    """``run("openat", path, watches=...)`` traces watched.c with and without the seccomp filter, native or i386."""

    def __init__(self, targets: Targets, seccomp: str, flags: tuple[str, ...]) -> None:
        self.targets, self.seccomp, self.flags = targets, seccomp, flags
        self.compat = bool(flags)

    def __call__(self, *words: str, **settings: Any) -> Watched:
        command = (str(compiled(self.targets, "watched", self.flags)), *words)
        settings = {"command": command, "seccomp": self.seccomp, "every_call": True, **settings}
        return watch(EngineSettings(**settings))

    def number(self, native: int) -> int:
        return COMPAT[native] if self.compat else native

    def telling(self, native: int, *captures: Capture, **keywords: Any) -> Watch:
        return telling(self.number(native), *captures, compat=self.compat, **keywords)

    def rule(self, native: int, text: str = "rule", error: int = errno.EACCES, **keywords: Any) -> Rule:
        return Rule(text, self.number(native), self.compat, error, **keywords)


def private(*texts: str) -> tuple[Prefix, ...]:
    """Prefixes of IPv4, as ``127.0.0.0/8``."""
    pairs = [text.split("/") for text in texts]
    return tuple(Prefix(socket.AF_INET, socket.inet_aton(address), int(bits)) for address, bits in pairs)


def outside(run: Run, native: int, condition: Condition, argument: int) -> Rule:
    """Refuses what is not sent to the loopback."""
    facts: dict[str, Any] = {"condition": condition, "argument": argument, "outside": True}
    return run.rule(native, f"{native}:global", prefixes=private("127.0.0.0/8"), **facts)


if __name__ == "__main__":
    main()
