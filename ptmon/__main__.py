# SPDX-License-Identifier: GPL-2.0-only
"""``ptmon`` and ``python -m ptmon``."""

from __future__ import annotations

import os
import signal
import sys


def start() -> int:
    """Runs ptmon and returns its exit status. An interrupt while its parts are loaded ends it without a traceback."""
    try:
        from ptmon.cli import main
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        raise
    return main()


if __name__ == "__main__":
    sys.exit(start())
