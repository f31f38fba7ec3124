# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of other languages, whose run-time systems have signals, threads and calls of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.fast import Fast
from tests.real import program
from tests.support import SOURCES

WORDS = ("4", "60")
"""Connections at once, and messages on each."""


@pytest.fixture(scope="session", params=["1", "0"], ids=["cgo", "static"])
def go_echo(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """echo.go, linked with libc or without any."""
    go, folder = program("go"), tmp_path_factory.mktemp("go")
    settings = {"CGO_ENABLED": str(request.param), "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    places = {"GOCACHE": str(folder / "cache"), "GOPATH": str(folder / "path"), "GOTMPDIR": str(folder)}
    command = [go, "build", "-o", str(folder / "echo"), str(SOURCES / "echo.go")]
    subprocess.run(command, env={**os.environ, **settings, **places}, check=True)
    return folder / "echo"


@pytest.fixture(scope="session")
def java_echo(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The java command's words for Echo.java."""
    compiler, folder = program("javac"), tmp_path_factory.mktemp("java")
    subprocess.run([compiler, "-d", str(folder), str(SOURCES / "Echo.java")], check=True)
    return ["-XX:-UsePerfData", "-Xmx128m", "-cp", str(folder), "Echo"]


def test_goroutines_are_counted(fast: Fast, go_echo: Path) -> None:
    fast(go_echo, *WORDS, calls=False, patched=False)


def test_goroutines_are_counted_after_an_attach(fast: Fast, go_echo: Path) -> None:
    fast.attached(go_echo, *WORDS, calls=False)


def test_java_is_counted(fast: Fast, java_echo: list[str]) -> None:
    fast(Path(program("java")), *java_echo, *WORDS, calls=False)


def test_java_is_counted_after_an_attach(fast: Fast, java_echo: list[str]) -> None:
    fast.attached(Path(program("java")), *java_echo, *WORDS, calls=False)


@pytest.fixture
def no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """libuv 1.45 to 1.47 may read files by io_uring: that is no traffic, but ptmon could not tell."""
    monkeypatch.setenv("UV_USE_IO_URING", "0")


@pytest.mark.usefixtures("no_ring")
def test_node_is_counted(fast: Fast) -> None:
    fast(Path(program("node")), str(SOURCES / "echo.js"), *WORDS, calls=False)


@pytest.mark.usefixtures("no_ring")
def test_node_is_counted_after_an_attach(fast: Fast) -> None:
    fast.attached(Path(program("node")), str(SOURCES / "echo.js"), *WORDS, calls=False)


def test_python_is_counted(fast: Fast) -> None:
    fast(Path(program("python3")), str(SOURCES / "echo.py"), *WORDS, calls=False)


def test_python_is_counted_after_an_attach(fast: Fast) -> None:
    fast.attached(Path(program("python3")), str(SOURCES / "echo.py"), *WORDS, calls=False)
