# SPDX-License-Identifier: GPL-2.0-or-later
"""Two suites may run at once on one machine, or one of them in several processes: they share no port and no name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests import real

ROOT = Path(__file__).parents[2]


def test_no_two_suites_are_given_the_same_port() -> None:
    mine = real.free_port()
    code = f"""
import itertools, random
from tests import real
ports = itertools.count({mine})
random.randrange = lambda low, high: next(ports)
print(real.free_port(), real.free_port())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = map(int, done.stdout.split())
    assert mine < first < second, "those are taken, though nobody listens there yet"


def test_no_file_of_the_tests_names_a_place_outside_of_their_folders() -> None:
    """A file or FIFO of a fixed name would be another suite's, too."""
    made = re.compile(r"""(open|mkfifo|mkdir|Path|bind)\(f?["']/(tmp|var/tmp|dev/shm|run)/""")
    files = [path for path in (ROOT / "tests").rglob("*.*") if path.suffix in (".py", ".c", ".h", ".js", ".go")]
    assert [path.name for path in files if path != Path(__file__) and made.search(path.read_text())] == []
