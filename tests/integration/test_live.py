# SPDX-License-Identifier: GPL-2.0-or-later
"""--live on a terminal, as a person sees it and presses its keys: by tmux."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.live import LIVE, WRITES, Tmux, assert_terminal_as_before, number, tmux
from tests.real import free_port, listening, program
from tests.serving import said_port
from tests.support import DEADLINE, PTMON, Targets, started, tracing


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50)])
def test_a_benchmark_is_watched_while_it_runs(tmp_path: Path, columns: int, lines: int) -> None:
    port = free_port()
    server = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    clients = [program("redis-benchmark"), "-p", str(port), "-t", "set", "-n", "100000000", "-c", "3", "-d", "100"]
    with listening(server, port, tmp_path / "log"), tmux(tmp_path, columns, lines) as terminal:
        terminal.type([*tracing("--live"), *clients])
        screen = terminal.seen(lambda screen: number(screen, r"received") > 20_000 and "█" in screen)
        rows = screen.splitlines()
        assert len(rows) == lines and max(map(len, rows)) <= columns
        assert rows[0].startswith("ptmon ") and "redis-benchmark" in rows[0] and "complete" in rows[0]
        assert re.search(r"0:\d\d  1 process, \d+ sockets", rows[0])
        assert re.search(r"^sent +[\d.]+ .?i?B +[\d.]+ .?i?B/s .*[▁▂▃▄▅▆▇█]$", rows[1])
        assert re.search(r"^received +[\d.]+ .?i?B +[\d.]+ .?i?B/s .*[▁▂▃▄▅▆▇█]$", rows[2])
        assert re.search(r"counted (inside the program \(fast\): [\d,]+ calls, )?at stops \(slow\)", rows[3])
        assert re.search(r"^processes +pid +sent +received +calls +lasts", rows[4])
        assert re.search(r"^redis-benchmark .* [\d.]+ .?iB +[\d.]+ .?iB +[\d,]+ +0:\d\d", rows[5])
        assert re.search(rf"^tcp  :\d+ ⇄ 127.0.0.1:{port}", screen, re.M)
        assert re.search(r"^sendto +0 ", screen, re.M) and re.search(r"^recvfrom ", screen, re.M)
        assert "SET: rps=" in screen  # what the benchmark says itself
        assert LIVE in rows[-1]
        before = number(screen, "^received")
        terminal.seen(lambda screen: number(screen, "received") > before)

        terminal.press("c")
        terminal.press("s")
        terminal.seen(
            lambda screen: (screen.find("\nsendto ") < screen.find("\nrecvfrom ")) and "\nrecvfrom " in screen
        )
        terminal.press("r")
        terminal.seen(lambda screen: (screen.find("\nrecvfrom ") < screen.find("\nsendto ")) and "\nsendto " in screen)
        terminal.press("/", "n", "d", "t")
        terminal.seen(lambda screen: "/ndt" in screen and "\nrecvfrom " not in screen and "\nsendto " in screen)
        terminal.press("Escape")  # by itself: with a key behind it, it is Alt and that key
        terminal.seen(lambda screen: "/ndt" not in screen and LIVE in screen)
        terminal.press("?")
        terminal.seen("scroll the program's output")
        terminal.press("Escape")
        terminal.seen(lambda screen: "scroll the program's output" not in screen)
        terminal.press("q")
        terminal.seen("The program still runs.")
        terminal.press("e")
        screen = terminal.prompt()
        assert "audit: the kernel's TCP counters agree on" in terminal.all()
        assert_terminal_as_before(terminal)


def test_nothing_of_the_output_is_lost_and_the_last_screen_stays(
    terminal: Tmux, targets: Targets, tmp_path: Path
) -> None:
    file = tmp_path / "report.json"
    options: list[str | Path] = ["--live", "--format", "json", "-o", file, "--"]
    terminal.type([*tracing(*options), targets("onscreen"), "50", "100"])
    terminal.seen(LIVE)
    terminal.prompt()
    said = terminal.all()
    assert [f"{one}.{two}" for one in range(50) for two in range(100)] == re.findall(
        r"line (\d+\.\d+) of \[bold\]", said
    )
    assert "on a terminal" in said
    (told,) = re.findall(r'^\{"sent": .*\}$', said, re.M)
    behind = said.partition(told)[2]
    assert number(behind, r"sent") == pytest.approx(json.loads(told)["sent"], rel=0.01)
    assert re.search(r"^processes", behind, re.M) and re.search(r"^tcp ", behind, re.M)
    assert json.loads(file.read_text())["totals"]["sent"] == json.loads(told)["sent"]
    assert_terminal_as_before(terminal)


def test_ctrl_c_in_the_view_reaches_the_program(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    terminal.press("C-c")
    terminal.prompt()
    assert "ended by signal 2" in terminal.all()
    assert_terminal_as_before(terminal)


def test_a_terminal_that_changes_its_size_is_filled_again(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    terminal.run("resize-window", "-x", "120", "-y", "40")
    terminal.seen(lambda screen: LIVE in screen.splitlines()[-1] and len(screen.splitlines()) == 40)
    terminal.run("resize-window", "-x", "60", "-y", "15")
    terminal.seen(lambda screen: LIVE in screen.splitlines()[-1] and len(screen.splitlines()) == 15)
    terminal.press("q", "k")
    assert_terminal_as_before(terminal)


def test_files_and_pipes_are_not_taken_from_the_program(terminal: Tmux, targets: Targets, tmp_path: Path) -> None:
    terminal.type([*tracing("-q", "--live"), targets("onscreen"), "20"], shell=f">{tmp_path}/out </dev/null")
    terminal.seen(LIVE)
    terminal.prompt()
    said = (tmp_path / "out").read_text()
    assert said.startswith("on no terminal\n") and said.count("\x1b[32mline\x1b[0m") == 20


def test_without_a_terminal_one_line_says_so() -> None:
    words = [*PTMON, "--live", "true"]
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=DEADLINE, start_new_session=True, env=environment
    )
    assert done.returncode == 125
    assert (
        done.stderr
        == "ptmon: --live wants a terminal, and there is none (/dev/tty: ENXIO: No such device or address)\n"
    )


def test_without_textual_one_line_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['textual'] = None; import ptmon.__main__ as main; sys.exit(main.start())"
    words = ["-c", code, "--live", "true"]
    done = subprocess.run([PTMON[0], *words], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 125
    assert len(done.stderr.splitlines()) == 1 and "pip install 'ptmon[live]'" in done.stderr


def test_the_view_loads_only_where_it_is_asked_for() -> None:
    code = "import sys, ptmon.__main__ as main; main.start();"
    code += "print([one for one in sys.modules if one.startswith('ptmon.live') or 'textual' in one])"
    done = subprocess.run([PTMON[0], "-c", code, "true"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.stdout == "[]\n"


def test_another_ptmon_s_view_is_shown_by_its_event_server(terminal: Tmux, targets: Targets, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("word\n")
    token.chmod(0o600)
    options: list[str | Path] = ["-q", "--serve", "0", "--serve-token-file", token]
    with started(
        [*tracing(*options), targets("onscreen")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as other:
        assert other.stderr is not None
        port = said_port(other.stderr)
        terminal.type([*PTMON, "--connect", str(port)])
        terminal.seen("ptmon: no events came")
        terminal.prompt()
        for ending in ("q", "the end"):
            terminal.type([*PTMON, "--connect", str(port), "--serve-token-file", token])
            screen = terminal.seen(
                lambda screen: LIVE in screen and number(screen, "sent") > 20_000 and re.search(r"[▇█]$", screen, re.M)
            )
            assert "onscreen" in screen.splitlines()[0] and "complete" in screen.splitlines()[0]
            assert re.search(r"^sendto +0 ", screen, re.M) and re.search(r"^recvfrom ", screen, re.M)
            assert "since this view is connected" in screen
            if ending == "q":
                terminal.press("C-z")
                terminal.seen("Stopped")
                terminal.type(["fg"])
                terminal.seen(LIVE)
                terminal.press("q")
            else:
                other.send_signal(signal.SIGTERM)
            terminal.prompt()
            assert re.search(r"^system calls", terminal.all(), re.M)
            assert_terminal_as_before(terminal)


def test_a_port_where_nobody_listens_is_one_line(terminal: Tmux) -> None:
    terminal.type([*PTMON, "--connect", "127.0.0.1:1"])
    terminal.seen("ptmon: cannot connect to 127.0.0.1:1: ECONNREFUSED")
    assert_terminal_as_before(terminal)
