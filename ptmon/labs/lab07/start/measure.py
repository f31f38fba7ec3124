# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: measure.py TABLE ROUNDS PROGRAM [ARG...]

Runs a program that says its own time ("N ns", its last line on stdout) natively and under each method, so many rounds,
and fills in the columns rounds, median_us and ratio of the table.
"""

import csv
import shutil
import statistics
import subprocess
import sys

PTMON = [sys.executable, "-m", "ptmon", "-q"]
METHODS = {
    "native": [],
    "preload": ["env", "LD_PRELOAD=./preload.so"],
    "inside": PTMON,
    "seccomp": ["./stops", "few"],
    "ptmon_off": [*PTMON, "--fast", "off"],
    "ptrace": ["./stops", "all"],
    "strace": ["strace", "-f", "-o", "/dev/null"],
    "reference": [*PTMON, "--engine", "reference"],
}
"""What stands before the program. Those that are not installed are left out."""


def nanoseconds(command):
    """Runs the program once; the time that it says."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return int(done.stdout.splitlines()[-1].removesuffix(" ns"))


def measured(methods, rounds, program):
    """For each method the times of all of its rounds. A round is each method once."""
    times = {method: [] for method in methods}
    for _ in range(rounds):
        pass  # GAP 3: nanoseconds([*METHODS[method], *program]) is one run; times[method] shall have all of them.
    return times


def fill(row, method_times, native_times):
    """Sets a row's rounds, its median in microseconds, and the ratio of its median and the native one."""
    # GAP 3: row["rounds"], row["median_us"] with one digit after the point, row["ratio"] with two.


def main():
    path, rounds, program = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    methods = [method for method, command in METHODS.items() if not command or shutil.which(command[0])]
    times = measured(methods, rounds, program)
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if times.get(row["method"]):
            fill(row, times[row["method"]], times["native"])
            print(f"{row['method']:10} {row['median_us']:>10} us  x{row['ratio']}")
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
