# SPDX-License-Identifier: GPL-2.0-or-later
"""What shells complete, made from the table of options: a file here for each shell.

None of them is made by a library: those know of argparse's command lines, where options may stand behind the program.
"""

from __future__ import annotations

from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {
    "bash": "bash-completion/completions/ptmon",
    "zsh": "zsh/site-functions/_ptmon",
    "fish": "fish/vendor_completions.d/ptmon.fish",
}
"""Where each shell looks for it, below ``share``."""


def script(shell: str) -> str:
    """The completion for ``shell``, one of FILES."""
    made: Callable[[], str] = __import__(f"ptmon.completion.{shell}", fromlist=["script"]).script
    return made()
