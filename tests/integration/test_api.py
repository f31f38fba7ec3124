# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python API, as other programs use it: each test is a script of its own, which is no tracer but has one in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.attaching import assert_free, busy, held_by
from tests.hazards import running
from tests.scripting import heard, listen, run, words
from tests.support import DEADLINE, Targets, process_state, started, status_field, until
from tests.watching import X86


def test_run_returns_the_report(targets: Targets) -> None:
    code = """
    report = ptmon.run(words)
    tell(report.totals.sent, report.exit.code, report.header.mode, list(report.command) == words)
    """
    assert run(code, targets("processes"), "children", 50) == [[150, 0, "launch", True]]


def test_a_program_that_is_missing_is_an_error_with_its_exit_status(tmp_path: Path) -> None:
    code = """
    for command in (["nosuch-program"], [words[0]], []):
        try:
            ptmon.run(command)
        except ptmon.PtmonError as error:
            tell(error.exit_status, str(error))
    """
    folder = str(tmp_path)
    assert run(code, folder, env={**os.environ, "PATH": "/usr/bin:/bin"}) == [
        [127, "nosuch-program: not found in PATH (ENOENT: No such file or directory)"],
        [126, f"{folder}: is a directory, not a program (EACCES: Permission denied)"],
        [125, "no program to start: the command is empty"],
    ]


def test_what_is_not_understood_is_an_error_before_anything_is_started(tmp_path: Path) -> None:
    code = """
    wrong = [dict(trace=["nosuch"]), dict(deny=["nosuch"]), dict(hooks=[print]), dict(seccomp="perhaps")]
    for keywords in wrong:
        try:
            ptmon.run(["touch", words[0]], **keywords)
        except ptmon.PtmonError as error:
            assert "\\n" not in str(error)
            tell("error")
    for command in ("touch x", ["touch", "a\\0b"]):
        try:
            ptmon.run(command)
        except (TypeError, ValueError) as error:
            tell("error")
    """
    assert run(code, tmp_path / "made") == ["error"] * 6
    assert list(tmp_path.iterdir()) == []


def test_events_come_in_order_and_to_the_callers_thread(targets: Targets) -> None:
    code = """
    events = []
    report = ptmon.run(words, on_event=lambda event: events.append((event, threading.current_thread().name)))
    kinds = [event.kind for event, _ in events]
    tell(sum(event.record.bytes for event, _ in events if event.kind == "send") == report.totals.sent)
    tell(kinds[:2], kinds[-1], {name for _, name in events} == {"MainThread"})
    tell([event.time for event, _ in events] == sorted(event.time for event, _ in events))
    with ptmon.launch(words, trace=["socketpair"], interval=0.001) as session:
        again = [event.kind for event in session]
    tell([kind for kind in again if kind not in ("enter", "return", "snapshot")] == kinds)
    tell(again.count("enter"), again.count("return"), session.report.totals.sent, session.dropped)
    """
    told = run(code, targets("processes"), "leaf")
    assert told == [True, [["clone", "exec"], "exit", True], True, True, [1, 1, 17, 0]]


def test_the_hosts_own_children_are_its_own(targets: Targets) -> None:
    code = """
    early = subprocess.Popen(["sh", "-c", "read line; exit 3"], stdin=subprocess.PIPE)
    with ptmon.launch(words) as session:
        late = subprocess.Popen(["sh", "-c", "exit 4"])
        early.communicate(b"go\\n")
        tell(early.returncode, late.wait())
        children = [subprocess.Popen(["sh", "-c", f"exit {n}"]) for n in range(50)]
        tell([child.wait() for child in children] == list(range(50)))
        last = subprocess.Popen(["sh", "-c", "exit 5"])
    tell(last.wait(), session.report.totals.sent)
    """
    assert run(code, targets("processes"), "children", 50) == [[3, 4], True, [5, 150]]


def test_the_hosts_signals_are_its_own(targets: Targets) -> None:
    code = """
    got = []
    numbers = (signal.SIGINT, signal.SIGUSR1, signal.SIGTERM, signal.SIGTSTP)
    for number in (*numbers, signal.SIGCHLD):
        signal.signal(number, lambda number, frame: got.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    def state():
        handlers = [signal.getsignal(number) for number in signal.valid_signals()]
        return handlers, signal.pthread_sigmask(signal.SIG_BLOCK, ())
    before = state()
    with ptmon.launch(words) as session:
        for number in numbers:
            os.kill(os.getpid(), number)
        subprocess.run(["true"])
        tell([number in got for number in (*numbers, signal.SIGCHLD)], state() == before)
    tell(state() == before)
    got.clear()
    os.kill(os.getpid(), signal.SIGINT)
    tell(got == [signal.SIGINT])
    """
    assert run(code, targets("processes"), "children", 20) == [[[True] * 5, True], True, True]


def test_a_server_is_attached_to_watched_and_let_go(targets: Targets) -> None:
    code = """
    with ptmon.attach(int(words[0])) as session:
        tell("attached", session.pid)
        got = 0
        for event in session:
            got += event.record.bytes if event.kind == "send" else 0
            if got == 3 * 35:
                break
        shot = session.snapshot()
        tell(shot.totals.sent, shot.totals.received, session.report is None)
        report = session.detach()
        tell(report.totals.sent, report.totals.received, report.header.mode, session.report is report)
        tell(all(event.kind == 'close' for event in session))
    sys.stdin.read()
    """
    with started([targets("send_recv_server")]) as server:
        assert server.stdout is not None
        port = server.stdout.readline().split()[1]
        with started(words(code, server.pid), stdin=subprocess.PIPE) as host:
            assert listen(host) == ["attached", server.pid]
            for _ in range(3):
                subprocess.run([targets("send_recv_client"), port], check=True, capture_output=True)
            assert listen(host) == [105, 105, True]
            assert listen(host) == [105, 105, "attach", True]
            assert listen(host) is True
            assert_free(server.pid)
            subprocess.run([targets("send_recv_client"), port], check=True, capture_output=True)
            assert host.communicate("")[1] == ""
            assert host.returncode == 0


def test_many_threads_in_the_middle_of_traffic(targets: Targets) -> None:
    code = """
    with ptmon.attach(int(words[0])) as session:
        tell("attached")
        sys.stdin.readline()
    tell(session.report.totals.sent, session.report.totals.received)
    """
    with busy(targets("busy")) as target, started(words(code, target.pid), stdin=subprocess.PIPE) as host:
        before = target.ask("count")
        assert listen(host) == "attached"
        until(lambda: held_by(target.pid, host.pid, "S") or traced(target.pid), "the attach")
        target.transfer()
        after = target.ask("count")
        assert host.stdin is not None
        host.stdin.write("\n")
        host.stdin.flush()
        assert listen(host) == [after["sent"] - before["sent"], after["received"] - before["received"]]
        assert_free(target.pid)
        target.quit()


def traced(pid: int) -> bool:
    """By a thread of another program, which TracerPid calls by its tid."""
    return status_field(pid, "TracerPid") != "0"


def test_a_loop_that_never_reads_stops_nothing(targets: Targets) -> None:
    code = """
    with ptmon.launch(words, buffer=100) as session:
        events = iter(session)
        tell(next(events).kind)
        report = session.wait(60)  # the program has ended by then, though nobody reads
        tell(report.totals.sent, session.dropped > 0, len(list(events)))
    """
    assert run(code, targets("processes"), "children", 500) == ["clone", [1500, True, 100]]


def test_dropped_events_are_told_by_run(targets: Targets) -> None:
    code = """
    import warnings
    gate = threading.Event()
    def slow(event):
        gate.wait(0.5)
        gate.set()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = ptmon.run(words, on_event=slow, buffer=10)
    tell(report.totals.sent, [warning.category.__name__ for warning in caught])
    """
    assert run(code, targets("processes"), "children", 50) == [[150, ["RuntimeWarning"]]]


def test_an_attach_that_fails_is_an_error_of_one_line(targets: Targets) -> None:
    code = """
    def fails(pids):
        try:
            with ptmon.attach(pids):
                tell("attached")
        except ptmon.PtmonError as error:
            assert "\\n" not in str(error)
            tell(str(error))
    child = subprocess.Popen(["sleep", "1000"])
    fails(child.pid)
    child.kill()
    fails(child.pid)
    child.wait()
    fails(child.pid)
    fails(os.getpid())
    fails([])
    """
    own, zombie, gone, itself, none = run(code)
    assert "is a child of this program" in own
    assert "is a child of this program" in zombie
    assert "there is no such process" in gone
    assert "a process cannot trace itself" in itself
    assert none == "no process to attach to"


def test_one_session_after_another(targets: Targets) -> None:
    code = """
    tell([ptmon.run(words).totals.sent for _ in range(5)])
    tell(threading.active_count(), len(os.listdir("/proc/self/fd")) <= 5)
    """
    assert run(code, targets("processes"), "lineage") == [[131] * 5, [1, True]]


def test_two_sessions_at_once(targets: Targets) -> None:
    code = """
    results = {}
    def work(name, number):
        results[name] = [ptmon.run([*words, str(number)]).totals.sent for _ in range(10)]
    threads = [threading.Thread(target=work, args=(number, number)) for number in (7, 40)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    tell(results[7], results[40])
    """
    assert run(code, targets("processes"), "children") == [[[21] * 10, [120] * 10]]


def test_an_attach_beside_a_launch(targets: Targets) -> None:
    code = """
    with ptmon.attach(int(words[0])) as one:
        totals = [ptmon.run(words[1:]).totals.sent for _ in range(5)]
        tell(totals)
        sys.stdin.readline()
    tell(one.report.totals.sent)
    """
    with busy(targets("busy")) as target:
        before = target.ask("count")["sent"]
        with started(words(code, target.pid, targets("processes"), "lineage"), stdin=subprocess.PIPE) as host:
            assert listen(host) == [131] * 5
            target.transfer()
            after = target.ask("count")["sent"]
            assert host.stdin is not None
            host.stdin.write("\n")
            host.stdin.flush()
            assert listen(host) == after - before
        target.quit()


def test_hooks_and_rules(targets: Targets, tmp_path: Path) -> None:
    code = """
    seen = []
    @ptmon.hook("socketpair", when="entry")
    def count(call):
        seen.append((call.name, threading.current_thread().name))
    @ptmon.hook("execve", when="entry")
    def no_true(call):
        return ptmon.Deny("EPERM") if call.arguments["filename"].endswith("/true") else None
    report = ptmon.run(words, hooks=(count, no_true), deny=["MKDIR=EROFS"])
    tell(seen, [[row.rule, row.syscall, row.errno, row.calls] for row in report.denied], report.exit.code)
    """
    script = f"{targets('processes')} leaf >{tmp_path}/out; mkdir {tmp_path}/new 2>/dev/null; /bin/true 2>/dev/null"
    mkdir = "mkdir" if X86 else "mkdirat"
    ((seen, denied, status),) = run(code.replace("MKDIR", mkdir), "sh", "-c", script)
    assert seen == [["socketpair", "ptmon"]]
    assert sorted(denied) == [["hook no_true", "execve", "EPERM", 1], [f"{mkdir}=EROFS", mkdir, "EROFS", 1]]
    assert status == 126
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_ctrl_c_while_the_tracers_thread_is_started_leaves_no_program(tmp_path: Path) -> None:
    program = tmp_path / "stays"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    code = """
    start = threading.Thread.start
    def interrupted(thread):
        start(thread)
        if thread.name == "ptmon":
            raise KeyboardInterrupt
    threading.Thread.start = interrupted
    try:
        ptmon.run(words)
    except KeyboardInterrupt:
        tell("interrupted")
    """
    assert run(code, program, "1000") == ["interrupted"]
    assert running(program) == []


def test_the_program_gets_the_hosts_environment_as_it_is_now(tmp_path: Path) -> None:
    code = """
    os.environ["PTMON_TEST_NOW"] = "here"
    os.environ.pop("PTMON_TEST_THEN")
    os.chdir(words[0])
    ptmon.run(["sh", "-c", "env >out"])
    """
    run(code, tmp_path, env={**os.environ, "PTMON_TEST_THEN": "gone"})
    found = (tmp_path / "out").read_text()
    assert "PTMON_TEST_NOW=here\n" in found
    assert "PTMON_TEST_THEN" not in found


def test_a_launched_program_that_is_detached_runs_on_uncounted(targets: Targets) -> None:
    code = """
    with ptmon.launch(["sh", "-c", f"{words[0]} leaf; read line; {words[0]} lineage"]) as session:
        while session.snapshot().totals.sent < 17:
            time.sleep(0.01)
        report = session.detach()
        tell(report.totals.sent, session.pid)
    tell(session.report.totals.sent)
    """
    with started(words(code, targets("processes")), stdin=subprocess.PIPE) as host:
        sent, pid = listen(host)
        assert sent == 17
        assert process_state(pid) in ("S", "R", "D", "t")
        output = host.communicate("\n", timeout=DEADLINE)[0].splitlines()
    assert json.loads(output[0])["sent"] == 131
    assert heard(output[-1]) == 17
    assert host.returncode == 0


def interrupted(command: Sequence[str | Path], group: bool) -> tuple[int, list[str]]:
    """SIGINT to a script in run(), or to its whole group as a terminal does. Its status, and what it printed."""
    code = """
    try:
        ptmon.run(words)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
    """
    with started(words(code, *command), start_new_session=True) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
        (os.killpg if group else os.kill)(host.pid, signal.SIGINT)
        output, _ = host.communicate(timeout=DEADLINE)
    return host.returncode, output.splitlines()


def test_ctrl_c_reaches_the_program_and_ends_run() -> None:
    script = "trap 'echo trapped; exit 0' INT; echo ready; while :; do sleep 0.05; done"
    assert interrupted(["sh", "-c", script], group=True) == (-signal.SIGINT, ["trapped", "interrupted"])


def test_a_program_that_ctrl_c_does_not_end_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "stays"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    words = ["sh", "-c", f"trap '' INT; echo ready; exec {program} 1000"]
    assert interrupted(words, group=True) == (-signal.SIGINT, ["interrupted"])
    assert interrupted(words, group=False) == (-signal.SIGINT, ["interrupted"])
    assert running(program) == []


def test_a_program_that_is_only_being_launched_at_ctrl_c_is_killed(tmp_path: Path) -> None:
    code = """
    from ptmon.api.events import EventQueue

    def wait_started(queue):
        raise KeyboardInterrupt

    EventQueue.wait_started = wait_started
    try:
        ptmon.run(words)
    except KeyboardInterrupt:
        tell("interrupted")
    """
    program = tmp_path / "stays"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    assert run(code, program, "1000") == ["interrupted"]
    assert running(program) == []


def test_an_error_in_the_block_of_an_attach_lets_go(targets: Targets) -> None:
    code = """
    try:
        with ptmon.attach(int(words[0])) as session:
            raise LookupError("mine")
    except LookupError as error:
        tell(str(error), session.report.totals.sent)
    """
    with busy(targets("busy")) as target:
        assert run(code, target.pid) == [["mine", 0]]
        assert_free(target.pid)
        target.transfer()
        target.quit()


def test_a_host_that_ends_without_leaving_the_block_lets_go(targets: Targets) -> None:
    code = """
    session = ptmon.attach(int(words[0])).__enter__()
    if words[1:]:
        other = ptmon.launch(words[1:]).__enter__()
    """
    with busy(targets("busy")) as target:
        run(code, target.pid, targets("processes"), "children", 20)
        assert_free(target.pid)
        target.transfer()
        target.quit()
    assert running(targets("processes")) == []


@pytest.mark.parametrize("module", ["ptmon", "ptmon.api"])
def test_the_examples_are_true(module: str) -> None:
    code = f"import doctest, {module} as module; print(*doctest.testmod(module))"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, env={**os.environ, "PATH": path}
    )
    assert done.stderr == ""
    failed, tried = map(int, done.stdout.split()[-2:])
    assert failed == 0, done.stdout
    assert tried >= 4


def test_only_a_name_that_never_ran_is_not_complete(targets: Targets) -> None:
    code = """
    for name in ("nothing", "processes"):
        report = ptmon.run(words, only=name)
        tell(report.complete, [warning.reason for warning in report.warnings], report.totals.sent)
    """
    assert run(code, targets("processes"), "leaf") == [[False, ["only"], 0], [True, [], 17]]
