# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of --live share: a terminal that shows what a person would see, by tmux."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import until

PROMPT = "shell> "
LIVE = "/ filter Tab"
"""In the view's last line."""
WRITES = "of [bold]many"
"""What onscreen writes all the time."""


class Tmux:
    """A shell in a terminal of its own, on a tmux server of its own."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "tmux"

    def run(self, *words: str | Path) -> str:
        command = ["tmux", "-S", str(self._socket), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def screen(self) -> str:
        """What is to be seen now."""
        return self.run("capture-pane", "-p")

    def all(self) -> str:
        """That, and what has scrolled by; long lines in one."""
        return self.run("capture-pane", "-p", "-J", "-S", "-")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: q, Tab, C-c, Escape."""
        self.run("send-keys", *keys)

    def type(self, command: Sequence[str | Path], *, shell: str = "") -> None:
        """A command line, and Enter. ``shell``: what the shell is to read behind it as it stands."""
        self.run("send-keys", "-l", f"{shlex.join(map(str, command))} {shell}")
        self.press("Enter")

    def seen(self, what: str | Callable[[str], object]) -> str:
        """Waits until the screen has that text, or is as ``what`` wants it; returns the screen."""

        def look() -> str:
            screen = self.screen()
            return screen if (what in screen if isinstance(what, str) else what(screen)) else ""

        try:
            return str(until(look, f"{what} on the screen"))
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.screen()}") from None

    def prompt(self) -> str:
        """Waits until the shell is ready; returns the screen."""
        return self.seen(lambda screen: screen.rstrip().endswith(PROMPT.strip()))


@contextmanager
def tmux(folder: Path, columns: int, lines: int) -> Iterator[Tmux]:
    """A terminal of that size; the test is skipped where there is no tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux, which shows what is on a terminal")
    terminal = Tmux(folder)
    shell = f"env -u NO_COLOR PS1={shlex.quote(PROMPT)} bash --norc --noprofile"
    size = ("-x", str(columns), "-y", str(lines))
    # SHELL runs the command; without it tmux takes the user's own, which for nobody is nologin.
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"}
    (folder / "tmux.conf").write_text("set -g history-limit 50000\n")
    words = ["tmux", "-S", str(folder / "tmux"), "-f", str(folder / "tmux.conf"), "new-session", "-d", *size, shell]
    subprocess.run(words, env=environment, check=True)
    try:
        terminal.prompt()
        yield terminal
    finally:
        subprocess.run(["tmux", "-S", str(folder / "tmux"), "kill-server"], capture_output=True)  # it may be gone


def number(screen: str, pattern: str) -> float:
    """The number of bytes that follows ``pattern``."""
    match = re.search(pattern + r"\s+([\d.]+) (B|KiB|MiB|GiB)", screen, re.M)
    return float(match[1]) * 1024 ** ("B", "KiB", "MiB", "GiB").index(match[2]) if match else 0.0


def assert_terminal_as_before(terminal: Tmux) -> None:
    """Cooked, with echo, on the first screen, with a cursor."""
    terminal.prompt()
    terminal.type(["stty", "-a"], shell="| grep -oE -- '-?(icanon|echo|isig|ixon)\\b' | paste -sd,")
    terminal.seen(lambda screen: re.search(r"^isig,icanon,echo|^ixon,isig,icanon,echo", screen, re.M))
    assert terminal.run("display", "-p", "#{alternate_on}#{cursor_flag}").strip() == "01"
