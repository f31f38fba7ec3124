# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of --live, pressed by Textual's Pilot, without a terminal and without a tracer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import RichLog, Static

from ptmon.ledger.snapshot import Snapshot
from ptmon.ledger.view import View
from ptmon.live.app import LiveApp
from ptmon.live.dialogs import Help, Leave
from ptmon.live.model import Model
from tests.support import DEADLINE
from tests.unit.build import sent
from tests.unit.test_live_model import book_of, two_peers


class FakeHost:
    """A program that has written something, and what was asked for."""

    def __init__(self, *, asks: bool = True) -> None:
        self.asks = asks
        self.has_output = asks
        self.book = book_of(two_peers())
        self.moment = 2.0
        self.said = b""
        self.asked: list[str] = []

    def view(self, last: Snapshot | None) -> View | None:
        self.moment += 1
        return self.book.view(self.moment, last)

    def output(self) -> bytes:
        said, self.said = self.said, b""
        return said

    def resized(self, columns: int, lines: int) -> None:
        self.asked = [one for one in self.asked if not one.startswith("size")] + [f"size {columns}x{lines}"]

    def interrupt(self) -> None:
        self.asked.append("interrupt")

    def end(self, *, at_once: bool) -> None:
        self.asked.append("kill" if at_once else "end")

    def left(self) -> None:
        self.asked.append("left")

    def stop(self) -> Callable[[], bool]:
        self.asked.append("stop")
        return lambda: True


Script = Callable[[Pilot[None], LiveApp, FakeHost], Awaitable[None]]


def drive(script: Script, size: tuple[int, int] = (80, 24), **host: Any) -> FakeHost:
    """Runs the view, and the script once it shows something."""

    async def run() -> FakeHost:
        fake = FakeHost(**host)
        app = LiveApp(fake, Model(), "iec")
        async with app.run_test(size=size) as pilot:
            await until(lambda: "server.out" in shown(app, "processes"))
            await script(pilot, app, fake)
        return fake

    return asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.01)


def shown(app: LiveApp, panel: str) -> str:
    widget = app.screen_stack[0].query_one(f"#{panel}", Static)
    return str(widget.render())


def first(app: LiveApp, panel: str = "connections") -> str:
    return shown(app, panel).splitlines()[1]


def shows(app: LiveApp, text: str) -> bool:
    """The first of the connections has it."""
    return text in first(app)


def test_a_timer_that_goes_off_while_the_view_ends_finds_no_screen() -> None:
    async def run() -> None:
        app = LiveApp(host := FakeHost(), Model(), "iec")
        async with app.run_test():
            await until(lambda: "server.out" in shown(app, "processes"))
        assert not app.screen_stack
        host.said = b"the last words"
        app._refresh_view()
        app._refresh_output()
        assert host.said == b"the last words"

    asyncio.run(run())


def test_keys_sort_the_tables() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        for key, port in (("s", ":50001"), ("r", ":50002"), ("t", ":50001"), ("c", ":50002")):
            await pilot.press(key)
            await until(partial(shows, app, port))

    drive(script)


def test_a_filter_is_typed_and_kept_and_given_up() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        await pilot.press("slash", "1", "0", ".")
        await until(lambda: "/10." in shown(app, "connections") and "10.0.0.9" in first(app))
        await until(lambda: "50001" not in shown(app, "connections"))
        await pilot.press("enter", "p")
        await until(lambda: "tcp  10.0.0.9" in first(app))
        await pilot.press("escape")
        await until(lambda: "127.0.0.1" in shown(app, "connections"))
        await pilot.press("slash", "slash", "p")
        await until(lambda: app.model.filter == "/p")

    drive(script)


def test_help_is_shown_over_the_view() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        await pilot.press("question_mark")
        await until(lambda: isinstance(app.screen, Help))
        await pilot.press("escape")
        await until(lambda: not isinstance(app.screen, Help))

    drive(script)


@pytest.mark.parametrize(
    ("keys", "asked", "leaves"),
    [(["q", "e"], "end", False), (["q", "k"], "kill", False), (["q", "r"], "left", True), (["q", "escape"], "", False)],
)
def test_q_asks_what_is_to_become_of_the_program(keys: list[str], asked: str, leaves: bool) -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        await pilot.press(keys[0])
        await until(lambda: isinstance(app.screen, Leave))
        await pilot.press(keys[1])
        await until(lambda: not app.is_running if leaves else not isinstance(app.screen, Leave))

    host = drive(script)
    assert [one for one in host.asked if not one.startswith("size")] == ([asked] if asked else [])


def test_attached_q_leaves_at_once() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        await pilot.press("q")
        await until(lambda: not app.is_running)

    assert drive(script, asks=False).asked == ["left"]


def test_ctrl_c_is_passed_on_from_everywhere() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        await pilot.press("ctrl+c", "q", "ctrl+c", "escape", "slash", "ctrl+c")

    assert drive(script).asked.count("interrupt") == 3


def test_the_program_s_output_scrolls_and_is_told_its_size() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        host.said = b"".join(b"\x1b[32mline\x1b[0m %d [bold]\n" % number for number in range(100)) + b"prompt> "
        await until(lambda: "prompt> " in shown(app, "part"))
        log = app.query_one("#output", RichLog)
        await until(lambda: len(log.lines) == 100)
        assert log.lines[-1].text.rstrip() == "line 99 [bold]"
        # On a busy machine it is laid out, and scrolled to its end, a while after it has its lines.
        await until(lambda: log.max_scroll_y > 0 and log.scroll_y == log.max_scroll_y)
        bottom = log.scroll_y
        await pilot.press("pageup")
        await until(lambda: log.scroll_y < bottom)

    assert any(one.startswith("size 79x") for one in drive(script).asked)


def test_tab_gives_one_panel_all_of_the_room() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        await pilot.press("tab")
        await until(lambda: app.query_one("#processes").size.height == 19)
        assert not app.query_one("#calls").display
        await pilot.press("tab", "tab", "tab", "tab")
        await until(lambda: app.query_one("#calls").display)

    drive(script)


@pytest.mark.parametrize("size", [(80, 24), (200, 50), (40, 10)])
def test_all_lines_fit(size: tuple[int, int]) -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        widgets = app.screen.children
        await until(lambda: sum(widget.size.height for widget in widgets if widget.display) <= size[1])
        await until(lambda: app.query_one("#keys").region.height == 1)
        assert app.query_one("#keys").region.bottom <= size[1]

    drive(script, size)


def test_new_bytes_are_seen_without_a_key() -> None:
    async def script(pilot: Pilot[None], app: LiveApp, host: FakeHost) -> None:
        host.book.add(sent(1 << 20, 1))
        await until(lambda: "1.00 MiB" in shown(app, "head"))

    drive(script)
