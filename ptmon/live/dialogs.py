# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands over the view for a while: the keys, and the question what is to become of the program."""

from __future__ import annotations

from enum import Enum, auto
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from ptmon.live.picture import KEYS

BOX = """
{name} {{ align: center middle; background: transparent; }}
{name} Static {{ width: 76; max-width: 100%; height: auto; border: round ansi_default; padding: 0 1; }}
"""


class Answer(Enum):
    """What is to become of the program."""

    STAY = auto()
    RUN_ON = auto()
    END = auto()
    KILL = auto()


class Help(ModalScreen[None]):
    """The keys."""

    CSS = BOX.format(name="Help")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,h,q,enter,space", "dismiss")]

    def compose(self) -> ComposeResult:
        lines = [f"{key:15}{text}" for key, text in KEYS]
        yield Static(Text("\n".join([*lines, "", "Esc goes back to the view"])), markup=False)


class Leave(ModalScreen[Answer]):
    """The program still runs."""

    CSS = BOX.format(name="Leave")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "answer('END')"),
        Binding("k", "answer('KILL')"),
        Binding("r", "answer('RUN_ON')"),
        Binding("escape,q,n", "answer('STAY')"),
    ]

    def compose(self) -> ComposeResult:
        lines = (
            "The program still runs.",
            "",
            "e    end it (SIGTERM)",
            "k    kill it (SIGKILL)",
            "r    leave the view and let it run on; the report comes at its end",
            "Esc  stay",
        )
        yield Static(Text("\n".join(lines)), markup=False)

    def action_answer(self, name: str) -> None:
        self.dismiss(Answer[name])
