# SPDX-License-Identifier: GPL-2.0-or-later
"""The examples of docs/DEPLOY.md."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ptmon import command_line
from tests.support import DEADLINE

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """With a service of that name, and with true in ptmon's place: the file is to be there."""
    (tmp_path / "some.service").write_text("[Service]\nExecStart=/bin/true\n")
    unit = tmp_path / "ptmon@some.service"
    unit.write_text((EXAMPLES / "ptmon@.service").read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, timeout=DEADLINE
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["ptmon@.service", "sidecar.yaml"])
def test_the_options_of_an_example_are_ptmons(name: str) -> None:
    text = (EXAMPLES / name).read_text()
    if name.endswith(".yaml"):
        (words,) = re.findall(r'command: \["ptmon", (.*)\]', text)
        command_line.parse([word.strip().strip('"') for word in words.split(",")])
        return
    (line,) = re.findall(r"exec /usr/bin/ptmon (.*?)'$", text.replace("\\\n", ""), re.MULTILINE)
    words = line.replace("%%", "%").replace('"$(systemctl show -p MainPID --value %i.service)"', "7").replace("%i", "x")
    command_line.parse(words.split())
