# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of a release in more than one place is the same there (docs/RELEASE.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from ptmon.version import __version__

PROJECT = Path(__file__).parents[2]
SYSTEM = "python3-dev", "python3-cffi", "python3-scikit-build-core", "cmake"
"""What a build asks for, as Debian calls it."""


def asked_for(words: list[str]) -> dict[str, str]:
    """By name, the least version."""
    return {name: least for word in words for name, least in re.findall(r"^([\w-]+)>=([\d.]+)", word)}


def debian_builds_with() -> Iterator[tuple[str, str]]:
    control = (PROJECT / "debian/control").read_text()
    fields = re.search(r"^Build-Depends:((?:\n .*)+)", control, re.MULTILINE)
    assert fields
    return iter(re.findall(r"([\w-]+) \(>= ([\d.]+)\)", fields[1]))


def test_the_changelogs_begin_with_this_version() -> None:
    debian = re.match(r"ptmon \(([\d.]+)-\d+\) ", (PROJECT / "debian/changelog").read_text())
    ours = re.search(r"^## \[(.+)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert debian and debian[1] == __version__
    assert ours and __version__ in ours[1]


def test_debian_builds_with_no_less_than_pip() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    python, cmake = project["project"]["requires-python"], project["tool"]["scikit-build"]["cmake"]["version"]
    ours = asked_for([*project["build-system"]["requires"], f"python{python}", f"cmake{cmake}"])
    debian = dict(debian_builds_with())
    assert {name: debian.get(name) for name in SYSTEM} == {
        "python3-dev": ours["python"],
        "python3-cffi": ours["cffi"],
        "python3-scikit-build-core": ours["scikit-build-core"],
        "cmake": ours["cmake"],
    }


def test_a_wheel_is_made_for_each_libc_and_machine_once() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wheels, build = project["tool"]["cibuildwheel"], project["tool"]["scikit-build"]["wheel"]
    least = project["project"]["requires-python"].removeprefix(">=").replace(".", "")
    assert wheels["build"] == f"{build['py-api']}-*" == f"cp{least}-*"
    images = {f"{libc}-{machine}-image" for libc in ("manylinux", "musllinux") for machine in ("x86_64", "aarch64")}
    assert images == {key for key in wheels["linux"] if key.endswith("-image")}
    for source in wheels["test-sources"]:
        assert (PROJECT / source).is_file()
