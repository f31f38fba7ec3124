# SPDX-License-Identifier: GPL-2.0-only
"""Imports go down only: cli, session, {outputs, explain}, ledger, {records, addresses}; and engines stand apart."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "ptmon"

LAYERS = (
    {"static"},
    {"frozen"},
    {"errors", "records", "version", "text", "addresses", "rates", "option_values"},
    {"report", "options", "watches", "syscall_tables", "_native"},
    {"socket_tally", "tallies", "syscalls", "snapshot"},
    {"notices"},
    {"socket_table", "events", "decoding", "sites"},
    {"ledger", "rules", "held"},
    {"outputs", "explain", "engines", "command_line", "demo", "waiting"},
    {"debugging"},
    {"session", "hooks"},
    {"preparing"},
    {"api"},
    {"cli"},
    {"__main__"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
ENGINES_MAY = {"static", "frozen", "records", "watches", "errors", "engines", "_native"}
OUTPUTS_MAY = {
    "static", "frozen", "outputs", "records", "report", "snapshot", "errors", "text", "rates", "events", "decoding",
    "syscalls", "addresses", "option_values", "notices", "version",
}  # fmt: skip
MODULES = sorted(HOUSE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = ("ptmon", *path.relative_to(HOUSE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def top(module: str) -> str:
    """``outputs`` for ``ptmon.outputs.json``."""
    return module.split(".")[1] if "." in module else ""


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


@pytest.mark.parametrize("path", [path for path in MODULES if "engines" in path.parts], ids=module_name)
def test_engines_import_records_and_errors_alone(path: Path) -> None:
    assert {top(name) for name in imported(path)} <= ENGINES_MAY


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
