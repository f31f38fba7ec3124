# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that attaches and lets go through ptmon's API, a command a line: it starts once, and may be killed.

``hold AFTER PID...`` attaches, says "held", and waits for a line; ``touch AFTER PID...`` attaches and lets go at once.
Both answer with the totals. AFTER is the number of stops after which a site's calls are counted inside the tracee; 0 is
ptmon's own choice.
"""

from __future__ import annotations

import inspect
import json
import sys
from dataclasses import asdict
from typing import Any

import ptmon


def keywords(after: int) -> dict[str, Any]:
    """Where ptmon counts inside the tracee at all."""
    able = "fast_after" in inspect.signature(ptmon.attach).parameters
    return {"fast_after": after} if after and able else {}


def obey(word: str, after: int, pids: list[int]) -> dict[str, Any]:
    with ptmon.attach(pids, buffer=0, **keywords(after)) as session:
        if word == "hold":
            print("held", flush=True)
            sys.stdin.readline()
        report = session.detach()
    return {**asdict(report.totals), "complete": report.complete}


def main() -> None:
    print("ready", flush=True)
    while line := sys.stdin.readline():
        word, after, *pids = line.split()
        print(json.dumps(obey(word, int(after), [int(pid) for pid in pids])), flush=True)


if __name__ == "__main__":
    main()
