# SPDX-License-Identifier: GPL-2.0-or-later
"""What makes an output or a format: a file and a row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ptmon import command_line, formats
from ptmon.errors import UsageError
from ptmon.outputs import OUTPUTS, Outputs, make
from ptmon.outputs import formats as event_formats
from tests.unit.build import report_of, server

WORDS = {
    "ptmon.live.output": ["--live", "-q"],
    "ptmon.outputs.log": ["--log", "-q"],
    "ptmon.outputs.syslog": ["--syslog", "-q"],
    "ptmon.outputs.server": ["--serve", "0", "-q"],
    "ptmon.outputs.report_output": [],
    "ptmon.outputs.page": ["--html", "page", "-q"],
    "ptmon.outputs.metrics": ["--metrics", "0", "-q"],
    "ptmon.outputs.otlp": ["--otlp", "-q"],
    "ptmon.outputs.parquet": ["-o", "table.parquet"],
    "ptmon.outputs.capture": ["--capture", "packets", "-q"],
    "ptmon.outputs.recording": ["--record", "recording", "-q"],
    "ptmon.outputs.learnt": ["--learn", "rules", "-q"],
    "ptmon.outputs.fast_explain": ["--fast-explain", "-q"],
    "ptmon.outputs.interval": ["--interval", "1", "-q"],
}
"""Options by which that output is asked for, and no other."""
OUTPUT = """
from ptmon.outputs import SilentOutput

def make(options, host):
    return Only(options.command, host)

class Only(SilentOutput):
    def __init__(self, command, host):
        self.made = command, host
"""
FORMAT = """
class Shout:
    def begin(self, header): return "HERE\\n"
    def lines(self, event): return event.kind.upper() + "\\n"
    def note(self, text): return text
    def dropped(self, count): return "LOST\\n"
    def end(self, report): return "OVER\\n"

def write_report(report, file, style):
    file.write("ALL OF IT\\n")
"""
SHOUTED = """
from ptmon import formats
formats.EVENTS["shout"] = formats.EventFormat("shouting", "Shout", "loud", "events, loudly")
from ptmon import command_line
from ptmon.outputs import Outputs, make
from ptmon.outputs.server import commands
from tests.unit.build import HEADER, report_of, server

words = ["--log-format", "shout", "--log=log", "-q", "true"]
with Outputs(make(command_line.parse(words), "here")) as outputs:
    outputs.start(HEADER)
    outputs.finish(report_of(server()))
print(repr(open("log").read()))
print(*command_line.help_text().split())
print(commands.FORMATS, *commands.HELP)
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which modules are found."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def paths(house: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(house), str(Path(__file__).parents[2])])}


def modules(*words: str) -> list[str]:
    options = command_line.parse([*words, "true"])
    return [type(output).__module__ for output in make(options, "here")]


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_output_is_made_by_its_own_file(name: str) -> None:
    assert modules(*WORDS[name]) == [name]


def test_who_asks_for_nothing_gets_nothing() -> None:
    assert modules("-q") == []


def test_the_log_stands_before_the_report() -> None:
    assert modules("--log") == ["ptmon.outputs.log", "ptmon.outputs.report_output"]


def test_with_a_log_the_totals_are_in_it() -> None:
    assert modules("--interval", "1", "--log", "-q") == ["ptmon.outputs.log"]


def test_a_new_output_is_a_file_and_a_row(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (house / "only_output.py").write_text(OUTPUT)
    monkeypatch.setitem(OUTPUTS, "only_output", lambda options: options.quiet)
    (output,) = make(command_line.parse(["-q", "true"]), "here")
    assert vars(output) == {"made": (("true",), "here")}


def test_a_new_format_of_events_is_a_file_and_a_row(house: Path) -> None:
    (house / "shouting.py").write_text(FORMAT)
    done = subprocess.run([sys.executable, "-c", SHOUTED], cwd=house, env=paths(house), capture_output=True, text=True)
    assert done.stderr == ""
    shown, help, served = done.stdout.splitlines()
    assert shown == repr("HERE\nOVER\n")
    assert "or shout (loud)" in help
    assert "('text', 'jsonl', 'shout')" in served
    assert "ptmon: format shout: from now on, events, loudly" in served


def test_a_new_format_of_reports_is_a_file_and_a_row(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (house / "shouting.py").write_text(FORMAT)
    monkeypatch.setitem(formats.REPORTS, "shout", formats.ReportFormat("shouting", ".loud"))
    outputs = Outputs(make(command_line.parse(["-o", f"{house}/r.LOUD", "true"]), "here"))
    with outputs:
        outputs.finish(report_of(server()))
    assert (house / "r.LOUD").read_text() == "ALL OF IT\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (None, "summary"),
        ("-", "summary"),
        ("r.txt", "summary"),
        ("r.json", "json"),
        ("a.json/r.CSV", "csv"),
        ("json", "summary"),
        (".json", "summary"),
    ],
)
def test_the_format_of_a_report_by_its_files_ending(path: str | None, name: str) -> None:
    assert formats.report_format(path) == name


@pytest.mark.parametrize("name", formats.EVENTS)
def test_each_format_of_events_is_loaded_by_its_name(name: str) -> None:
    row = formats.EVENTS[name]
    assert type(event_formats.create(name)).__module__ == row.module


def test_a_report_and_a_log_in_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="are the same file"):
        modules("-o", f"{tmp_path}/x", f"--log={tmp_path}/x")
