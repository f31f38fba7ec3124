# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line, and what can't be meant by it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn, Protocol, TypeVar

from benchmarks.measure import SCALE_ROUNDS
from benchmarks.tools import Tool
from benchmarks.workloads import SCALE, WORKLOADS, Workload

ROUNDS = 7
PICTURES = (".svg", ".png", ".pdf")
ABOUT = "What tracing costs, as multiples of the same work untraced: a table of tools and workloads."
END = "Exit status: 0; 1 if --check finds a bar missed; 2 if something could not be done."


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def parser() -> argparse.ArgumentParser:
    result = Parser(prog="python -m benchmarks", description=ABOUT, epilog=END)
    result.add_argument("--list", action="store_true", help="say what tools and workloads there are; runs nothing")
    result.add_argument("--only", metavar="TOOL,...", help="run these tools only, native, and those of --tool")
    result.add_argument("--workloads", metavar="NAME,...", help="run these workloads only")
    result.add_argument(
        "--scale",
        action="store_true",
        help="also with many connections, threads and processes: a table of its own, which takes some minutes more",
    )
    result.add_argument(
        "--tool",
        action="append",
        default=[],
        metavar="'NAME=COMMAND {}'",
        help="add a tool of your own, which starts a program: {} is where the workload's command goes; again for more",
    )
    result.add_argument(
        "--rounds", type=positive, metavar="N", help=f"default {ROUNDS}, of --scale {SCALE_ROUNDS}; with --quick 1"
    )
    result.add_argument(
        "--quick", action="store_true", help="few operations: shows that it works, not what it costs; no measurement"
    )
    result.add_argument(
        "--merge",
        action="store_true",
        help="say instead what ptmon --merge takes for 1 000 reports of 1 000 sockets, time and memory",
    )
    result.add_argument("--check", action="store_true", help="compare with the project's bars; exit 1 if one is missed")
    result.add_argument("--json", metavar="FILE", help="save all figures, and the ratio of any two tools; -: to stdout")
    result.add_argument("--plot", metavar="FILE.svg", type=Path, help="draw them (needs the extra bench)")
    result.add_argument(
        "--from", dest="source", metavar="FILE", type=Path, help="show a --json FILE of before; runs nothing"
    )
    return result


def positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def check(options: argparse.Namespace) -> None:
    """Before anything is run, which takes long. Raises ValueError with what is wrong, in a line."""
    if options.source is not None:
        running = {
            "--only": options.only,
            "--workloads": options.workloads,
            "--scale": options.scale,
            "--tool": options.tool,
            "--rounds": options.rounds,
            "--quick": options.quick,
        }
        if useless := [name for name, value in running.items() if value not in (None, False, [])]:
            raise ValueError(f"--from runs nothing: {', '.join(useless)} can't be given with it")
    if options.merge:
        others = ("only", "workloads", "scale", "tool", "rounds", "check", "json", "plot", "source")
        if useless := [name for name in others if getattr(options, name)]:
            names = ", ".join("--from" if name == "source" else f"--{name}" for name in useless)
            raise ValueError(f"--merge is a measurement of its own: {names} can't be given with it")
    if options.check and options.quick:
        raise ValueError("--check needs a measurement, and --quick is none")
    if options.plot:
        if options.plot.suffix not in PICTURES:
            raise ValueError(f"--plot {options.plot}: its name must end with one of {' '.join(PICTURES)}")
        if find_spec("matplotlib") is None:
            raise ValueError("--plot needs matplotlib: pip install -e '.[bench]'")
        check_writable("--plot", options.plot)
    if options.json and options.json != "-":
        check_writable("--json", Path(options.json))


def check_writable(option: str, path: Path) -> None:
    """Figures that took long are not to be lost for a name mistyped. Raises ValueError."""
    if path.is_dir():
        raise ValueError(f"{option} {path}: it is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"{option} {path}: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ValueError(f"{option} {path}: it can't be written")


def chosen(all_of_them: Sequence[N], names: str | None, *always: str) -> tuple[N, ...]:
    """Those that are named, in their own order. Raises ValueError for a name that there is not."""
    if names is None:
        return tuple(all_of_them)
    wanted = {name.strip() for name in names.split(",")}
    if unknown := wanted - {one.name for one in all_of_them}:
        raise ValueError(f"unknown: {', '.join(sorted(name or repr(name) for name in unknown))}; --list says the names")
    return tuple(one for one in all_of_them if one.name in wanted or one.name in always)


def chosen_workloads(names: str | None, scale: bool) -> tuple[Workload, ...]:
    """Those that are named, and those of --scale. Raises ValueError for a name that there is not."""
    at_scale = [workload.name for workload in WORKLOADS if workload.group == SCALE]
    if names is None:
        return tuple(workload for workload in WORKLOADS if scale or workload.group != SCALE)
    return chosen(WORKLOADS, names, *(at_scale if scale else ()))


def listing(tools: Iterable[Tool]) -> Iterator[str]:
    """What --list says, a line each."""
    yield "tools, for --only:"
    yield from (f"  {tool.name:24}  {tool.about}" for tool in tools)
    yield ""
    yield "workloads, for --workloads, and what one operation of each is:"
    yield from (f"  {workload.name:24}  {workload.operation}" for workload in WORKLOADS if workload.group != SCALE)
    yield ""
    yield "workloads of --scale, which can be named as well:"
    yield from (f"  {workload.name:24}  {workload.operation}" for workload in WORKLOADS if workload.group == SCALE)
