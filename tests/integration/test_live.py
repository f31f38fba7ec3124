# SPDX-License-Identifier: GPL-2.0-only
"""--live on a terminal, as a person sees it and presses its keys: by tmux."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Tmux, tmux
from tests.real import free_port, listening, program
from tests.serving import said_port
from tests.support import DEADLINE, PTMON, Targets, process_state, started, tracing, until

LIVE = "/ filter Tab"
"""In the view's last line."""
WRITES = "of [bold]many"
"""What onscreen writes all the time."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Tmux]:
    with tmux(tmp_path, 80, 24) as found:
        yield found


def number(screen: str, pattern: str) -> float:
    """The number of bytes that follows ``pattern``."""
    match = re.search(pattern + r"\s+([\d.]+) (B|KiB|MiB|GiB)", screen, re.M)
    return float(match[1]) * 1024 ** ("B", "KiB", "MiB", "GiB").index(match[2]) if match else 0.0


def assert_terminal_as_before(terminal: Tmux) -> None:
    """Cooked, with echo, on the first screen, with a cursor."""
    terminal.prompt()
    terminal.type(["stty", "-a"], shell="| grep -oE -- '-?(icanon|echo|isig|ixon)\\b' | paste -sd,")
    terminal.seen(lambda screen: re.search(r"^isig,icanon,echo|^ixon,isig,icanon,echo", screen, re.M))
    assert terminal.run("display", "-p", "#{alternate_on}#{cursor_flag}").strip() == "01"


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


def test_a_program_that_is_left_runs_on_and_ctrl_c_reaches_it(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(LIVE)
    terminal.seen(WRITES)
    terminal.press("q", "r")
    terminal.seen(lambda screen: LIVE not in screen and "line" in screen)
    terminal.press("C-c")
    terminal.prompt()
    said = terminal.all()
    assert "ended by signal 2" in said and "payload bytes" in said
    assert_terminal_as_before(terminal)


def test_ctrl_c_in_the_view_reaches_the_program(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    terminal.press("C-c")
    terminal.prompt()
    assert "ended by signal 2" in terminal.all()
    assert_terminal_as_before(terminal)


def test_ctrl_z_gives_the_terminal_back_and_fg_shows_the_view_again(terminal: Tmux, targets: Targets) -> None:
    terminal.type([*tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    for _ in range(2):
        terminal.press("C-z")
        terminal.seen(lambda screen: "Stopped" in screen and screen.rstrip().endswith("shell>"))
        assert_terminal_as_before(terminal)
        terminal.type(["fg"])
        terminal.seen(LIVE)
    before = number(terminal.screen(), "sent")
    terminal.seen(lambda screen: number(screen, "sent") > before)
    terminal.press("q", "k")
    terminal.prompt()
    assert "killed by SIGKILL" in terminal.all()
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


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_attached_a_key_detaches_and_the_process_runs_on(terminal: Tmux, targets: Targets, key: str) -> None:
    with started([targets("onscreen")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        terminal.type([*tracing("--live"), "-p", str(process.pid)])
        terminal.seen(lambda screen: number(screen, "sent") > 2000 and f"{process.pid} " in screen)
        terminal.press("C-z")  # who is attached does not stop
        terminal.press(key)
        terminal.prompt()
        assert "detached" in terminal.all()
        assert_terminal_as_before(terminal)
        assert process.poll() is None and process_state(process.pid) in "RS"


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_a_key_ends_waiting_for_a_program(terminal: Tmux, key: str) -> None:
    terminal.type([*PTMON, "--live", "--wait", "no-such-program"])
    terminal.seen(LIVE)
    terminal.seen("waiting for no-such-program")
    terminal.press(key)
    assert_terminal_as_before(terminal)


def test_a_log_that_has_moved_is_opened_anew_while_the_view_waits(terminal: Tmux, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = [*PTMON, "--live", f"--log={log}", "--wait", "no-such-program"]
    terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *words])
    terminal.seen("waiting for no-such-program")
    log.rename(tmp_path / "log.1")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGHUP)
    until(log.exists, "the new log")
    terminal.press("q")
    assert_terminal_as_before(terminal)


@pytest.mark.parametrize("how", [["-p", "{}"], ["--wait", "no-such-program"], ["--", "{target}"]])
def test_sigterm_to_ptmon_leaves_the_terminal_as_it_was(
    terminal: Tmux, targets: Targets, tmp_path: Path, how: list[str]
) -> None:
    with started([targets("onscreen")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        words = [word.format(process.pid, target=targets("onscreen")) for word in how]
        terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *tracing("--live"), *words])
        terminal.seen(LIVE)
        if how[0] == "--":
            terminal.seen(WRITES)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        assert_terminal_as_before(terminal)


def test_a_program_that_cannot_be_started_leaves_the_terminal_as_it_was(terminal: Tmux) -> None:
    terminal.type([*PTMON, "--live", "/no/such/program"])
    terminal.seen("ptmon: /no/such/program")
    assert_terminal_as_before(terminal)


def broken(patch: str, *words: str | Path) -> list[str | Path]:
    """ptmon with a fault in it, that Python code makes."""
    code = f"{patch}; import sys, ptmon.__main__ as main; sys.exit(main.start())"
    return [PTMON[0], "-c", code, *words]


def test_a_view_that_fails_ends_and_counting_goes_on(terminal: Tmux, targets: Targets, tmp_path: Path) -> None:
    patch = "from ptmon.live import picture; picture.table = lambda *words: 1 / 0"
    file = tmp_path / "report.json"
    terminal.type(broken(patch, "--live", "--format", "json", "-o", file, "--", targets("onscreen")))
    until(lambda: "the live view failed, counting goes on: ZeroDivisionError" in terminal.all(), "that it says so")
    terminal.press("C-c")
    assert_terminal_as_before(terminal)
    (told,) = re.findall(r'^\{"sent": .*\}$', terminal.all(), re.M)
    assert json.loads(file.read_text())["totals"]["sent"] == json.loads(told)["sent"] > 0


def test_a_ptmon_that_fails_half_way_leaves_the_terminal_as_it_was(terminal: Tmux, targets: Targets) -> None:
    patch = "from ptmon.session import Session; Session._result = lambda *words: 1 / 0"
    terminal.type(broken(patch, "--live", targets("onscreen"), "100"))
    terminal.seen(WRITES)
    terminal.seen("ZeroDivisionError")
    assert_terminal_as_before(terminal)
    assert terminal.all().count(WRITES) == 100


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
    code += "print([one for one in sys.modules if 'live' in one or 'textual' in one])"
    done = subprocess.run([PTMON[0], "-c", code, "true"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.stdout == "[]\n"


def test_the_end_of_the_terminal_is_the_end_of_all(terminal: Tmux, targets: Targets, tmp_path: Path) -> None:
    terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    pid = int((tmp_path / "pid").read_text())
    terminal.run("kill-pane")
    until(lambda: process_state(pid) in ("", "Z"), "ptmon's end")


def test_ptmon_that_is_killed_by_the_kernel_takes_its_program_along(
    terminal: Tmux, targets: Targets, tmp_path: Path
) -> None:
    """Nobody can give the terminal back then, but nothing runs on unseen."""
    terminal.type(["sh", "-c", f'echo $$ >{tmp_path}/pid; exec "$@"', "sh", *tracing("--live"), targets("onscreen")])
    terminal.seen(WRITES)
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    until(lambda: process_state(pid) in ("", "Z"), "ptmon's end")


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
