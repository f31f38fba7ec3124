# SPDX-License-Identifier: GPL-2.0-or-later
"""Imports go down only: cli, session, {outputs, explain}, ledger, {records, addresses}; and engines stand apart."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "ptmon"

LAYERS = (
    {"static", "ledger"},
    {"frozen"},
    {"formats", "defaults"},
    {
        "errors",
        "records",
        "version",
        "text",
        "addresses",
        "ledger.rates",
        "ledger.history",
        "option_values",
        "recording",
        "ranks",
    },
    {"report", "options", "watches", "syscall_tables", "naming", "packets", "_native"},
    {"ledger.connects", "ledger.socket_tally", "ledger.tallies", "ledger.snapshot", "syscalls"},
    {"notices", "saying"},
    {"ledger.lives"},
    {"ledger.folds", "ledger.identities"},
    {"ledger.names", "ledger.peers", "ledger.socket_table", "ledger.view", "events", "decoding", "sites"},
    {"ledger.ledger", "rules", "hook_call"},
    {"outputs", "explain", "engines", "command_line", "demo", "waiting", "allowing"},
    {"export"},
    {"debugging", "limiting", "live", "narrating", "completion", "manual"},
    {"session", "hooks"},
    {"preparing"},
    {"api"},
    {"doctor", "labs", "merging"},
    {"cli"},
    {"testing"},
    {"__main__"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
ENGINES_MAY = {
    "static", "frozen", "defaults", "records", "watches", "errors", "engines", "_native", "recording", "report", "text"
}  # fmt: skip
OUTPUTS_MAY = {
    "static", "frozen", "defaults", "formats", "options", "outputs", "records", "report", "ledger.snapshot", "errors",
    "ledger.view", "text", "ledger.rates", "events", "decoding", "syscalls", "addresses", "option_values", "notices",
    "version", "recording", "ranks", "packets",
}  # fmt: skip
STUDENTS = {"start", "solution"}
"""Folders of labs: programs that a student writes, and that use ptmon as any program does."""
MODULES = sorted(path for path in HOUSE.rglob("*.py") if not STUDENTS & set(path.parts))


def module_name(path: Path) -> str:
    parts = ("ptmon", *path.relative_to(HOUSE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def top(module: str) -> str:
    """``outputs`` for ``ptmon.outputs.json``; a part that has a layer of its own is itself: ``ledger.rates``."""
    name = module.partition(".")[2]
    return name if name in RANK else name.partition(".")[0]


def imported(path: Path) -> set[str]:
    """The modules of ptmon that a file imports, wherever in it."""
    names = {module_name(other) for other in MODULES} | {"ptmon._native"}
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            members = {f"{node.module}.{alias.name}" for alias in node.names} & names
            found |= members or {node.module or ""}
    return {name for name in found if name.split(".")[0] == "ptmon"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_go_down_only(path: Path) -> None:
    here = top(module_name(path))
    if here in ("", "__main__"):
        return  # the public API and the entry stand above all
    for other in imported(path):
        assert top(other) in RANK, f"{other} has no layer in this test"
        if top(other) != here:
            assert RANK[top(other)] < RANK[here], f"ptmon.{here} imports {other}"


def circles(graph: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The groups of modules that lead to each other, and those that lead to themselves."""
    below: dict[str, set[str]] = {}
    for name in graph:
        below[name], ahead = set(), [name]
        while ahead:
            ahead.extend(new := set(graph.get(ahead.pop(), ())) - below[name])
            below[name] |= new
    groups = {tuple(sorted(other for other in below[name] if name in below.get(other, ()))) for name in graph}
    return [list(group) for group in sorted(groups) if group]


def test_no_modules_import_each_other() -> None:
    """Nor for their types alone: what two files know of each other is one file, or a third below both."""
    assert circles({module_name(path): imported(path) for path in MODULES}) == []


def test_a_circle_is_found_where_there_is_one() -> None:
    assert circles({"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": set(), "e": {"e"}}) == [["a", "b", "c"], ["e"]]


def test_an_import_for_types_alone_is_an_import(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text("if TYPE_CHECKING:\n    from ptmon import cli\n\n\ndef run():\n    import ptmon.session\n")
    assert imported(path) == {"ptmon.cli", "ptmon.session"}


@pytest.mark.parametrize("path", [path for path in MODULES if "engines" in path.parts], ids=module_name)
def test_engines_import_records_and_errors_alone(path: Path) -> None:
    assert {top(name) for name in imported(path)} <= ENGINES_MAY


@pytest.mark.parametrize("path", [path for path in MODULES if "native" in path.parts], ids=module_name)
def test_the_native_engine_knows_of_no_other(path: Path) -> None:
    assert not [name for name in imported(path) if name.startswith("ptmon.engines.reference")]


def test_the_boundary_alone_imports_the_c_core() -> None:
    importers = {module_name(path) for path in MODULES if "ptmon._native" in imported(path)}
    assert importers == {"ptmon.engines.boundary"}


@pytest.mark.parametrize("path", [path for path in MODULES if "outputs" in path.parts], ids=module_name)
def test_outputs_never_import_an_engine(path: Path) -> None:
    assert {top(name) for name in imported(path)} <= OUTPUTS_MAY


def test_the_command_line_loads_neither_rich_nor_an_engine() -> None:
    code = "import ptmon.cli, sys; print([name for name in ('rich', 'ptmon._native', 'cffi') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_public_api_is_what_it_says() -> None:
    import ptmon

    for name in ptmon.__all__:
        assert getattr(ptmon, name) is not None
    with pytest.raises(AttributeError):
        ptmon.nothing  # noqa: B018
