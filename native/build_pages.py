# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what is installed below ``share``, the man page and the completions, from the table of options."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from ptmon import completion, manual


def main(folder: Path) -> None:
    date = os.environ.get("SOURCE_DATE_EPOCH")  # reproducible-builds.org
    write(folder / "man/man1/ptmon.1", manual.page(float(date) if date else None))
    for shell, name in completion.FILES.items():
        write(folder / name, completion.script(shell))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
