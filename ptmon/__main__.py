# SPDX-License-Identifier: GPL-2.0-or-later
"""``ptmon`` and ``python -m ptmon``."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress

IGNORED = "--ignored-signals="
"""Before all other arguments: what native/starter has found."""


def started() -> int:
    """What the command ``ptmon`` (native/starter) executes: ``start``, with what it tells of its signals."""
    ignored = None
    if len(sys.argv) > 1 and sys.argv[1].startswith(IGNORED):
        ignored = int(sys.argv.pop(1).removeprefix(IGNORED), 16)
    with suppress(OSError), open("/proc/self/comm", "wb", buffering=0) as file:
        file.write(b"ptmon")  # who looks for it by name (pgrep) finds it so
    return start(ignored)


def start(ignored: int | None = None) -> int:
    """Runs ptmon and returns its exit status. An interrupt while its parts are loaded ends it without a traceback.

    ``ignored``: the signals that were ignored before Python began, if that is known.
    """
    gc.disable()  # until all is loaded: what is loaded stays
    try:
        from ptmon.cli import main
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        raise
    return main(ignored=ignored)


if __name__ == "__main__":
    sys.exit(start())
