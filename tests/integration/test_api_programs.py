# SPDX-License-Identifier: GPL-2.0-or-later
"""What the Python API is told of a program (where it starts, its environment, who has its output) and what it tells."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import ptmon
from tests.scripting import heard, run
from tests.support import DEADLINE

PAGE = Path(__file__).parents[2] / "docs" / "API.md"


def own_program(folder: Path) -> Path:
    """One that tells where it is on stdout, and of its environment on stderr."""
    folder.mkdir(exist_ok=True)
    program = folder / "own"
    program.write_text("#!/bin/sh\n/bin/pwd; echo $MINE ${HOME-none} >&2\n")
    program.chmod(0o755)
    return folder


def test_a_program_starts_where_it_is_told_to_and_with_the_environment_that_is_given(tmp_path: Path) -> None:
    code = """
    env = {"MINE": "yes", "PATH": words[0]}
    for keywords in (dict(env=env), dict(env={os.fsencode(name): os.fsencode(env[name]) for name in env})):
        report = ptmon.run(["own"], cwd=words[0], capture_output=True, **keywords)
        tell(report.stdout.decode(), report.stderr.decode(), report.exit.code)
    tell(ptmon.run(["./own"], cwd=words[0].encode(), capture_output=True).stdout.decode())
    with ptmon.launch(["sh", "-c", "pwd >out; exit $STATUS"], cwd=words[0], env={"STATUS": "7"}) as session:
        pass
    tell(session.report.exit.code, open(words[0] + "/out").read(), os.getcwd() != words[0])
    tell(ptmon.run(["/usr/bin/env"], env={}, capture_output=True).stdout.decode())
    """
    folder = own_program(tmp_path / "bin")
    expected = [f"{folder}\n", "yes none\n", 0]
    assert run(code, folder) == [expected, expected, f"{folder}\n", [7, f"{folder}\n", True], ""]


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_each_engine_starts_a_program_where_and_as_it_is_told_to(tmp_path: Path, engine: str) -> None:
    code = """
    from ptmon import EngineSettings, Session
    (out, ours), (err, other) = os.pipe(), os.pipe()
    environment = (b"MINE=a=b", b"PATH=" + os.fsencode(words[0]))
    settings = EngineSettings(command=("own",), cwd=words[0], environment=environment, streams=(ours, other))
    tell(Session(settings, engine=words[1]).run().exit.code, os.read(out, 999).decode(), os.read(err, 999).decode())
    for program, cwd in (("own", words[0] + "/own"), ("./none", words[0]), ("../bin", words[0])):
        try:
            Session(EngineSettings(command=(program,), cwd=cwd), engine=words[1]).run()
        except ptmon.PtmonError as error:
            tell(error.exit_status, str(error))
    """
    folder = own_program(tmp_path / "bin")
    assert run(code, folder, engine) == [
        [0, f"{folder}\n", "a=b none\n"],
        [125, f"cannot start own: its directory {folder}/own cannot be entered (ENOTDIR: Not a directory)"],
        [127, "./none: not found (ENOENT: No such file or directory)"],
        [126, "../bin: is a directory, not a program (EACCES: Permission denied)"],
    ]


def test_a_directory_or_environment_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    code = """
    for cwd in ("missing", sys.executable, "x" * 5000):
        try:
            ptmon.run(["touch", "made"], cwd=cwd, capture_output=True)
        except ptmon.PtmonError as error:
            tell(error.exit_status, str(error).replace(sys.executable, "FILE").replace("x" * 5000, "LONG"))
    for keywords in (dict(env={"A=B": "c"}), dict(env={"A": "b\\0"}), dict(env={"": "b"}), dict(cwd="a\\0b"),
                     dict(env={"A": 1}), dict(cwd=3)):
        try:
            ptmon.run(["touch", "made"], **keywords)
        except (TypeError, ValueError) as error:
            tell(type(error).__name__)
    tell(threading.active_count(), len(os.listdir("/proc/self/fd")))
    """
    start = "cannot start touch: its directory"
    assert run(code, cwd=tmp_path) == [
        [125, f"{start} missing cannot be entered (ENOENT: No such file or directory)"],
        [125, f"{start} FILE cannot be entered (ENOTDIR: Not a directory)"],
        [125, f"{start} LONG cannot be entered (ENAMETOOLONG: File name too long)"],
        *["ValueError"] * 4,
        *["TypeError"] * 2,
        [1, 4],
    ]
    assert list(tmp_path.iterdir()) == []


def test_what_a_program_prints_is_captured_whole() -> None:
    """More than pipes hold, on both streams by turns or on one first, by children too; and nothing of it is shown."""
    code = """
    turns = "import os; [(os.write(1, b'o' * 5000), os.write(2, b'e' * 4999)) for _ in range(1000)]"
    first = "import sys; sys.stderr.write('e' * 5_000_000); sys.stderr.flush(); sys.stdout.write('o' * 4_000_000)"
    report = ptmon.run(["sh", "-c", f'(echo child; sleep 0.1; echo late) & "$0" -c "{turns}"', sys.executable],
                       capture_output=True)
    out = report.stdout.replace(b"child\\n", b"").replace(b"late\\n", b"")
    tell(len(report.stdout) - len(out), out == b"o" * 5_000_000, report.stderr == b"e" * 4_999_000)
    report = ptmon.run([sys.executable, "-c", first], capture_output=True, follow=False)
    tell(report.stdout == b"o" * 4_000_000, report.stderr == b"e" * 5_000_000)
    tell(ptmon.run(["true"], capture_output=True).stdout == b"", ptmon.run(["true"]).stdout is None)
    tell(threading.active_count(), len(os.listdir("/proc/self/fd")))
    """
    assert run(code) == [[11, True, True], [True, True], [True, True], [1, 4]]


def test_output_that_cannot_be_captured_is_an_error_and_nothing_is_started(tmp_path: Path) -> None:
    """Whether there is room for no pipe, for half of one, or for one only."""
    code = """
    import resource
    ptmon.run(["true"], capture_output=True)  # what is loaded late is loaded now
    none = max(map(int, os.listdir("/proc/self/fd")))  # the lowest that is free
    for room in range(6):
        resource.setrlimit(resource.RLIMIT_NOFILE, (none + room, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        try:
            ptmon.run(["touch", "made"], capture_output=True)
        except ptmon.PtmonError as error:
            tell(str(error))
    resource.setrlimit(resource.RLIMIT_NOFILE, (99, 99))
    tell(threading.active_count(), len(os.listdir("/proc/self/fd")))
    """
    error = "cannot capture the output: no pipe (EMFILE: Too many open files)"
    assert run(code, cwd=tmp_path) == [*[error] * 6, [1, 4]]
    assert list(tmp_path.iterdir()) == []


def test_output_is_captured_by_a_host_without_streams(tmp_path: Path) -> None:
    code = """
    os.close(0), os.close(1), os.dup2(2, 9, False), os.close(2)
    report = ptmon.run(["sh", "-c", "echo out; echo err >&2; ls /proc/self/fd"], capture_output=True)
    os.open("/dev/null", os.O_RDWR), os.open(words[0], os.O_WRONLY | os.O_CREAT), os.dup2(9, 2)
    tell(report.stdout.decode().split(), report.stderr.decode())
    """
    run(code, tmp_path / "told")
    # ls has no stdin, so what it lists is open as 0.
    assert heard((tmp_path / "told").read_text()) == [["out", "0", "1", "2"], "err\n"]


def test_an_interrupted_run_waits_for_no_output_and_reads_no_more() -> None:
    """Who still has the pipe is told that nobody reads it."""
    code = """
    def interrupt(event):
        if event.kind == "exec" and event.record.argv[0] == "sleep":
            raise KeyboardInterrupt
    child = "while True: os.write(1, b'x')"
    program = f"import os; os.fork() or exec({child!r}); os.execvp('sleep', ['sleep', '1000'])"
    try:
        ptmon.run([sys.executable, "-c", program], capture_output=True, follow=False, on_event=interrupt)
    except KeyboardInterrupt:
        tell("interrupted")
    deadline = time.monotonic() + float(words[0])
    while threading.active_count() > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    tell(threading.active_count(), len(os.listdir("/proc/self/fd")))
    """
    assert run(code, int(DEADLINE)) == ["interrupted", [1, 4]]


TALK = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
other, _ = server.accept()
client.send(b"hello")
other.recv(3, socket.MSG_PEEK)
other.recv(9)
client.setblocking(False)
try:
    client.recv(1)
except OSError:
    pass
print(*["%s:%d" % one.getpeername() for one in (client, other)])
"""


def test_events_tell_bytes_and_peers() -> None:
    code = """
    events = []
    report = ptmon.run([sys.executable, "-c", words[0]], capture_output=True, on_event=events.append)
    tell(sorted((event.kind, event.bytes) for event in events if event.kind in ("send", "receive")))
    tell({event.peer for event in events if event.peer} == set(report.stdout.decode().split()))
    tell(sorted({event.kind for event in events if event.peer}))
    tell(*{event.bytes for event in events if event.kind not in ("send", "receive")})
    """
    moved = [["receive", 0], ["receive", 0], ["receive", 5], ["send", 5]]
    assert run(code, TALK) == [moved, True, ["close", "connect", "receive", "send", "socket"], 0]


def test_the_example_of_the_readme_tells_who_was_sent_what(tmp_path: Path) -> None:
    (example,) = (block for block in page_blocks() if "capture_output" in block)
    program = tmp_path / "tools" / "fetch"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\n{TALK}\nimport os, sys\nclient.setblocking(True)\nclient.send(b'again')\n"
        "print(*sys.argv[1:], os.getcwd(), os.environ['LANG'], 'HOME' in os.environ, file=sys.stderr)\n"
    )
    program.chmod(0o755)
    words = [sys.executable, "-c", example]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE)
    assert done.stderr == ""
    out = done.stdout.split("'")[1].removesuffix("\\n").encode() + b"\n"
    err = f"all {program.parent} C False\n".encode()
    sent = {out.decode().split()[0]: 10}
    assert done.stdout == f"0 {out!r} {err!r} {sent}\n"


def page_blocks() -> list[str]:
    """The examples of the page on the Python API."""
    section = PAGE.read_text()
    return [block.partition("```")[0] for block in section.split("```python\n")[1:]]


def test_pydoc_tells_of_the_functions_and_classes() -> None:
    words = [sys.executable, "-m", "pydoc", "ptmon"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE)
    classes, _, functions = done.stdout.partition("\nCLASSES\n")[2].partition("\nFUNCTIONS\n")
    for name in set(ptmon.__all__) - {"__version__"}:
        item = getattr(ptmon, name)
        of_class = isinstance(item, type)
        told = classes.partition(f"class {name}(")[2] if of_class else f"\n{functions}".partition(f"\n    {name}(")[2]
        assert (inspect.getdoc(item) or "").splitlines()[0] in told, name


def test_asking_what_there_is_loads_no_engine() -> None:
    code = "tell(sorted(set(ptmon.__all__) - set(dir(ptmon))), 'ptmon.engines' in sys.modules)"
    assert run(code) == [[[], False]]
