# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m ptmon.export KIND ARGUMENT...``: reads a recording on stdin until its end. ptmon starts it.

It prints ``ready`` when it can do its work, or one line that says why it can't, and exits with 1.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from ptmon.engines import EngineSettings
from ptmon.engines.replay import ReplayEngine
from ptmon.errors import PtmonError
from ptmon.export.exporter import Exporter, create


def main(words: Sequence[str]) -> int:
    # Ctrl-C is for the program that is traced: the end of the recording is the end of this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        exporter = create(words[0], words[1:])
    except PtmonError as error:
        print(error, flush=True)
        return 1
    print("ready", flush=True)
    with exporter:
        export(exporter)
    return 0


def export(exporter: Exporter) -> None:
    try:
        with ReplayEngine(EngineSettings(replay="/dev/stdin")) as engine:
            assert engine.past is not None
            exporter.begin(engine.past.header, engine.started)
            for batch in engine:
                exporter.add(batch, engine.told)
                exporter.dropped(engine.lost)
    except PtmonError:  # ptmon has ended before there was anything to tell
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
