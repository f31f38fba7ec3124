# SPDX-License-Identifier: GPL-2.0-or-later
"""How lab 07 is graded: preload.c and stops.c on programs that tell what they have moved, measure.py on one that makes
up its times, and table.csv by what is known.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ptmon.labs.grading import Check, Done, Work, WrongError

TABLE = "table.csv"
SHARED = ("-shared", "-fPIC")
ROUNDS = 3
ROUNDS_LEAST = 5
FACTS = ("documented", "simple", "any_function", "by_name", "one_process", "root", "raw_calls")
COSTS = ("rounds", "median_us", "ratio")
KNOWN = {
    "preload": "yes ? yes yes yes no no",
    "inside": "no ? no no yes no yes",
    "seccomp": "yes ? no no yes no yes",
    "ptrace": "yes ? no no yes no yes",
    "ftrace": "yes ? yes yes no yes yes",
    "ebpf": "yes ? yes yes no yes yes",
}
"""The columns of FACTS; ?: an opinion, yes or no."""
MEASURED = ("native", "preload", "inside", "seccomp", "ptmon_off", "ptrace", "reference")
Row = Mapping[str, str | None]


def _lengths() -> list[str]:
    return [str(random.randrange(1, 1000)) for _ in range(random.randrange(3, 8))]


def _told(done: Done) -> str:
    """What the program says itself."""
    told = done.stdout.strip()
    if not re.fullmatch(r"sent \d+, received \d+", told) or done.status != 7:
        raise WrongError("that the program runs, and ends, as by itself", f"{done.last}; exit status {done.status}")
    return told


def _preloaded(work: Work, mode: str) -> Done:
    library = f"LD_PRELOAD={work.own('preload.c', *SHARED)}"
    return work.run("env", library, work.given("speaks.c"), mode, *_lengths())


def compiles(work: Work) -> None:
    work.own("preload.c", *SHARED)
    work.own("stops.c")


def counts(*modes: str) -> Callable[[Work], None]:
    """A check that the library says what the program says itself."""

    def check(work: Work) -> None:
        for mode in modes:
            done = _preloaded(work, mode)
            if _told(done) != done.last:
                raise WrongError(f"{_told(done)} (as the last line on stderr), by {mode}", done.last)

    return check


def chosen(work: Work) -> None:
    lengths = _lengths()
    done = work.run(work.own("stops.c"), "few", work.given("speaks.c"), "others", *lengths)
    expected = f"{4 * len(lengths)} stops: {_told(done)}"
    if done.last != expected:
        raise WrongError(f"{expected}; of {len(lengths)} sends and as many receives", done.last)


def measures(work: Work) -> None:
    shutil.copyfile(work.own("preload.c", *SHARED), work.folder / "preload.so")
    shutil.copy(work.own("stops.c"), work.folder / "stops")
    table, log = work.folder / "graded.csv", work.folder / "graded.log"
    empty = ",-" * (len(FACTS) + len(COSTS))
    names = [*MEASURED, "strace", "ftrace"]
    table.write_text("\n".join([",".join(("method", *FACTS, *COSTS)), *(f"{name}{empty}" for name in names), ""]))
    done = work.python(work.own("measure.py"), table, str(ROUNDS), work.given("clocked.c"), log)
    if done.status != 0:
        raise WrongError("that measure.py ends with exit status 0", done.last or f"exit status {done.status}")
    runs = _runs(log)
    _interleaved([method for method, _ in runs])
    rows = _rows(table, names)
    native = statistics.median(time for method, time in runs if method == "native")
    for method in {method for method, _ in runs}:
        times = [time for other, time in runs if other == method]
        _agree(rows[method], statistics.median(times), native)
    if rows["ftrace"]["ratio"] != "-":
        raise WrongError("that a row is left alone whose method was not measured", rows["ftrace"]["ratio"])


def _runs(log: Path) -> list[tuple[str, int]]:
    """Method and nanoseconds of each run, as the program has written them down."""
    runs = []
    for line in log.read_text().splitlines() if log.exists() else []:
        nanoseconds, preloaded, tracer = line.split("\t")
        runs.append((_method(preloaded, tracer), int(nanoseconds)))
    return runs


def _method(preloaded: str, tracer: str) -> str:
    if preloaded != "-":
        return "preload"
    signs = {
        "--engine reference": "reference", "--fast off": "ptmon_off", "ptmon -q": "inside", "stops few": "seccomp",
        "stops all": "ptrace", "strace -f": "strace",
    }  # fmt: skip
    return next((method for sign, method in signs.items() if sign in tracer), "native")


def _interleaved(methods: Sequence[str]) -> None:
    """Each round is each method once, in whatever order."""
    wanted = sorted([*MEASURED, "strace"] if shutil.which("strace") else MEASURED)
    size = len(wanted)
    for index in range(ROUNDS):
        one = list(methods[index * size : (index + 1) * size])
        if sorted(one) != wanted:
            raise WrongError(f"each of {' '.join(wanted)} once in round {index + 1}", " ".join(one))
    if len(methods) > size * ROUNDS:
        raise WrongError(f"{ROUNDS} rounds of {size} runs", f"{len(methods)} runs")


def _agree(row: Row, median: float, native: float) -> None:
    """A row says this median and this ratio."""
    expected = (float(ROUNDS), median / 1000, median / native)
    got = _costs(row)
    if any(abs(there - wanted) > most for wanted, there, most in zip(expected, got, (0, 0.1, 0.01), strict=True)):
        said = f"{ROUNDS} rounds, median {expected[1]:.1f} us, ratio {expected[2]:.2f}"
        raise WrongError(f"{said} for {row['method']}", " ".join(str(row[name]) for name in COSTS))


def _costs(row: Row) -> list[float]:
    said = [row[name] or "" for name in COSTS]
    if not all(re.fullmatch(r"\d{1,12}(\.\d{1,12})?", one) for one in said):
        raise WrongError(f"numbers as {', '.join(COSTS)} of {row['method']}", ",".join(said))
    return [float(one) for one in said]


def _rows(path: Path, methods: Iterable[str]) -> dict[str, Row]:
    """The rows of a table by their methods. Raises WrongError if there are not those that there should be."""
    if not path.is_file():
        raise WrongError(f"a file {path.name}", "none")
    with path.open(newline="", errors="replace") as file:
        reader = csv.DictReader(file, restkey="more")
        try:
            columns = list(reader.fieldnames or ())
            rows: dict[str, Row] = {row["method"]: row for row in reader if row.get("method")}
        except csv.Error as error:
            raise WrongError(f"a table in {path.name}", error) from None
    wanted = ["method", *FACTS, *COSTS]
    if columns != wanted:
        raise WrongError(f"the columns {','.join(wanted)}", ",".join(columns))
    missing = [method for method in methods if method not in rows]
    if missing:
        raise WrongError("a row for each method that was there", f"none for {', '.join(missing)}")
    return rows


def facts(work: Work) -> None:
    rows, wrong = _rows(work.folder / TABLE, KNOWN), []
    for method, known in KNOWN.items():
        for name, fact in zip(FACTS, known.split(), strict=True):
            said = (rows[method][name] or "").strip()
            if said not in ("yes", "no"):
                raise WrongError(f"yes or no as {name} of {method}", said)
            if fact not in ("?", said):
                wrong.append(f"{name} of {method}")
    if wrong:
        raise WrongError("what the lesson and the man pages say", f"something else as {', '.join(wrong)}")


def misses(work: Work) -> None:
    """Whether the library sees calls that are made without the C library is found out, and the table has to say it."""
    compiles(work)
    counts("send")(work)
    done = _preloaded(work, "raw")
    sees = "yes" if _told(done) == done.last else "no"
    said = _rows(work.folder / TABLE, KNOWN)["preload"]["raw_calls"]
    if said != sees:
        raise WrongError(f"{sees} as raw_calls of preload: the program says {_told(done)}, it {done.last}", said)


def costs(work: Work) -> None:
    rows = _rows(work.folder / TABLE, MEASURED)
    native = _costs(rows["native"])[1]
    for method in MEASURED:
        rounds, median, ratio = _costs(rows[method])
        if rounds < ROUNDS_LEAST:
            raise WrongError(f"{ROUNDS_LEAST} rounds of {method}, or more", f"{rounds:g}")
        if min(median, native, ratio) <= 0 or abs(ratio - median / native) > 0.01 + ratio / 100:
            raise WrongError(f"{median:g} / {native:g}, two medians, as ratio of {method}", f"{ratio:g}")


CHECKS = (
    Check("preload.c and stops.c compile without a warning", 1, "the lesson has the commands", compiles),
    Check(
        "preload.so counts send and recv, write and read, of threads too", 2,
        "GAP 1: four functions, each with the same parameters as the C library's", counts("send", "write", "threads"),
    ),
    Check(
        "and neither what is peeked at, nor files, nor failed calls", 1, "GAP 1: MSG_PEEK; counted() does the others",
        counts("peeking", "files"),
    ),
    Check("raw_calls of preload is what preload.so does", 1, "LD_PRELOAD=./preload.so ./raw", misses),
    Check("stops few stops at sendto and recvfrom alone", 2, "GAP 2: two jumps and one RET_TRACE", chosen),
    Check(
        "measure.py runs each method once in each round, and tells medians", 1,
        "GAP 3: for each round, for each method; statistics.median", measures,
    ),
    Check("table.csv has the facts", 1, "the lesson says what each column asks", facts),
    Check(
        "table.csv has what your own run has measured", 1,
        f"python3 measure.py table.csv {ROUNDS_LEAST} ./talk 1000, after the gaps", costs,
    ),
)  # fmt: skip
