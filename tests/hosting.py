# SPDX-License-Identifier: GPL-2.0-or-later
"""A program of which ptmon is a part: ``python -m tests.hosting TARGET default|ignored|handled|twice``.

The engine runs in a thread. The program has a signal handler, a child of its own and SIGCHLD as it likes, and says in
JSON what became of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from ptmon.engines import EngineSettings
from ptmon.engines.native import NativeEngine
from ptmon.records import Transfer, singles
from tests.support import DEADLINE


class Guest(threading.Thread):
    """Traces a program in a thread."""

    def __init__(self, *command: str) -> None:
        super().__init__()
        self.settings = EngineSettings(command=command, guest=True, every_call=True)
        self.go = threading.Event()
        self.begun = threading.Event()
        self.bytes = 0
        self.code: int | None = None
        self.batches = 0

    def run(self) -> None:
        with NativeEngine(self.settings) as engine:
            self.begun.set()
            self.go.wait(DEADLINE)
            for batch in engine:
                self.batches += 1
                self.bytes += sum(record.bytes for record in singles(batch) if isinstance(record, Transfer))
        if engine.exit is not None:
            self.code = engine.exit.code


def main() -> None:
    target, kind = sys.argv[1:]
    caught: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
    if kind == "ignored":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    elif kind == "handled":
        signal.signal(signal.SIGCHLD, lambda number, frame: caught.append(number))
    before = [signal.getsignal(number) for number in range(1, 32)]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    child = None if kind == "ignored" else subprocess.Popen(["sh", "-c", "exit 5"])
    guests = [Guest(target, "pair")]
    if kind == "twice":
        guests.append(Guest("sleep", "1"))  # it is ticked when the first one has gone
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.begun.wait(DEADLINE)
    os.kill(os.getpid(), signal.SIGUSR1)
    signalled = signal.SIGUSR1 in caught
    for guest in guests:
        guest.go.set()
        guest.join(DEADLINE)
    said: dict[str, Any] = {
        "codes": [guest.code for guest in guests],
        "bytes": [guest.bytes for guest in guests],
        "batches": [guest.batches for guest in guests],
        "signalled": signalled,
        "same": [signal.getsignal(number) for number in range(1, 32)] == before,
        "mask": signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask,
        "child": child and child.wait(DEADLINE),
        "chld": signal.SIGCHLD in caught,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
