# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a report in a real browser, and the history that it shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browsing import Browser, browser, chromium
from tests.support import DEADLINE, PTMON

EVIL = "<script>document.title='ran'</script>\"'\x1b[31m"
PROGRAM = r"""
import socket, subprocess, sys, time
server = socket.create_server(("127.0.0.1", 0))
for count in (700, 3000, 40):
    client = socket.create_connection(server.getsockname())
    other, _ = server.accept()
    client.sendall(b"x" * count)
    got = 0
    while got < count:
        got += len(other.recv(65536))
    time.sleep(0.15)
named = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
named.bind("\0<img src=x onerror=document.title='ran'>" + sys.argv[1].replace("\x1b", "") + str(time.monotonic_ns()))
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"hello", named.getsockname())
subprocess.run(["true", sys.argv[1]])
"""
SENT = 700 + 3000 + 40 + 5


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("html") / "report.html"
    words = [*PTMON, "--html", str(path), "-o", str(path.with_suffix(".json")), sys.executable, "-c", PROGRAM, EVIL]
    subprocess.run(words, check=True, timeout=DEADLINE)
    return path


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("chromium is not installed")
    with browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def opened(chrome: Browser, page: Path) -> Browser:
    chrome.open(page, 1280, 800)
    return chrome


def points(page: Path) -> list[list[Any]]:
    (data,) = re.findall(r'id="history">(.*?)</script>', page.read_text())
    found: list[list[Any]] = json.loads(data)["points"]
    return found


def test_the_history_begins_with_nothing_and_ends_with_the_totals(page: Path) -> None:
    found = points(page)
    assert found[0] == [0, 0, 0]
    assert found[-1][1] == SENT
    assert found == sorted(found)
    assert len(found) >= 5  # there were pauses, which are seen


def test_the_page_loads_without_errors_and_fetches_nothing(opened: Browser, page: Path) -> None:
    assert opened.run("document.querySelectorAll('#chart svg path').length") == 2
    assert opened.errors() == []
    assert opened.loaded() == [page.as_uri()]


def test_what_a_program_is_given_does_not_run(opened: Browser) -> None:
    assert opened.run("document.title").startswith("ptmon: ")
    assert opened.run("document.querySelector('h1').textContent").endswith(EVIL.replace("\x1b", "\\x1b"))
    assert opened.run(
        "document.querySelector('#processes').textContent.includes(\"true <script>document.title='ran'\")"
    )
    assert opened.run("document.querySelector('#sockets').textContent.includes('<img src=x onerror=')")
    assert opened.run("document.images.length") == 0


def test_a_click_sorts_a_table(opened: Browser) -> None:
    column = "[...document.querySelectorAll('#sockets tbody tr')].map(row => Number(row.cells[5].dataset.v))"
    click = "document.querySelectorAll('#sockets th [role=button]')[5].click()"
    before = opened.run(column)
    for order in (sorted(before, reverse=True), sorted(before), before):
        opened.run(click)
        assert opened.run(column) == order
    opened.run("document.querySelectorAll('#sockets th [role=button]')[2].click()")
    peers = opened.run("[...document.querySelectorAll('#sockets tbody tr')].map(row => row.cells[2].textContent)")
    assert len(peers) == len(before)
    assert opened.run("document.querySelectorAll('#sockets th')[2].getAttribute('aria-sort')") == "ascending"


def test_a_key_sorts_a_table(opened: Browser) -> None:
    opened.run("document.querySelectorAll('#calls th [role=button]')[0].focus()")
    for key, text in (("Enter", "\r"), (" ", " ")):
        opened.ask("Input.dispatchKeyEvent", type="keyDown", key=key, text=text)
        opened.ask("Input.dispatchKeyEvent", type="keyUp", key=key)
    assert opened.run("document.querySelectorAll('#calls th')[0].getAttribute('aria-sort')") == "descending"
    names = opened.run("[...document.querySelectorAll('#calls tbody tr')].map(row => row.cells[0].textContent)")
    assert names == sorted(names, reverse=True)
    assert len(names) > 1


def test_a_part_of_the_chart_is_shown_closer(opened: Browser) -> None:
    labels = "[...document.querySelectorAll('#chart text')].map(one => one.textContent).join(' ')"
    whole = opened.run(labels)
    x, y, width = opened.run(
        "(box => [box.x, box.y + box.height / 2, box.width])(document.querySelector('#chart').getBoundingClientRect())"
    )
    for kind, place, held in (("mousePressed", 0.4, 0), ("mouseMoved", 0.6, 1), ("mouseReleased", 0.6, 0)):
        opened.ask(
            "Input.dispatchMouseEvent", type=kind, x=x + width * place, y=y, button="left", buttons=held, clickCount=1
        )
    assert opened.run(labels) != whole
    opened.run("document.querySelector('[data-zoom=all]').click()")
    assert opened.run(labels) == whole
    for way in ("in", "right", "left", "out"):
        opened.run(f"document.querySelector('[data-zoom={way}]').click()")
    assert opened.run(labels) == whole
    assert opened.errors() == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_screen(opened: Browser, page: Path, width: int, height: int, dark: bool) -> None:
    opened.open(page, width, height, dark=dark, phone=width < 500)
    assert opened.run("document.documentElement.scrollWidth") <= width
    back = [int(part) for part in re.findall(r"\d+", opened.run("getComputedStyle(document.body).backgroundColor"))]
    assert (max(back) < 64) is dark


def test_it_can_be_printed(opened: Browser) -> None:
    opened.ask("Emulation.setEmulatedMedia", media="print")
    assert opened.run("getComputedStyle(document.querySelector('#zoom')).display") == "none"
    assert opened.run("document.documentElement.scrollWidth") <= 1280
    assert len(opened.ask("Page.printToPDF")["data"]) > 10_000


def test_a_program_that_moves_nothing_has_a_page_without_a_chart(tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    subprocess.run([*PTMON, "-o", path, "true"], check=True, timeout=DEADLINE)
    assert '<div id="chart"' not in path.read_text()
    assert "complete" in path.read_text()


def test_a_page_beside_a_report_and_in_its_place_are_alike(page: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.html"
    subprocess.run([*PTMON, "-o", alone, "true"], check=True, timeout=DEADLINE)
    beside = page.read_text()
    assert alone.read_text().partition("<title>")[0] == beside.partition("<title>")[0]
    report = json.loads(page.with_suffix(".json").read_text())
    assert report["totals"]["sent"] == SENT and f"{SENT:,}" in beside


def test_a_page_is_no_other_file_that_is_written(tmp_path: Path) -> None:
    file = tmp_path / "one"
    for more in (["-o", str(file)], [f"--log={file}"]):
        words = [*PTMON, *more, "--html", str(file), "true"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 2 and "are the same file" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_page_that_cannot_be_written_is_no_page_on_the_terminal() -> None:
    done = subprocess.run([*PTMON, "--html", "/dev/full", "true"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0
    assert "cannot write the page to /dev/full: ENOSPC: No space left on device\n" in done.stderr
    assert "<html" not in done.stderr and "payload bytes" in done.stderr
