# SPDX-License-Identifier: GPL-2.0-or-later
"""git clone over git://: the daemon and the clone, each under its own ptmon. What one sends, the other receives.

The daemon hands the connection to git upload-pack as stdin and stdout, so the bytes are another process' than the
listening one's.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from tests.real import checked, free_port, over_tcp, program, serving, tcp_rows
from tests.support import DEADLINE, run_ptmon

BYTES = 3_000_017
"""Of a file that can't be compressed: the least that a clone must transfer."""


def environment(folder: Path) -> dict[str, str]:
    """git without anybody's settings."""
    settings = {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
    names = {f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**os.environ, **settings, **names}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [program("git"), *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A bare repository with a few commits, in a folder that a daemon may export."""
    work, bare = tmp_path / "work", tmp_path / "export" / "origin.git"
    git(tmp_path, "init", "-q", "-b", "main", str(work))
    (work / "random").write_bytes(random.Random(1).randbytes(BYTES))
    for number in range(5):
        (work / "text").write_text(f"{number}\n" * 1000)
        git(work, "add", ".")
        git(work, "commit", "-q", "-m", f"commit {number}")
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    return bare


@pytest.mark.parametrize("seccomp", ["on", "off"])
def test_a_daemon_sends_what_a_clone_receives(origin: Path, tmp_path: Path, seccomp: str) -> None:
    port, options = free_port(), ["--seccomp", seccomp]
    daemon = [program("git"), "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all", "--reuseaddr"]
    daemon += [f"--base-path={origin.parent}", str(origin.parent)]
    copy = tmp_path / "copy"
    with serving(daemon, port, tmp_path, options, env=environment(tmp_path)) as server:
        clone = [program("git"), "clone", "-q", f"git://127.0.0.1:{port}/{origin.name}", str(copy)]
        client = run_ptmon(clone, tmp_path / "client.json", options, env=environment(tmp_path))
        assert client.returncode == 0, client.stderr
        report = server.end(signal.SIGTERM, -signal.SIGTERM)
    assert git(copy, "rev-parse", "HEAD") == git(origin, "rev-parse", "HEAD")
    assert git(copy, "fsck", "--strict") == ""
    sent, received = over_tcp(checked(client.report))
    assert over_tcp(report) == (received, sent)
    assert BYTES < received < BYTES + 100_000
    (row,) = tcp_rows(report)
    assert row["local"] == f"127.0.0.1:{port}"
    serving_pids = {process["pid"] for process in report["processes"] if process["sent"]}
    assert serving_pids and server.pid not in serving_pids
