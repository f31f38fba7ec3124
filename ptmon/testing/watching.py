# SPDX-License-Identifier: GPL-2.0-or-later
"""In the traced pytest: marks where tests begin and end, and lets those fail that break their markers."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from ptmon.option_values import size
from ptmon.testing import marks
from ptmon.text import size as shown

LOCAL, LIMIT = "no_global_network", "limit_traffic"


class Watching:
    """A plugin. ``answers``: the fd from which ptmon's answers are read."""

    def __init__(self, answers: int) -> None:
        os.set_inheritable(answers, False)  # the tests' programs don't get it
        self._answers = answers
        self._pid = os.getpid()
        self._questions = 0
        self._read = b""
        """Of answers, what was not yet made use of."""
        self._items: list[pytest.Item] = []
        """Test n is number n - 1."""
        self._told: set[str] = set()
        """Tests that have failed for their markers."""
        self._late: list[str] = []
        self._sum: dict[str, Any] | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """A limit that can't be understood is an error before any test runs."""
        for item in items:
            try:
                _limit(item)
            except ValueError as error:
                raise pytest.UsageError(f"{item.nodeid}: {error}") from None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """All of a test: with its set-up and its teardown."""
        self._items.append(item)
        marks.make(marks.BEGIN, len(self._items))
        try:
            return (yield)
        finally:
            # Whoever runs tests in processes of their own has asked there, where nobody answers.
            if (said := self._broken(item)) is not None:
                self._late.append(f"{item.nodeid}: {said}")
            marks.make(marks.END, len(self._items))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """The set-up is over, too, and the teardown is not."""
        try:
            result = yield
        except (KeyboardInterrupt, SystemExit, pytest.exit.Exception):
            raise
        except BaseException as error:
            said = self._broken(item)
            if said is not None and isinstance(error, pytest.skip.Exception):
                pytest.fail(said, pytrace=False)
            if said is not None:  # it fails, or is expected to, for a reason of its own
                item.add_report_section("call", "ptmon", said)
            raise
        self._check(item)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """What the teardown has moved; or the set-up, if it has failed."""
        result = yield
        self._check(item)
        return result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What tests have left behind may have reached out when they were over."""
        self._sum = self._ask(marks.SUM)
        if self._sum is None:
            return
        for number, told in self._sum["late"]:
            item = self._items[number - 1]
            if item.get_closest_marker(LOCAL) and item.nodeid not in self._told:
                self._late.append(f"{item.nodeid}: after its end: {told}")
        if self._late and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        if self._sum is None:
            return
        terminalreporter.section("ptmon: what the tests sent and received")
        for line in _table(self._sum, [item.nodeid for item in self._items]):
            terminalreporter.write_line(line)
        for line in self._late:
            terminalreporter.write_line(f"FAILED {line}", red=True)

    def _check(self, item: pytest.Item) -> None:
        said = self._broken(item)
        if said is not None:
            pytest.fail(said, pytrace=False)

    def _broken(self, item: pytest.Item) -> str | None:
        """What the test has done against its markers, once."""
        limit = _limit(item)
        local = item.get_closest_marker(LOCAL) is not None
        if item.nodeid in self._told or (limit is None and not local):
            return None
        row = self._ask(marks.ASK)
        if row is None:
            return None
        lines = []
        if local and row["reached"]:
            more = [f"and {row['more']} more"] if row["more"] else []
            lines += [f"{LOCAL}: {line}" for line in [*row["reached"], *more]]
        moved = row["sent"] + row["received"]
        if limit is not None and moved > limit:
            pid, name, peer, most = row["most"]
            told = f"most of it by {name}[{pid}], {shown(most, 'si')} with {peer}"
            lines.append(
                f"{LIMIT}: {shown(moved, 'si')} were sent and received, more than {shown(limit, 'si')}; {told}"
            )
        if not lines:
            return None
        self._told.add(item.nodeid)
        return "\n".join(lines)

    def _ask(self, word: str) -> dict[str, Any] | None:
        """None in a process that a test has forked: it is not the one that is answered."""
        if os.getpid() != self._pid:
            return None
        self._questions += 1
        marks.make(word, self._questions)
        # Ctrl-C, or a test's time limit, may have come in the middle of an earlier answer: then that is still there.
        while True:
            *lines, self._read = self._read.split(b"\n")
            for line in lines:
                with suppress(ValueError):  # the rest of one
                    found: dict[str, Any] = json.loads(line)
                    if found["answers"] == self._questions:
                        return found
            part = os.read(self._answers, 65536)
            if not part:
                raise RuntimeError("ptmon does not answer any more")
            self._read += part


def _limit(item: pytest.Item) -> int | None:
    marker = item.get_closest_marker(LIMIT)
    if marker is None:
        return None
    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str | int):
        raise ValueError(f'{LIMIT} wants a size, as {LIMIT}("1 MB")')
    try:
        return size(str(marker.args[0]))
    except ValueError as error:
        raise ValueError(f"{LIMIT}({marker.args[0]!r}): it {error}") from None


def _table(found: dict[str, Any], names: Sequence[str]) -> list[str]:
    rows = [(shown(sent), shown(received), names[number - 1]) for number, sent, received in found["rows"]]
    if not rows:
        rows.append(("0 B", "0 B", "no test"))
    if found["others"]:
        rows.append(("", "", f"… and {found['others']} more that moved something"))
    if any(found["outside"]):
        sent, received = found["outside"]
        rows.append((shown(sent), shown(received), "outside of tests"))
    lines = [f"{sent:>10} {received:>10}  {name}" for sent, received, name in [("sent", "received", ""), *rows]]
    return [*(line.rstrip() for line in lines), *(f"not complete: {line}" for line in found["missing"])]
