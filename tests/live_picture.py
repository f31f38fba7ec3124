# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws README's picture of --live: ``python -m tests.live_picture docs/live.svg``. It wants tmux and redis.

What is seen on a real terminal, some seconds into a run of redis-benchmark.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.live import LIVE, tmux
from tests.real import free_port, listening, program
from tests.support import tracing

COLUMNS, LINES = 96, 26
SECONDS = 20
"""Of the run, before it is drawn: so that there is something to see in the curves."""
FONT = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
"""Rich's form names a font that is somewhere else; a picture loads nothing."""


def screen(folder: Path) -> str:
    """With its colours, as a terminal is told of them."""
    port = free_port()
    server = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    client = [program("redis-benchmark"), "-h", "localhost", "-p", str(port), "-t", "set,lpush", "-c", "3", "-d", "100"]
    with listening(server, port, folder / "log"), tmux(folder, COLUMNS, LINES) as terminal:
        terminal.type([*tracing("--live"), *client, "-n", "100000000"])
        terminal.seen(LIVE)
        time.sleep(SECONDS)
        drawn = terminal.run("capture-pane", "-e", "-p")
        terminal.press("q")
        terminal.seen("run on")
        terminal.press("k")
        terminal.prompt()
    return drawn


def main(path: Path) -> None:
    from rich._export_format import CONSOLE_SVG_FORMAT

    console = Console(record=True, width=COLUMNS, file=sys.stderr, force_terminal=True, color_system="truecolor")
    with tempfile.TemporaryDirectory() as folder:
        console.print(Text.from_ansi(screen(Path(folder))), end="")
    console.save_svg(str(path), title="ptmon --live", theme=MONOKAI, code_format=FONT.sub("", CONSOLE_SVG_FORMAT))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
