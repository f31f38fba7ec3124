# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the report goes: -o FILE, stderr, and what comes of a file that cannot be written."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ptmon.errors import EXIT_OWN, PtmonError
from ptmon.outputs import json as json_output
from ptmon.outputs.files import expand
from ptmon.outputs.report_output import ReportOutput, Style
from ptmon.ranks import RANKS, rank
from tests.unit.build import HEADER, report_of, server


def output(path: str | None) -> ReportOutput:
    return ReportOutput(json_output.write_report, Style(), path, "myhost")


def test_placeholders_of_a_file_name() -> None:
    assert expand("/tmp/%h-%p-%%p.json", "myhost", 7) == "/tmp/myhost-7-%p.json"


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({}, None),
        ({"SLURM_PROCID": "7"}, 7),
        ({"SLURM_PROCID": "7", "PMI_RANK": "6"}, 6),
        ({"PMI_RANK": "6", "PMIX_RANK": "5", "OMPI_COMM_WORLD_RANK": "4"}, 4),
        ({"OMPI_COMM_WORLD_RANK": "../x", "PMI_RANK": "6"}, 6),
        ({"OMPI_COMM_WORLD_RANK": "9" * 300}, None),
    ],
)
def test_the_rank_is_the_first_that_is_a_number(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], number: int | None
) -> None:
    for name in RANKS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert rank() == number
    assert expand("%r-%%r.json", "myhost") == f"{number or 0}-%r.json"


def test_the_pid_and_the_host_are_in_the_name(tmp_path: Path) -> None:
    with output(f"{tmp_path}/%h.%p.%%.json") as target:
        assert list(tmp_path.iterdir()) == []
        target.start(replace(HEADER, root=123))
        target.finish(report_of(server()))
    assert [file.name for file in tmp_path.iterdir()] == ["myhost.123.%.json"]


def test_an_older_longer_report_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text("x" * 100_000)
    with output(str(file)) as target:
        assert file.stat().st_size == 100_000  # until there is a new one
        target.start(replace(HEADER, root=1))
        target.finish(report_of(server()))
    assert file.read_text().startswith('{"schema"')
    assert file.read_text().endswith("}\n")


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("missing/r.json", "ENOENT: No such file or directory"),
        ("missing/%p.json", "ENOENT: No such file or directory"),
        ("file/r.json", "ENOTDIR: Not a directory"),
        ("file/%p.json", "ENOTDIR: Not a directory"),
        ("", "EISDIR: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_written_is_known_before_the_start(tmp_path: Path, path: str, word: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PtmonError) as caught, output(f"{tmp_path}/{path}"):
        pytest.fail("the program would have been started")
    assert word in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert caught.value.exit_status == EXIT_OWN


def test_a_new_file_is_removed_again_if_no_report_comes(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text("kept")
    for name in ("new.json", "old.json"):
        with pytest.raises(RuntimeError), output(f"{tmp_path}/{name}"):
            raise RuntimeError
    assert [file.name for file in tmp_path.iterdir()] == ["old.json"]
    assert old.read_text() == "kept"


def test_a_disk_that_is_full_sends_the_report_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with output("/dev/full") as target:
        target.start(replace(HEADER, root=1))
        target.finish(report_of(server()))
    first, report = capfd.readouterr().err.split("\n", 1)
    assert first.startswith("ptmon: cannot write the report to /dev/full: ENOSPC: No space left on device")
    assert report.startswith('{"schema": "ptmon.report/1"')
    assert report.endswith("}\n")


def test_a_folder_that_vanishes_before_the_pid_is_known_sends_the_report_to_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    with output(f"{folder}/%p.json") as target:
        folder.rmdir()
        target.start(replace(HEADER, root=9))
        target.finish(report_of(server()))
    said = capfd.readouterr().err
    assert f"{folder}/9.json: ENOENT" in said.splitlines()[0]
    assert '{"schema": "ptmon.report/1"' in said


def test_a_fifo_is_written_without_truncating(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with output(str(fifo)) as target:
        target.start(replace(HEADER, root=1))
        target.finish(report_of(server()))
    assert os.read(reader, 1 << 16).startswith(b'{"schema"')
    os.close(reader)
    assert stat.S_ISFIFO(fifo.stat().st_mode)
