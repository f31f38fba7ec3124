# SPDX-License-Identifier: GPL-2.0-or-later
"""The view as an application of Textual's: keys, panels, and when they are drawn anew. It changes nothing but itself;
whatever else a key asks for is done by its Host.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from typing import Any, ClassVar

from rich.console import Console
from rich.text import Text
from textual.actions import SkipAction
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Resize
from textual.widgets import Input, RichLog, Static

from ptmon.live import picture
from ptmon.live.ansi import Lines
from ptmon.live.dialogs import Answer, Help, Leave
from ptmon.live.host import Host
from ptmon.live.model import PANELS, SORTS, Model

REFRESH_SECONDS = 1.0
FIRST_SECONDS = 0.2
OUTPUT_SECONDS = 0.1
COST_MOST = 0.05
"""The most of the time that may go into drawing, where there are very many rows: then it is drawn less often."""
LINES_KEPT = 5000
"""Lines of the program's output that can be scrolled back to."""


class LiveApp(App[None]):
    """The view."""

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""  # keys are the view's, but while a filter is typed
    CSS = """
    Screen { layout: vertical; overflow: hidden; background: ansi_default; }
    Static, RichLog, Input { background: ansi_default; color: ansi_default; }
    Static { height: 1; width: 1fr; }
    #head { height: 4; }
    #output { width: 1fr; scrollbar-size-vertical: 1; }
    Input { display: none; border: none; height: 1; padding: 0; dock: bottom; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"sort('{key}')") for key in SORTS),
        Binding("p", "peers"),
        Binding("slash", "search", priority=True),  # the letters behind it may have come with it
        Binding("escape", "all"),
        Binding("tab", "widen", priority=True),
        Binding("question_mark,h", "help"),
        Binding("q", "ask"),
        Binding("ctrl+q", "ask", priority=True),
        Binding("ctrl+c", "interrupt", priority=True),
        Binding("ctrl+z", "stop", priority=True),
        Binding("up", "scroll(-1)"),
        Binding("down", "scroll(1)"),
        Binding("pageup", "scroll(-10)"),
        Binding("pagedown", "scroll(10)"),
    ]

    def __init__(self, host: Host, model: Model, units: str, driver: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver, ansi_color=True)
        # What others print is no affair of Textual's, which would swallow it; and its tracebacks are none of theirs.
        self._capture_stdout = sys.stdout  # type: ignore[assignment]
        self._capture_stderr = sys.stderr  # type: ignore[assignment]
        self.error_console = Console(file=io.StringIO())
        self.host = host
        self.model = model
        self.units = units
        self.failure: Exception | None = None
        self._loop_here: asyncio.AbstractEventLoop | None = None
        self._over = False
        self._wide: str | None = None
        self._lines = Lines(LINES_KEPT)
        self._needs = dict.fromkeys(PANELS, 0)
        """The most lines that a table has had use for: it keeps them, so that nothing jumps."""

    def compose(self) -> ComposeResult:
        for name in ("head", *PANELS):
            yield Static(id=name, markup=False)
        log = RichLog(id="output", max_lines=LINES_KEPT, wrap=True, markup=False, highlight=False, min_width=20)
        log.can_focus = False
        yield log
        yield Static(id="part", markup=False)
        yield Static(id="keys", markup=False)
        yield Input(id="filter", placeholder="text in a row; Enter keeps it, Esc shows all rows")

    def on_mount(self) -> None:
        self._loop_here = asyncio.get_running_loop()
        if self._over:
            self.exit()
            return
        self.set_timer(FIRST_SECONDS, self._refresh_view)
        self.set_interval(OUTPUT_SECONDS, self._refresh_output)
        self._draw()

    def finish(self) -> None:
        """Ends the view, from any thread, before it has begun as well."""
        self._over = True
        if self._loop_here is not None and not self._loop_here.is_closed():
            self._loop_here.call_soon_threadsafe(self.exit)

    def _handle_exception(self, error: Exception) -> None:
        self.failure = error
        super()._handle_exception(error)

    def _refresh_view(self) -> None:
        if not self.screen_stack:
            return  # a timer went off while the view was ending: its screens are gone already
        began = time.monotonic()
        view = self.host.view(self.model.last)
        if view is not None:
            self.model.update(view)
        self._draw()
        self.set_timer(max(REFRESH_SECONDS, (time.monotonic() - began) / COST_MOST), self._refresh_view)

    def _refresh_output(self) -> None:
        data = self.host.output() if self.screen_stack else b""
        if not data:
            return
        log = self.query_one("#output", RichLog)
        for line in self._lines.feed(data):
            log.write(line)
        self.query_one("#part", Static).update(self._lines.part)

    def on_resize(self, event: Resize) -> None:
        self._draw()

    def _draw(self) -> None:
        """All panels by the model, in the sizes that the terminal has room for."""
        base = self.screen_stack[0]
        width, height = self.size
        for name in PANELS:
            self._needs[name] = max(self._needs[name], len(self.model.table(name).rows) + 1)
        heights = picture.heights(height, self.host.has_output, self._needs, self._wide)
        self._show(base.query_one("#head", Static), picture.head(self.model, width, self.units))
        for name in PANELS:
            widget = base.query_one(f"#{name}", Static)
            widget.display = heights[name] > 0
            widget.styles.height = heights[name]
            if heights[name] > 0:
                self._show(widget, picture.table(self.model, name, width, heights[name], self.units))
        lines = heights.get("output", 0)
        log, part = base.query_one("#output", RichLog), base.query_one("#part", Static)
        log.display = part.display = lines > 1
        if lines > 1:
            log.styles.height = lines - 1
            self.host.resized(max(width - 1, 1), lines)
        self._show(base.query_one("#keys", Static), [picture.keys(width)])

    @staticmethod
    def _show(widget: Static, lines: list[Text]) -> None:
        widget.update(Text("\n").join(lines))

    def action_sort(self, key: str) -> None:
        self.model.sort = key
        self._draw()

    def action_peers(self) -> None:
        self.model.by_peer = not self.model.by_peer
        self._draw()

    def action_widen(self) -> None:
        names: list[str | None] = [None, *PANELS, *(["output"] if self.host.has_output else [])]
        self._wide = names[(names.index(self._wide) + 1) % len(names)]
        self._draw()

    def action_search(self) -> None:
        field = self.screen_stack[0].query_one("#filter", Input)
        if field.has_focus or len(self.screen_stack) > 1:
            raise SkipAction
        field.display = True
        self.screen.set_focus(field)

    def action_all(self) -> None:
        field = self.query_one("#filter", Input)
        field.value = self.model.filter = ""
        self._close_search()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.model.filter = event.value
        self._draw()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._close_search()

    def _close_search(self) -> None:
        self.query_one("#filter", Input).display = False
        self.set_focus(None)
        self._draw()

    def action_help(self) -> None:
        self.push_screen(Help())

    def action_scroll(self, lines: int) -> None:
        log = self.query_one("#output", RichLog)
        log.scroll_relative(y=lines, animate=False)
        log.auto_scroll = log.scroll_target_y >= log.max_scroll_y

    def action_interrupt(self) -> None:
        self.host.interrupt()

    def action_ask(self) -> None:
        if isinstance(self.screen, Leave):
            return
        if self.host.asks:
            self.push_screen(Leave(), self._answered)
        else:
            self.host.left()
            self.exit()

    def _answered(self, answer: Answer | None) -> None:
        if answer is Answer.RUN_ON:
            self.host.left()
            self.exit()
        elif answer is not None and answer is not Answer.STAY:
            self.host.end(at_once=answer is Answer.KILL)

    def action_stop(self) -> None:
        self.run_worker(self._stop(), exclusive=True)

    async def _stop(self) -> None:
        driver: Any = self._driver
        if driver is None or driver.is_headless:
            return
        driver.suspend_application_mode()
        back = self.host.stop()
        while not back() and not self._over:
            await asyncio.sleep(0.05)
        if not self._over:
            driver.resume_application_mode()
            self.refresh(layout=True)
