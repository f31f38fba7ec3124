# SPDX-License-Identifier: GPL-2.0-or-later
"""--hooks: the user's own functions around system calls. What they see, and what their answers do."""

from __future__ import annotations

import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.attaching import attached
from tests.hazards import Unprivileged
from tests.hooking import Hooked, hooks_file, run_hooked, told
from tests.support import DEADLINE, Targets, run_plain, run_ptmon, started

SECCOMP = pytest.mark.parametrize("seccomp", ["on", "off"])


@pytest.fixture
def hooked(tmp_path: Path) -> Hooked:
    """``hooked(text, program, arg...)`` runs a program with the hooks in ``text``."""
    return partial(run_hooked, tmp_path)


GUARD = """
@ptmon.hook("execve", "execveat", when="entry")
def guard(call):
    tell(path=call.arguments["filename"], argv=call.arguments["argv"], by=call.process)
    if call.arguments["filename"].endswith("/false"):
        return ptmon.Deny("EPERM")
"""


@SECCOMP
def test_a_hook_denies_one_program_and_lets_others_pass(hooked: Hooked, tmp_path: Path, seccomp: str) -> None:
    script = "/bin/echo one; /bin/false; echo $?; /bin/echo two"
    outcome = hooked(GUARD, "sh", "-c", script, options=("--seccomp", seccomp))
    assert (outcome.returncode, outcome.stdout) == (0, "one\n126\ntwo\n"), outcome.stderr
    assert outcome.report["denied"] == [{"rule": "hook guard", "syscall": "execve", "errno": "EPERM", "calls": 1}]
    assert [(row["path"], row["argv"], row["by"]) for row in told(tmp_path)] == [
        ("/bin/echo", ["/bin/echo", "one"], "sh"),
        ("/bin/false", ["/bin/false"], "sh"),
        ("/bin/echo", ["/bin/echo", "two"], "sh"),
    ]


COUNT = """
import atexit, collections, threading
calls, threads = [], set()

@ptmon.hook("getppid")
def count(call):
    calls.append((call.tid, call.entering, call.result))
    assert call.tid not in threads or not call.entering
    threads.add(call.tid) if call.entering else threads.remove(call.tid)

@atexit.register
def end():
    tell(entries=sum(entering for _, entering, _ in calls), returns=sum(not entering for _, entering, _ in calls),
         threads=len({tid for tid, _, _ in calls}), results=sorted({result for *_, result in calls if result}),
         within=len(threads), main=threading.current_thread() is threading.main_thread())
"""


@SECCOMP
def test_a_hook_on_a_call_of_64_threads_misses_none(
    hooked: Hooked, targets: Targets, tmp_path: Path, seccomp: str
) -> None:
    outcome = hooked(COUNT, targets("callers"), "64", "100", options=("--seccomp", seccomp))
    assert (outcome.returncode, outcome.stdout) == (0, "6400 0\n"), outcome.stderr
    (row,) = told(tmp_path)
    assert (row["entries"], row["returns"], row["threads"], row["within"]) == (6400, 6400, 64, 0)
    assert len(row["results"]) == 1 and row["main"]


@SECCOMP
def test_a_hook_returns_a_value_in_place_of_the_call(hooked: Hooked, tmp_path: Path, seccomp: str) -> None:
    text = """
@ptmon.hook("getpid")
def other(call):
    tell(entering=call.entering, result=call.result)
    return ptmon.Return(4242) if call.entering else None
"""
    python = ["/usr/bin/env", "python3", "-c", "import os; print(os.getpid())"]
    outcome = hooked(text, *python, options=("--seccomp", seccomp))
    assert (outcome.returncode, outcome.stdout) == (0, "4242\n"), outcome.stderr
    assert outcome.report["denied"] == []
    assert {(row["entering"], row["result"]) for row in told(tmp_path)} == {(True, None), (False, 4242)}


def test_a_hook_reads_memory_and_sees_results(hooked: Hooked, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    text = """
@ptmon.hook("openat")
def opened(call):
    if call.arguments["filename"].startswith(HERE):
        tell(stage="entry" if call.entering else "return", path=os.path.basename(call.read_string(call.args[1])),
             result=call.result, errno=call.errno, text=call.text.replace(HERE, ""))

@ptmon.hook("write", when="entry")
def written(call):
    tell(fd=call.args[0], data=call.read(call.args[1], call.args[2]).decode())
"""
    outcome = hooked(text, "sh", "-c", f"echo written by sh; : < {tmp_path}/there; : < {tmp_path}/absent")
    assert outcome.stdout == "written by sh\n"
    rows = told(tmp_path)
    assert {"fd": 1, "data": "written by sh\n"} in rows
    opened = [row for row in rows if "path" in row]
    assert [(row["stage"], row["path"], row["errno"]) for row in opened] == [
        ("entry", "there", None),
        ("return", "there", None),
        ("entry", "absent", None),
        ("return", "absent", "ENOENT"),
    ]
    assert opened[0]["result"] is None and opened[1]["result"] >= 3 and opened[3]["result"] == -2
    assert opened[0]["text"].startswith('openat(AT_FDCWD, "/there", O_RDONLY')
    assert opened[1]["text"].endswith(f" = {opened[1]['result']}")
    assert opened[3]["text"].endswith(" = -1 ENOENT (No such file or directory)")


def test_what_hooks_print_stands_where_the_program_was_then(hooked: Hooked) -> None:
    text = """
@ptmon.hook("execve", when="entry")
def look(call):
    print("before", call.arguments["argv"][-1])
"""
    outcome = hooked(text, "sh", "-c", "/bin/echo one; /bin/echo two; kill -KILL $$")
    assert outcome.stdout == "before one\none\nbefore two\ntwo\n"
    assert outcome.returncode == -signal.SIGKILL


def test_hooks_of_an_attached_process(targets: Targets, tmp_path: Path) -> None:
    text = """
@ptmon.hook("socket", when="entry")
def guard(call):
    tell(domain=str(call.arguments["family"] if "family" in call.arguments else call.args[0]))
    return ptmon.Deny("EPERM") if call.args[0] == 16 else None
"""
    with started([targets("refused"), "wait"], stdin=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        with attached(process.pid, tmp_path / "r.json", "--hooks", str(hooks_file(tmp_path, text))) as ptmon:
            out = process.communicate("x", timeout=DEADLINE)[0]
            ptmon.finish()
    assert process.returncode == 3
    assert "netlink: EPERM\n" in out and "unix: done\n" in out
    assert ptmon.report["denied"] == [{"rule": "hook guard", "syscall": "socket", "errno": "EPERM", "calls": 1}]
    assert len(told(tmp_path)) == 3


def test_rules_come_before_hooks_and_the_trace_sees_both(hooked: Hooked, targets: Targets, tmp_path: Path) -> None:
    text = """
@ptmon.hook("socket", "socketpair", when="entry")
def guard(call):
    tell(name=call.name, family=call.args[0])
    return ptmon.Deny("EPERM") if call.name == "socketpair" else None
"""
    outcome = hooked(text, targets("refused"), options=("--deny", "socket:netlink=EIO"))
    assert "netlink: EIO\n" in outcome.stdout and "socketpair: EPERM\n" in outcome.stdout
    assert {row["rule"]: row["calls"] for row in outcome.report["denied"]} == {
        "socket:netlink=EIO": 1,
        "hook guard": 1,
    }
    assert [row["family"] for row in told(tmp_path) if row["name"] == "socket"] == [1, 2], "a refused call asks nobody"


def test_hooks_for_a_user_without_privileges(targets: Targets, nobody: Unprivileged) -> None:
    file = nobody.folder / "report.json"
    path = hooks_file(nobody.folder, GUARD)
    path.chmod(0o644)
    command = ["sh", "-c", "/bin/false; echo $?; /bin/true; echo $?"]
    outcome = run_ptmon(command, file, ["--hooks", str(path)], **nobody.keywords)
    assert (outcome.returncode, outcome.stdout) == (0, "126\n0\n"), outcome.stderr
    assert [row["path"] for row in told(nobody.folder)] == ["/bin/false", "/bin/true"]


def test_transfers_of_held_calls_are_counted_once(hooked: Hooked, targets: Targets, tmp_path: Path) -> None:
    text = """
@ptmon.hook("%network", "read", "write")
def look(call):
    call.text
"""
    plain = run_plain(targets("counting"), "sendto")
    outcome = hooked(text, targets("counting"), "sendto")
    assert outcome.stdout == plain.stdout and outcome.stderr == ""
    assert (outcome.totals["sent"], outcome.totals["received"]) == (outcome.told["sent"], outcome.told["received"])
    assert outcome.report["complete"]
