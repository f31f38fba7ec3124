# SPDX-License-Identifier: GPL-2.0-or-later
"""The last screen, as text that stays on the terminal."""

from __future__ import annotations

import io
import os

from rich.console import Console

from ptmon.live import picture
from ptmon.live.model import Model


def last_screen(model: Model, width: int, units: str) -> str:
    """It has an empty line behind it."""
    file = io.StringIO()
    no_color = bool(os.environ.get("NO_COLOR"))
    console = Console(file=file, width=width, force_terminal=True, color_system="standard", no_color=no_color)
    for line in picture.last_screen(model, width, units):
        console.print(line, soft_wrap=True, highlight=False)
    return file.getvalue() + "\n"
