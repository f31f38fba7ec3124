# SPDX-License-Identifier: GPL-2.0-or-later
"""Socket activation, sd_listen_fds(3): the sockets that ptmon is given are the program's."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support import DEADLINE, Targets, tracing

START = """
exec 3<&0 </dev/null
export LISTEN_FDS=1 LISTEN_PIDFDID=12345 LISTEN_PID={pid}
exec "$@"
"""
"""As systemd does: the pid is that of the process which executes the service, here ptmon."""


def start(program: Path, pid: str, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = tracing("--format", "json", "-o", file, *options, "--", program)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return subprocess.run(
            ["sh", "-c", START.format(pid=pid), "sh", *command],
            stdin=listener.fileno(),
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_a_service_finds_the_sockets_that_were_given_to_ptmon(targets: Targets, tmp_path: Path, engine: str) -> None:
    done = start(targets("activated"), "$$", tmp_path / "r.json", "--engine", engine)
    assert done.returncode == 0, (done.stdout, done.stderr)
    said, told = done.stdout.splitlines()
    assert said == "mine 1 -"
    totals = json.loads((tmp_path / "r.json").read_text())["totals"]
    assert {key: totals[key] for key in ("sent", "received")} == {"sent": 17, "received": 17}
    assert json.loads(told)["sent"] == 17


def test_sockets_of_somebody_else_stay_so(targets: Targets, tmp_path: Path) -> None:
    done = start(targets("activated"), "1", tmp_path / "r.json")
    assert (done.returncode, done.stdout) == (1, "not mine 1 12345\n")
