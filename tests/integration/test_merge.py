# SPDX-License-Identifier: GPL-2.0-or-later
"""--merge and --diff of real runs, and ranks of an MPI job."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support import DEADLINE, PTMON, Targets, assert_sums_agree, run_plain, tracing
from tests.unit.schema import validator

RANKS = 4
MPIRUN = ("mpirun", "--oversubscribe", "-n", str(RANKS), *(("--allow-run-as-root",) if os.geteuid() == 0 else ()))
RING = r"""
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* ring [fail [last]]: each rank gives a number to the next; rank 2 fails. last: when the others' parents have ended: of
 * a job that has failed mpirun kills what has not ended a second later, and their reports with it. */
int main(int count, char **words)
{
	int rank, ranks, number, parent = getppid(), parents[16];

	MPI_Init(&count, &words);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	number = rank;
	MPI_Send(&number, 1, MPI_INT, (rank + 1) % ranks, 0, MPI_COMM_WORLD);
	MPI_Recv(&number, 1, MPI_INT, (rank + ranks - 1) % ranks, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	fprintf(stderr, "rank %d was told %d\n", rank, number);
	MPI_Gather(&parent, 1, MPI_INT, parents, 1, MPI_INT, 2, MPI_COMM_WORLD);
	MPI_Finalize();
	for (int other = 0; count > 2 && rank == 2 && other < ranks; other++)
		while (other != rank && kill(parents[other], 0) == 0)
			usleep(1000);
	return count > 1 && rank == 2 ? 3 : 0;
}
"""


def ptmon(*words: str | Path, **keywords: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PTMON, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        stdin=subprocess.DEVNULL,
        **keywords,
    )


def report(path: Path) -> dict[str, Any]:
    """A report in a file, true to the schema and to itself."""
    told: Any = json.loads(path.read_text())
    validator().validate(told)
    assert_sums_agree(told)
    assert isinstance(told, dict)
    return told


def run(*words: str | Path) -> None:
    done = subprocess.run([*tracing(*words)], capture_output=True, text=True, timeout=DEADLINE)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def runs(targets: Targets, tmp_path: Path) -> list[Path]:
    """A report and a recording of two runs: 4 clients with 10 bytes each, and 300 bytes one by one."""
    run("-o", tmp_path / "a.json", "--", targets("crowd"), "4", "10")
    run("-q", "--record", tmp_path / "b.ptmon", "-o", tmp_path / "b.json", "--", targets("chatter"), "300")
    return [tmp_path / "a.json", tmp_path / "b.ptmon"]


def test_a_report_and_a_recording_become_one(runs: Sequence[Path], tmp_path: Path) -> None:
    done = ptmon("--merge", *runs, "-o", tmp_path / "all.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told, parts = report(tmp_path / "all.json"), [report(tmp_path / "a.json"), report(tmp_path / "b.json")]
    for name, count in told["totals"].items():
        assert count == sum(part["totals"][name] for part in parts), name
    assert told["totals"]["sent"] > 300
    assert [row["totals"] for row in told["hosts"]] == [part["totals"] for part in parts]
    assert [row["host"] for row in told["hosts"]] == [platform.node()] * 2
    assert len(told["processes"]) == sum(len(part["processes"]) for part in parts)
    assert len({row["id"] for row in told["sockets"]}) == len(told["sockets"])
    assert told["complete"]


def test_each_form_of_a_merged_report_can_be_had(runs: Sequence[Path], tmp_path: Path) -> None:
    done = ptmon("--merge", *runs)
    assert (done.returncode, done.stdout) == (0, "")
    assert "2 programs · 2 runs on 1 host" in done.stderr
    for form in ("csv", "peers", "summary", "json"):
        done = ptmon("-o", "-", "--format", form, "--merge", *runs)
        assert (done.returncode, done.stderr) == (0, "")
        assert "chatter" in done.stdout or form in ("csv", "peers")
    assert ptmon("-q", "--html", tmp_path / "page.html", "--merge", *runs).returncode == 0
    assert "chatter" in (tmp_path / "page.html").read_text()
    assert ptmon("-o", "/dev/full", "-q", "--merge", *runs).stderr.startswith("ptmon: cannot write the report")


def test_what_is_damaged_is_named_and_left_out(runs: Sequence[Path], tmp_path: Path) -> None:
    good = report(runs[0])
    cut, killed, text = tmp_path / "cut.json", tmp_path / "killed.ptmon", tmp_path / "text\x1b.json"
    cut.write_bytes(runs[0].read_bytes()[:-100])
    killed.write_bytes(runs[1].read_bytes()[:-10])
    text.write_text("what people write\n")
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps({**good, "totals": {**good["totals"], "sent": 1}}))
    done = ptmon("--merge", cut, runs[0], killed, text, changed, tmp_path / "none", "-o", tmp_path / "all.json")
    assert (done.returncode, done.stdout) == (1, "")
    lines = [line.removeprefix(f"ptmon: {tmp_path}/") for line in done.stderr.splitlines()]
    assert [line.partition(":")[0] for line in lines] == [
        "cut.json is damaged, or no report",
        "killed.ptmon is damaged",
        "text\\x1b.json is neither a report as JSON nor a recording; it is left out",
        "changed.json is damaged, or no report",
        "none cannot be read",
    ]
    assert (
        lines[1] == "killed.ptmon is damaged: it ends in the middle of a block (at byte" + lines[1].partition("byte")[2]
    )
    told = report(tmp_path / "all.json")
    assert told["totals"] == good["totals"]
    assert not told["complete"]
    assert [row["reason"] for row in told["warnings"]] == ["left_out"] * 5


def test_where_nothing_can_be_merged_there_is_no_report(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("what people write\n")
    done = ptmon("--merge", tmp_path / "text", "-o", tmp_path / "all.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[1:] == ["ptmon: there is nothing to merge"]
    assert os.listdir(tmp_path) == ["text"]


def test_a_file_that_is_read_is_not_written_over(runs: Sequence[Path], tmp_path: Path) -> None:
    before = runs[0].read_bytes()
    for words in (["-o", "a.json", "--merge"], ["-q", "--html", "./a.json", "--merge"], ["-o", "a.json", "--diff"]):
        done = ptmon(*words, "a.json", "b.ptmon", cwd=tmp_path)
        assert done.returncode == 2
        assert "a.json is one of the files to be read" in done.stderr
    assert runs[0].read_bytes() == before


def test_a_file_that_is_named_twice_is_counted_twice_and_that_is_said(runs: Sequence[Path], tmp_path: Path) -> None:
    done = ptmon("-o", tmp_path / "all.json", "--merge", runs[0], runs[0])
    assert done.returncode == 0
    assert done.stderr == "ptmon: 1 file is named more than once, and counted as often\n"
    assert report(tmp_path / "all.json")["totals"]["sent"] == 2 * report(runs[0])["totals"]["sent"]


def test_two_runs_are_told_side_by_side(runs: Sequence[Path], tmp_path: Path) -> None:
    done = ptmon("--diff", *runs, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    a, b = (report(tmp_path / name)["totals"]["sent"] for name in ("a.json", "b.json"))
    assert told["totals"]["sent"] == {"a": a, "b": b, "difference": b - a, "ratio": round(b / a, 6)}
    assert {row["name"]: row["in"] for row in told["by_program"]} == {"crowd": "a", "chatter": "b"}
    done = ptmon("--diff", *runs)
    assert (done.returncode, done.stderr) == (0, "")
    assert "only A" in done.stdout and "only B" in done.stdout
    done = ptmon("--diff", runs[0], tmp_path / "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ptmon: {tmp_path}/none cannot be read: ENOENT: No such file or directory\n"


def test_the_rank_stands_in_the_name_the_report_and_the_recording(targets: Targets, tmp_path: Path) -> None:
    environment = {**os.environ, "PMI_RANK": "11"}
    files = ("-o", tmp_path / "r-%r.json", "--record", tmp_path / "r-%r.ptmon", f"--log={tmp_path}/%r.log")
    done = ptmon(*files, "--", targets("chatter"), "3", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(tmp_path)) == ["11.log", "r-11.json", "r-11.ptmon"]
    assert report(tmp_path / "r-11.json")["rank"] == 11
    assert ptmon("--replay", tmp_path / "r-11.ptmon", "-o", tmp_path / "again.json").returncode == 0
    assert (tmp_path / "again.json").read_text() == (tmp_path / "r-11.json").read_text()


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    if not shutil.which("mpirun") or not shutil.which("mpicc"):
        pytest.skip("Open MPI is not installed")
    (tmp_path / "ring.c").write_text(RING)
    subprocess.run(["mpicc", "-o", "ring", "ring.c"], cwd=tmp_path, check=True, timeout=DEADLINE)
    return tmp_path / "ring"


@pytest.mark.parametrize("arguments", [(), ("fail",)], ids=["ends well", "fails"])
def test_each_rank_of_an_mpi_job_writes_a_report(ring: Path, tmp_path: Path, arguments: Sequence[str]) -> None:
    there: dict[str, Any] = {"env": {**os.environ, "TMPDIR": "/tmp"}, "cwd": tmp_path}  # sockets' paths are short
    last = ("last",) if arguments else ()
    plain = run_plain(*MPIRUN, ring, *arguments, **there)
    done = run_plain(*MPIRUN, *tracing("-o", "r-%h-%r.json"), "--", ring, *arguments, *last, **there)
    assert done.returncode == plain.returncode == (3 if arguments else 0)
    said = [f"rank {rank} was told {(rank - 1) % RANKS}" for rank in range(RANKS)]
    assert sorted(line for line in done.stderr.splitlines() if line.startswith("rank")) == said
    assert "ptmon:" not in done.stderr
    files = [f"r-{platform.node()}-{rank}.json" for rank in range(RANKS)]
    parts = [report(tmp_path / file) for file in files]
    assert [part["rank"] for part in parts] == list(range(RANKS))
    assert all(part["totals"]["sent"] for part in parts)
    assert ptmon("--merge", *files, "-o", "all.json", cwd=tmp_path).returncode == 0
    told = report(tmp_path / "all.json")
    assert told["totals"]["sent"] == sum(part["totals"]["sent"] for part in parts)
    assert [(row["rank"], row["file"]) for row in told["hosts"]] == list(enumerate(files))
