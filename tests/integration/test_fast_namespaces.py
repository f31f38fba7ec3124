# SPDX-License-Identifier: GPL-2.0-or-later
"""A PID namespace whose /proc is another one's: the number of a process names somebody else there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, Targets, started, tracing

UNSHARE = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--pid", "--fork"]
SAME_ADDRESSES = ["setarch", "-R"]
"""All processes of one program have it at the same addresses: what is meant for one would fit the other."""
LAST_PID = "/proc/sys/kernel/ns_last_pid"


@pytest.fixture
def namespaces() -> None:
    """Skips where they may not be made."""
    words = [*SAME_ADDRESSES, *UNSHARE, "sh", "-c", f"echo 300 >{LAST_PID}"]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a PID namespace can't be made here: {done.stderr.strip()}")


def code_of(pid: int) -> str:
    """A digest of all code of a process as it is in its memory."""
    digest = hashlib.sha256()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, access, _, _, inode, *_ = line.split()
            if "x" in access and inode != "0":
                begin, end = (int(word, 16) for word in span.split("-"))
                memory.seek(begin)
                digest.update(memory.read(end - begin))
    return digest.hexdigest()


def traced(program: Path, file: Path, last: int) -> dict[str, Any]:
    """Traces a program in a namespace of its own where the numbers go on after ``last``. Its report."""
    words = tracing("--fast-after", "3", "--format", "json", "-o", file, "--", program, "quota")
    number = [*SAME_ADDRESSES, *UNSHARE, "sh", "-c", f'echo {last} >{LAST_PID} && exec "$@"', "sh"]
    done = subprocess.run([*number, *words], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads(file.read_text())
    told = json.loads(done.stdout.splitlines()[-1])
    assert (report["totals"]["sent"], report["totals"]["received"]) == (told["sent"], told["received"])
    assert report["complete"], report["warnings"]
    assert isinstance(report, dict)
    return report


@pytest.mark.usefixtures("namespaces")
def test_who_has_a_tracees_number_in_another_namespace_is_left_alone(targets: Targets, tmp_path: Path) -> None:
    program, file = targets("asking"), tmp_path / "report.json"
    ahead = traced(program, file, 300)["processes"][0]["pid"] - 300
    with started([*SAME_ADDRESSES, program, "quota", "wait"], stdin=subprocess.PIPE) as bystander:
        assert bystander.stdout is not None
        assert bystander.stdout.readline() == "ready\n"
        before = code_of(bystander.pid)
        report = traced(program, file, bystander.pid - ahead)
        assert report["processes"][0]["pid"] == bystander.pid
        assert code_of(bystander.pid) == before
        out, errors = bystander.communicate("\n", timeout=DEADLINE)
        assert (bystander.returncode, errors) == (0, ""), out
    assert report["path"]["fast"] == 0
    assert any("PID namespace" in row["reason"] for row in report["fallbacks"])


@pytest.mark.usefixtures("namespaces")
def test_an_attach_by_such_a_number_is_refused_in_one_line(tmp_path: Path) -> None:
    words = tracing("-o", tmp_path / "report.txt", "--attach")
    script = 'sleep 60 & "$@" $!; status=$?; kill $!; exit $status'
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", script, "sh", *words], capture_output=True, text=True, timeout=DEADLINE
    )
    assert done.returncode == 125
    assert len(done.stderr.splitlines()) == 1
    assert "/proc shows another PID namespace" in done.stderr
