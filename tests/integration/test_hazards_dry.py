# SPDX-License-Identifier: GPL-2.0-or-later
"""A program without sockets does not stop for its transfers: however it comes by one, from then on all is counted."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.counting import I386, SKIPPED, compiled
from tests.hazards import Unprivileged, reasons, run_both
from tests.real import program
from tests.support import Outcome, Targets, run_plain, run_ptmon, tracing
from tests.watching import X86

WAYS = [
    *("socketpair", "socket", "child", "parent", "vfork", "by_sharer", "for_sharer", "getfd", "message", "ring"),
    *("execve", "blocked", "waking", "busy", "at_once", "filter", "thread_filter", "no_memory", "threads_no_memory"),
    *("no_rights", "hidden", "signals", "handler"),
]
"""How dry.c comes by its first socket, and what is in the way of the second filter then."""

CLOSELY = ("no_memory", "threads_no_memory")
"""Where there can be no second filter: all calls stop."""

AGAIN = ("busy", "at_once", "blocked", "for_sharer", "by_sharer", "signals", "threads_no_memory")
"""What threads or signals meet in."""

Dry = Callable[..., Outcome]


@pytest.fixture
def dry(targets: Targets, tmp_path: Path) -> Dry:
    """Runs dry.c plainly and under ptmon."""

    def run(way: str, flags: tuple[str, ...] = (), **more: Any) -> Outcome:
        target = compiled(targets, "dry", flags)
        return run_way(target, way, tmp_path, **more)

    return run


def run_way(target: Path, way: str, folder: Path, **more: Any) -> Outcome:
    user = {key: more[key] for key in ("user", "group", "extra_groups") if key in more}
    plain = run_plain(target, way, **user) if way in ("getfd", "ring") else None
    if plain and plain.returncode == SKIPPED:
        pytest.skip(plain.stderr.strip())
    done = run_both([target, way], folder / "report.json", complete=way != "ring", **more)
    assert reasons(done.report) == ({"io_uring"} if way == "ring" else set())
    return done


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_missed_however_the_first_socket_comes(dry: Dry, way: str) -> None:
    done = dry(way)
    assert done.totals["sent"] > 0


@pytest.mark.parametrize("way", AGAIN)
def test_nothing_is_missed_whoever_is_first(dry: Dry, way: str) -> None:
    for _ in range(3):
        dry(way, options=("--fast-after", "1"))


def test_threads_that_come_back_from_unseen_calls_find_the_code_whole(targets: Targets, tmp_path: Path) -> None:
    """Several at a time: then one that has been woken may have to wait for a CPU before it comes back."""

    def run(number: int) -> None:
        file, words = tmp_path / f"{number}.json", [str(targets("dry")), "blocked"]
        done = run_ptmon(words, file, ("--fast-after", "1"))
        assert done.returncode == 0
        assert done.totals["sent"] == done.told["sent"] and done.totals["received"] == done.told["received"]

    targets("dry")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(64)))


@pytest.mark.skipif(not X86, reason="no i386 here")
@pytest.mark.parametrize("way", ["socketpair", "socketcall", "socket", "child", "by_sharer", "message", "execve"])
def test_an_i386_program_comes_by_its_first_socket(dry: Dry, way: str) -> None:
    dry(way, I386)


@pytest.mark.parametrize("way", ["socketpair", "child", "busy", "signals"])
def test_a_static_program_comes_by_its_first_socket(dry: Dry, way: str) -> None:
    dry(way, ("-static",))


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_missed_without_capabilities(targets: Targets, nobody: Unprivileged, way: str) -> None:
    target = nobody.copy(targets("dry"))
    run_way(target, way, nobody.folder, **nobody.keywords)


def test_a_program_that_may_not_be_read_is_counted(targets: Targets, nobody: Unprivileged) -> None:
    target = nobody.copy(targets("dry"), mode=0o711)
    if nobody.keywords:
        os.chown(target, 0, 0)
    run_way(target, "socketpair", nobody.folder, **nobody.keywords)


def test_a_socket_that_the_program_is_given_is_counted(dry: Dry) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        done = dry("inherited", stdin=theirs)
    assert done.told["sent"] == done.totals["sent"] == 60 * 17


def test_a_socket_under_any_number_is_counted(targets: Targets, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        number = theirs.fileno()
        os.set_inheritable(number, True)
        command: list[str | Path] = ["/bin/bash", "-c", f'exec "$0" inherited <&{number}', targets("dry")]
        run_both(command, tmp_path / "report.json", pass_fds=(number,))


def test_a_go_program_comes_by_its_first_socket(tmp_path: Path) -> None:
    source = tmp_path / "dry.go"
    source.write_text(GO)
    places = {"GOCACHE": f"{tmp_path}/cache", "GOPATH": f"{tmp_path}/path", "GOTMPDIR": str(tmp_path)}
    settings = {"CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local", **places}
    subprocess.run([program("go"), "build", "-o", tmp_path / "dry", source], env={**os.environ, **settings}, check=True)
    run_both([tmp_path / "dry"], tmp_path / "report.json", calls=False)


@pytest.mark.parametrize("fast", ["auto", "off"])
def test_a_program_without_sockets_stops_for_no_transfer(targets: Targets, tmp_path: Path, fast: str) -> None:
    environment = {**os.environ, "PTMON_DEBUG": "stops,patch"}
    options = ("--seccomp", "on", "--fast", fast, "--fast-after", "1")
    done = run_ptmon([targets("dry"), "never"], tmp_path / "report.json", options, env=environment)
    assert done.returncode == 0 and done.report["complete"]
    stops = [line for line in done.stderr.splitlines() if "-stop " in line or "PTRACE_EVENT" in line]
    assert not [line for line in stops if re.search(r" (read|write|close|dup2|openat) ", line)]
    assert len(stops) < 50
    assert "was looked at" not in done.stderr


@pytest.mark.parametrize("supervised", [False, True])
def test_who_is_supervised_with_ptmon_may_be_given_sockets(targets: Targets, tmp_path: Path, supervised: bool) -> None:
    """So its transfers stop; a filter without a supervisor gives none."""
    number = {"x86_64": 163, "aarch64": 89}[os.uname().machine]
    words = [
        sys.executable,
        "-c",
        OUTER,
        str(number),
        str(int(supervised)),
        *tracing("--seccomp", "on", "--fast", "off"),
    ]
    environment = {**os.environ, "PTMON_DEBUG": "stops"}
    done = run_plain(*words, "-o", tmp_path / "report", "--", targets("dry"), "never", env=environment)
    assert done.returncode == 0, done.stderr
    assert ("PTRACE_EVENT_SECCOMP read " in done.stderr) is supervised


def test_a_shell_and_its_children_stop_for_no_transfer(tmp_path: Path) -> None:
    environment = {**os.environ, "PTMON_DEBUG": "stops"}
    words = ["/bin/sh", "-c", "for i in 1 2 3; do /bin/echo $i | /bin/cat; done"]
    done = run_ptmon(words, tmp_path / "report.json", ("--seccomp", "on"), env=environment)
    assert done.stdout == "1\n2\n3\n"
    assert not re.search(r"PTRACE_EVENT_SECCOMP (read|write|close|dup2|dup3|execve) ", done.stderr)


@pytest.mark.parametrize("flags", [(), *([I386] if X86 else [])])
def test_who_takes_the_ids_that_it_has_stops_for_no_transfer(
    targets: Targets, tmp_path: Path, flags: Sequence[str]
) -> None:
    """As make does before each program that it starts."""
    target = compiled(targets, "dry", flags)
    done = run_ptmon([target, "same_ids"], tmp_path / "report.json", ("--seccomp", "on"), env={"PTMON_DEBUG": "stops"})
    assert done.returncode == 0, done.stderr
    assert "PTRACE_EVENT_SECCOMP setresuid" in done.stderr
    assert not re.search(r"PTRACE_EVENT_SECCOMP (read|write|close|dup2|dup3|execve) ", done.stderr)


def test_who_has_no_socket_and_no_second_thread_does_not_stop_at_its_exit(targets: Targets, tmp_path: Path) -> None:
    thread = "import threading; thread = threading.Thread(target=len, args=[()]); thread.start(); thread.join()"
    words: list[str | Path] = ["/bin/sh", "-c", '/bin/true; "$0" socketpair; "$1" -Sc "$2"; exit 7', targets("dry")]
    options = ("--seccomp", "on")
    done = run_ptmon([*words, sys.executable, thread], tmp_path / "report.json", options, env={"PTMON_DEBUG": "stops"})
    rows = done.report["processes"]
    exits = [int(tid) for tid in re.findall(r"\[(\d+)\]  PTRACE_EVENT_EXIT", done.stderr)]
    assert [row["exit"]["code"] for row in rows] == [7, 0, 0, 0]
    assert [row["pid"] in exits for row in rows] == [False, False, True, True], done.stderr


def test_calls_are_counted_inside_once_there_is_a_socket(dry: Dry) -> None:
    if not X86:
        pytest.skip("calls are not counted inside here")
    done = dry("socketpair", options=("--fast", "auto", "--fast-after", "1", "--seccomp", "on"))
    assert done.report["path"]["fast"] > 100


@pytest.mark.parametrize("way", CLOSELY)
def test_who_gets_no_second_filter_stops_at_all_calls(dry: Dry, way: str) -> None:
    done = dry(way, options=("--seccomp", "on", "--fast", "auto"), env={"PTMON_DEBUG": "stops"})
    assert "syscall-enter-stop write" in done.stderr
    if X86:
        assert any("further seccomp filter" in row["reason"] for row in done.report["fallbacks"])


OUTER = """
import ctypes, struct, subprocess, sys
ALLOW, NOTIFY, NO_NEW_PRIVS, LISTENER = 0x7FFF0000, 0x7FC00000, 38, 8
number, supervised = int(sys.argv[1]), sys.argv[2] == "1"
lines = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, NOTIFY if supervised else ALLOW), (6, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
seccomp = {163: 317, 89: 277}[number]
assert libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert libc.syscall(seccomp, 1, LISTENER if supervised else 0, program) >= 0
sys.exit(subprocess.run(sys.argv[3:]).returncode)
"""
"""Runs a command under a filter that asks a supervisor about acct(2), or nobody."""

GO = """package main

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

func main() {
	var group sync.WaitGroup
	r, w, _ := os.Pipe()
	for i := 0; i < 100; i++ {
		w.Write([]byte("x"))
		r.Read(make([]byte, 1))
	}
	total := 0
	var lock sync.Mutex
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err != nil {
				panic(err)
			}
			for j := 0; j < 100; j++ {
				syscall.Write(pair[0], []byte("hello"))
				syscall.Read(pair[1], make([]byte, 5))
			}
			lock.Lock()
			total += 500
			lock.Unlock()
		}()
	}
	group.Wait()
	fmt.Printf("{\\"sent\\": %d, \\"received\\": %d}\\n", total, total)
}
"""


@pytest.mark.parametrize("fast", ["auto", "off"])
def test_of_many_threads_that_come_to_a_first_socket_at_once_one_or_a_few_install_the_filter(
    targets: Targets, tmp_path: Path, fast: str
) -> None:
    command = [str(targets("litter")), "200", "threads"]
    before = int(run_plain(*command).stdout.splitlines()[0])
    traced = run_ptmon(command, tmp_path / "report.json", ["--fast", fast])
    filters, _ = traced.stdout.splitlines()
    moved = (traced.told["sent"], traced.told["received"])
    assert (traced.totals["sent"], traced.totals["received"]) == moved == (3000, 3000)
    assert traced.report["complete"], traced.report["warnings"]
    if before >= 0:  # Linux 5.9
        assert before < int(filters) < before + 20
