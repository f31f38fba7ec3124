# SPDX-License-Identifier: GPL-2.0-or-later
"""What the build says to whoever has not got all that it wants."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import DEADLINE

NATIVE = Path(__file__).parents[2] / "native"
BESIDE = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
CMAKE, NINJA = shutil.which("cmake", path=BESIDE), shutil.which("ninja", path=BESIDE)

pytestmark = pytest.mark.skipif(
    not (CMAKE and NINJA), reason="cmake and ninja are not installed: pip install -e .[dev]"
)


def configure(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """CMake's own lines are broken anywhere: all white space is one space."""
    words = [str(CMAKE), "-S", str(NATIVE), "-B", str(folder / "build"), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={NINJA}"]
    inherited = {name: value for name, value in os.environ.items() if name not in ("CC", "CFLAGS")}
    done = subprocess.run(
        [*words, *options], env={**inherited, **environment}, capture_output=True, text=True, timeout=DEADLINE
    )
    done.stderr = " ".join(done.stderr.split())
    return done


def test_without_a_compiler_the_build_says_what_to_install(tmp_path: Path) -> None:
    done = configure(tmp_path, PATH=str(tmp_path))
    assert done.returncode != 0
    assert "ptmon wants a C compiler, gcc or clang" in done.stderr
    assert "apt install build-essential, or dnf install gcc" in done.stderr


def test_without_pythons_headers_the_build_says_what_to_install(tmp_path: Path) -> None:
    options = ["-DSKBUILD=2", "-DSKBUILD_SCRIPTS_DIR=scripts", f"-DPython_INCLUDE_DIR={tmp_path / 'missing'}"]
    done = configure(tmp_path, *options)
    assert done.returncode != 0
    assert "ptmon wants the headers (Python.h)" in done.stderr
    assert "apt install python3-dev, or dnf install python3-devel" in done.stderr


@pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed")
def test_clang_alone_builds_the_core(tmp_path: Path) -> None:
    done = configure(tmp_path, CC="clang")
    assert done.returncode == 0, done.stderr
    built = subprocess.run(
        [str(CMAKE), "--build", str(tmp_path / "build")], capture_output=True, text=True, timeout=2 * DEADLINE
    )
    assert built.returncode == 0, built.stdout
    assert "warning" not in built.stdout
