# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Chromium without a window, asked by the DevTools protocol over a pipe: no port is opened."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import until

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--no-proxy-server", "--remote-debugging-pipe",
)  # fmt: skip


def chromium() -> str | None:
    """The browser's path, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of it. ``said``: what it has told by itself: errors, what is loaded."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads = reads
        self._writes = writes
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.said: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What it answers; raises AssertionError if that is an error."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while (got := self._next()).get("id") != self._number:
            self.said.append(got)
        assert "error" not in got, got
        result: dict[str, Any] = got["result"]
        return result

    def open(self, page: Path, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Loads a file, and waits until it is there. Nothing is left of the page before."""
        self.ask("Page.navigate", url="about:blank")
        until(lambda: self.run("location.href") == "about:blank", "the end of the page before")
        self.said.clear()
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.ask("Page.navigate", url=page.as_uri())
        until(
            lambda: self.run("document.readyState") == "complete" and self.run("location.href") != "about:blank", "page"
        )

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        got = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def errors(self) -> list[dict[str, Any]]:
        """What its console would show."""
        return [
            one
            for one in self.said
            if one["method"] in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        ]

    def loaded(self) -> list[str]:
        """The addresses of all that was asked for."""
        asked = (one for one in self.said if one["method"] == "Network.requestWillBeSent")
        return [one["params"]["request"]["url"] for one in asked]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            got = os.read(self._reads, 1 << 20)
            assert got, "the browser is gone"
            self._buffer += got
        message, _, self._buffer = self._buffer.partition(b"\0")
        made: dict[str, Any] = json.loads(message)
        return made


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Runs it, with all that it keeps in ``folder``."""
    path = chromium()
    assert path is not None
    its_input, writes = os.pipe()
    reads, its_output = os.pipe()
    # It reads its orders from fd 3 and answers on fd 4; bash puts them there.
    words = ["bash", "-c", f'exec "$0" "$@" 3<&{its_input} 4>&{its_output}', path, *OPTIONS]
    words += [f"--user-data-dir={folder}/profile", "about:blank"]
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    process = subprocess.Popen(
        words, pass_fds=(its_input, its_output), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(its_input)
    os.close(its_output)
    try:
        yield Browser(reads, writes)
    finally:
        os.close(writes)  # it ends by that
        os.close(reads)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
