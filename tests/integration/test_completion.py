# SPDX-License-Identifier: GPL-2.0-or-later
"""What shells complete: each is started on a terminal, a line is typed, and the shell says what has become of it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ptmon.completion import FILES
from ptmon.manual import page
from ptmon.options import BY_FLAG
from tests.support import DEADLINE, PTMON

ASK = "\x18\x14"
"""Ctrl-X Ctrl-T: has the shell tell its line."""
AGAIN = 1.0
"""Seconds. What is typed while a shell takes the terminal for its next line may be thrown away."""
START = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}
SET_UP = {
    "bash": """
bind 'set bell-style none'; bind 'set enable-bracketed-paste off'
tell() {{ printf '%s' "$READLINE_LINE" >{out}.new; mv {out}.new {out}; }}
bind -x '"\\C-x\\C-t": tell'
. {script}
""",
    "zsh": """
autoload -Uz compinit && compinit -D -u
unsetopt beep
tell() {{ printf '%s' "$BUFFER" >{out}.new; mv {out}.new {out}; }}
zle -N tell; bindkey '^X^T' tell
. {script}
""",
    "fish": """
function tell; printf '%s' (commandline) >{out}.new; mv {out}.new {out}; end
bind \\cx\\ct tell
. {script}
""",
}


class Shell:
    """A shell on a terminal."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.out = folder / "line"
        script, rc = folder / "completion", folder / "rc"
        script.write_text(printed(name))
        rc.write_text(SET_UP[name].format(out=self.out, script=script))
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
            os.chdir(folder)
            os.execvpe(START[name][0], START[name], environment)
        self.said = b""
        self.told(f". {rc} && : > {folder}/ready\r", folder / "ready")

    def type(self, text: str) -> None:
        os.write(self.terminal, text.encode())

    def completed(self, line: str) -> str:
        """The line after a Tab."""
        self.out.unlink(missing_ok=True)
        self.told(f"\x15{line}\t{ASK}", self.out)
        return self.out.read_text()

    def end(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def told(self, text: str, path: Path) -> None:
        """Types until that file is there, and answers what the shell asks of the terminal."""
        end = time.monotonic() + DEADLINE
        again = 0.0
        while not path.exists():
            now = time.monotonic()
            assert now < end, self.said[-2000:]
            if now >= again:
                self.type(text)
                again = now + AGAIN
            if select.select([self.terminal], [], [], 0.02)[0]:
                got = os.read(self.terminal, 65536)
                self.said += got
                if b"\x1b[c" in got:  # what is the terminal? fish waits for the answer
                    self.type("\x1b[?1;2c")


@pytest.fixture(params=list(FILES))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    shell = Shell(request.param, tmp_path)
    yield shell
    shell.end()


def test_a_shell_completes_options_and_their_values(shell: Shell, tmp_path: Path) -> None:
    assert shell.completed("ptmon --form").rstrip(" =") == "ptmon --format"
    assert shell.completed("ptmon --format su").strip() == "ptmon --format summary"
    assert shell.completed("ptmon --format=su").strip() == "ptmon --format=summary"
    assert shell.completed("ptmon -q --log --log-format dm").strip() == "ptmon -q --log --log-format dmesg"
    (tmp_path / "only-this-one.pem").touch()
    assert shell.completed("ptmon --serve-cert only-th").strip() == "ptmon --serve-cert only-this-one.pem"


def test_a_shell_completes_the_program_and_what_follows_as_without_ptmon(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "only-this-one.txt").touch()
    for before in ("ptmon", "ptmon --", "ptmon --units si -p 7 -q"):
        if before.endswith("-q"):
            assert shell.completed(f"{before} --dem").strip() == f"{before} --demo"
            continue
        assert shell.completed(f"{before} realpa").strip() == f"{before} realpath"
        assert shell.completed(f"{before} cat only-th").strip() == f"{before} cat only-this-one.txt"
        assert shell.completed(f"{before} cat --forma").strip() == f"{before} cat --forma"


def test_a_shell_completes_all_files_of_an_option_that_takes_many(shell: Shell, tmp_path: Path) -> None:
    for name in ("first-one.json", "second-one.json", "third-one.json"):
        (tmp_path / name).touch()
    line = "ptmon --merge first-one.json second-o"
    assert shell.completed(line).strip() == "ptmon --merge first-one.json second-one.json"
    line = "ptmon -q --merge first-one.json second-one.json third-o"
    assert shell.completed(line).strip() == "ptmon -q --merge first-one.json second-one.json third-one.json"
    if shell.name == "zsh":
        return  # whose words for it take the word behind the files for one of them, if it is the last
    line = "ptmon --diff first-one.json second-one.json --form"
    assert shell.completed(line).rstrip(" =") == "ptmon --diff first-one.json second-one.json --format"


def printed(shell: str) -> str:
    words = [*PTMON, "--print-completion", shell]
    return subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=True).stdout


def test_what_is_installed_is_what_is_printed() -> None:
    """Below ``share``, beside the folder of the command."""
    share = Path(sys.executable).parents[1] / "share"
    for shell, name in FILES.items():
        assert (share / name).read_text() == printed(shell), "pip install -e . makes it anew"
    assert (share / "man/man1/ptmon.1").read_text().splitlines()[2:] == page().splitlines()[2:]


@pytest.mark.parametrize("shell", FILES)
def test_every_flag_is_in_every_script(shell: str) -> None:
    script = printed(shell)
    for flag in BY_FLAG:
        word = rf"-[ls] {flag.lstrip('-')}" if shell == "fish" else re.escape(flag)
        assert re.search(rf"(?<![\w-]){word}(?![\w-])", script), flag
