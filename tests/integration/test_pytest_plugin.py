# SPDX-License-Identifier: GPL-2.0-or-later
"""``pytest --ptmon``: what each test moves with all that it starts, and tests that break their markers fail.

The tests that are run so are in files of their own; whoever reaches out does it in a network namespace.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_deny import IN_NAMESPACE, namespace
from tests.support import DEADLINE, Outcome

__all__ = ["namespace"]
HEAD = '''
import os, socket, subprocess, sys
import pytest

REACH = """
import os, socket
s = socket.socket()
print(os.getpid(), flush=True)
try: s.connect((%r, 80))
except OSError: pass
"""

def reach(host):
    exec(REACH % host)

def pair(count):
    a, b = socket.socketpair()
    a.send(b"x" * count)
    assert len(b.recv(count)) == count
'''


def run_tests(folder: Path, text: str, *options: str, words: tuple[str, ...] = (), stdin: str = "") -> Outcome:
    """A pytest over this one file, with --ptmon, in a namespace of its own."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    (folder / "test_it.py").write_text(HEAD + text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, *words, "-m", "pytest", "-p", "no:cacheprovider", "--ptmon", *options]
    done = subprocess.run(
        [*IN_NAMESPACE, *command],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        cwd=folder,
        input=stdin,
        env={**environment, "COLUMNS": "200"},
    )
    return Outcome(done.returncode, done.stdout, done.stderr, {})


def outcomes(outcome: Outcome) -> dict[str, str]:
    """Of pytest -rA: by test."""
    return {
        name: word
        for word, name in re.findall(r"^(PASSED|FAILED|ERROR) test_it\.py::([^\s:]+)(?:\s|$)", outcome.stdout, re.M)
    }


def table(outcome: Outcome) -> dict[str, tuple[str, str]]:
    """Sent and received, by what the row is of."""
    rows = re.findall(r"^ +(\d+ B) +(\d+ B)  (\S.*)$", outcome.stdout, re.M)
    return {name.removeprefix("test_it.py::"): (sent, received) for sent, received, name in rows}


def test_a_test_whose_grandchild_reaches_out_fails_and_it_is_named(namespace: None, tmp_path: Path) -> None:
    outcome = run_tests(
        tmp_path,
        """
@pytest.mark.no_global_network
@pytest.mark.parametrize("host", ["192.0.2.1", "10.1.2.3", "127.0.0.1"])
def test_grandchild(host):
    script = '"$0" -c "$1"; exit 0'
    words = ["sh", "-c", "sh -c '" + script + "' \\"$@\\"; exit 0", "sh", sys.executable, REACH % host]
    print("reaches", subprocess.run(words, check=True, capture_output=True, text=True).stdout)

def test_unmarked():
    reach("192.0.2.1")
""",
        "-rA",
    )
    assert outcome.returncode == 1, outcome.stderr
    assert outcomes(outcome) == {
        "test_grandchild[192.0.2.1]": "FAILED",
        "test_grandchild[10.1.2.3]": "PASSED",
        "test_grandchild[127.0.0.1]": "PASSED",
        "test_unmarked": "PASSED",
    }
    (line,) = re.findall(r"^no_global_network: .*$", outcome.stdout, re.M)
    pid = re.search(r"^reaches (\d+)$", outcome.stdout.partition("192.0.2.1] _")[2], re.M)
    assert pid is not None
    assert line == f"no_global_network: {Path(sys.executable).name}[{pid[1]}] reached out to 192.0.2.1:80 (connect)"


def test_a_test_that_moves_more_than_its_limit_fails(namespace: None, tmp_path: Path) -> None:
    outcome = run_tests(
        tmp_path,
        """
@pytest.mark.limit_traffic("1 kB")
def test_small():
    pair(500)

@pytest.mark.limit_traffic("1 kB")
def test_big():
    pair(501)

@pytest.mark.limit_traffic("1 kB")
def test_child():
    pid = os.fork()
    if not pid:
        pair(400)
        os._exit(0)
    os.waitpid(pid, 0)
    pair(300)

def test_free():
    pair(900)
""",
        "-rA",
    )
    assert outcome.returncode == 1, outcome.stderr
    assert outcomes(outcome) == {
        "test_small": "PASSED",
        "test_big": "FAILED",
        "test_child": "FAILED",
        "test_free": "PASSED",
    }
    assert table(outcome) == {
        "test_free": ("900 B", "900 B"),
        "test_child": ("700 B", "700 B"),
        "test_big": ("501 B", "501 B"),
        "test_small": ("500 B", "500 B"),
    }
    lines = re.findall(r"^limit_traffic: (.*?) were .*most of it by (\S+)\[\d+\], (.*?) with", outcome.stdout, re.M)
    assert sorted(lines) == [("1.00 kB", lines[0][1], "1.00 kB"), ("1.40 kB", lines[0][1], "800 B")]


def test_ten_tests_are_shown_and_what_is_between_them(namespace: None, tmp_path: Path) -> None:
    outcome = run_tests(
        tmp_path,
        """
pair(7)

@pytest.mark.parametrize("count", range(1, 13))
def test_it(count):
    pair(count)
""",
    )
    assert outcome.returncode == 0, outcome.stderr
    expected = {f"test_it[{count}]": (f"{count} B", f"{count} B") for count in range(12, 2, -1)}
    assert table(outcome) == {**expected, "outside of tests": ("7 B", "7 B")}
    assert "… and 2 more that moved something" in outcome.stdout


def test_what_set_up_and_teardown_do_is_the_tests(namespace: None, tmp_path: Path) -> None:
    outcome = run_tests(
        tmp_path,
        """
@pytest.fixture
def before():
    reach("192.0.2.1")

@pytest.fixture
def after():
    yield
    reach("2001:db8::1")

@pytest.mark.no_global_network
def test_before(before):
    pass

@pytest.mark.no_global_network
def test_after(after):
    pass

@pytest.mark.no_global_network
def test_skipped(before):
    pytest.skip("but it has reached out")
""".replace("2001:db8::1", "198.51.100.7"),
        "-rA",
    )
    assert outcome.returncode == 1
    assert outcome.stdout.count("FAILED test_it.py::test_before") == 1
    assert outcome.stdout.count("FAILED test_it.py::test_skipped") == 1
    assert outcome.stdout.count("ERROR test_it.py::test_after") == 1
    assert outcome.stdout.count("reached out to 192.0.2.1:80 (connect)\n") >= 2
    assert "reached out to 198.51.100.7:80 (connect)" in outcome.stdout


def test_a_process_belongs_to_the_test_that_has_started_it(namespace: None, tmp_path: Path) -> None:
    outcome = run_tests(
        tmp_path,
        """
go, done, left = os.pipe(), os.pipe(), []

@pytest.mark.no_global_network
def test_leaves():
    code = f"import os; os.read({go[0]}, 1)\\n" + REACH % "192.0.2.1" + f"os.write({done[1]}, b'x')"
    left.append(subprocess.Popen([sys.executable, "-c", code], pass_fds=(go[0], done[1]), stdout=subprocess.DEVNULL))

@pytest.mark.no_global_network
def test_goes_on():
    os.write(go[1], b"x")
    assert os.read(done[0], 1) == b"x"
    left[0].wait()
""",
        "-rA",
    )
    assert outcomes(outcome) == {"test_leaves": "PASSED", "test_goes_on": "PASSED"}
    assert outcome.returncode == 1
    name = re.escape(Path(sys.executable).name)
    said = rf"^FAILED test_it.py::test_leaves: after its end: {name}\[\d+\] reached out to 192.0.2.1:80 \(connect\)$"
    assert len(re.findall(said, outcome.stdout, re.M)) == 1


def test_a_test_in_a_process_of_its_own_does_not_hang(namespace: None, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import os\n"
        "from _pytest.runner import runtestprotocol\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        runtestprotocol(item, log=False, nextitem=nextitem)\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    return True\n"
    )
    outcome = run_tests(tmp_path, '\n@pytest.mark.no_global_network\ndef test_forked():\n    reach("192.0.2.1")\n')
    assert outcome.returncode == 1, outcome.stdout
    assert "FAILED test_it.py::test_forked: no_global_network: " in outcome.stdout


@pytest.mark.parametrize(
    ("text", "options", "status"),
    [
        ("def test_it(): pass\n", [], 0),
        ("def test_it(): assert False\n", [], 1),
        ("def other(): pass\n", [], 5),
        ("def test_it(): pass\n", ["--no-such-option"], 4),
        ("def test_it(): os._exit(77)\n", [], 77),
    ],
)
def test_the_exit_status_is_that_of_the_tests(
    namespace: None, tmp_path: Path, text: str, options: list[str], status: int
) -> None:
    assert run_tests(tmp_path, text, *options).returncode == status


def test_the_run_is_the_same_but_for_ptmon(namespace: None, tmp_path: Path) -> None:
    text = """
def test_it():
    print("cwd", os.getcwd(), "stdin", sys.stdin.read(), "argv", sys.argv[1:], sys.flags.dev_mode)
    print("left", [name for name in os.environ if name.startswith("PTMON")])
    print("fds", sorted(int(fd) for fd in subprocess.run(["ls", "/proc/self/fd"], stdout=-1, text=True).stdout.split()))
"""
    outcome = run_tests(tmp_path, text, "-s", "-q", words=("-X", "dev"), stdin="given")
    assert outcome.returncode == 0, outcome.stdout
    argv = ["-p", "no:cacheprovider", "--ptmon", "-s", "-q"]
    assert f"cwd {tmp_path} stdin given argv {argv} True\n" in outcome.stdout
    assert "left []\n" in outcome.stdout
    assert "fds [0, 1, 2, 3]\n" in outcome.stdout


def test_with_tests_at_the_same_time_it_says_what_it_cannot_do(namespace: None, tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    outcome = run_tests(tmp_path, "def test_it(): pass\n", "-n", "2")
    assert outcome.returncode == 4
    assert "--ptmon cannot tell tests apart that run at the same time: run them without -n" in outcome.stderr
    assert run_tests(tmp_path, "def test_it(): pass\n", "-n", "0").returncode == 0


@pytest.mark.parametrize("marker", ['limit_traffic("much")', "limit_traffic", "limit_traffic()"])
def test_a_limit_that_cannot_be_understood_is_an_error_before_any_test(
    namespace: None, tmp_path: Path, marker: str
) -> None:
    outcome = run_tests(tmp_path, f"\n@pytest.mark.{marker}\ndef test_it(): print('ran')\n", "-s")
    assert outcome.returncode == 4 and "limit_traffic" in outcome.stderr
    assert "\nran" not in outcome.stdout


def test_without_the_option_it_loads_nothing_and_the_markers_are_known(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\nimport pytest\n"
        "@pytest.mark.no_global_network\n@pytest.mark.limit_traffic('1 MB')\n"
        "def test_it():\n    print(sorted(name for name in sys.modules if name.split('.')[0] == 'ptmon'))\n"
    )
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", "-s", "-q"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("[")]
    mine = ["ptmon.testing", "ptmon.testing.marks", "ptmon.testing.plugin"]
    assert line.rstrip(".") == str(["ptmon", "ptmon.static", *mine, "ptmon.version"])


def test_ptmon_runs_without_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import ptmon.cli, ptmon.testing.parent, ptmon.testing.tally\n"
        "print(sorted(name for name in sys.modules if name.startswith(('_pytest', 'pluggy'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_ctrl_c_ends_the_tests_and_the_table_is_shown(tmp_path: Path) -> None:
    """The terminal sends it to ptmon and to pytest."""
    (tmp_path / "test_it.py").write_text(
        HEAD + "\ndef test_it():\n    pair(5)\n    os.write(2, b'ready\\n')\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--ptmon", "-s"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None and process.stderr.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2, out
    assert "KeyboardInterrupt" in out
    assert re.search(r"^ +5 B +5 B  test_it.py::test_it$", out, re.M)
