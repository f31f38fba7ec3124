# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: events.py N [LENGTH]

A source of events: waits for a line on stdin, or for its end, and prints N lines, of so many bytes at least.
"""

import signal
import sys

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # where nobody reads any more it ends without a word
length = int(sys.argv[2]) if len(sys.argv) > 2 else 0
sys.stdin.readline()
for number in range(1, int(sys.argv[1]) + 1):
    print(f"event {number}".ljust(length, "."))
