# SPDX-License-Identifier: GPL-2.0-or-later
"""--metrics and --metrics-file: what ptmon.export needs for them."""

from __future__ import annotations

import os

from ptmon.options import Options
from ptmon.outputs import stderr
from ptmon.outputs.exporting import ExportOutput
from ptmon.outputs.files import check_folder
from ptmon.outputs.server import access


def make(options: Options, host: str) -> MetricsOutput:
    """The output that ``options`` ask for."""
    return MetricsOutput(options, host)


class MetricsOutput(ExportOutput):
    """Listens itself, so that what is wrong with an address is known and said as that of --serve is."""

    def __init__(self, options: Options, host: str) -> None:
        flag = "--metrics" if options.metrics is not None else "--metrics-file"
        words = ["metrics", *(["--pid"] if "pid" in options.metrics_label else [])]
        if options.metrics_file is not None:
            words += ["--file", os.path.abspath(options.metrics_file)]
        if options.serve_token_file is not None:
            words += ["--token-file", options.serve_token_file]
        super().__init__(flag, words)
        self._options = options
        self._host = host

    def __enter__(self) -> MetricsOutput:
        address, file = self._options.metrics, self._options.metrics_file
        if file is not None:
            check_folder(os.path.abspath(file).replace("%", "%%"), self._host, "the metrics")
        listeners = []
        if address is not None:
            token = self._options.serve_token_file is not None
            listeners = access.listen(address, token=token, flag="--metrics", what="the metrics")
        self._listeners = [one.fileno() for one in listeners]
        self._words = [*self._words, *(word for number in self._listeners for word in ("--listener", str(number)))]
        shown = " and ".join(access.shown(one.getsockname()) for one in listeners)
        try:
            super().__enter__()
        finally:
            for one in listeners:
                one.close()
        if shown:
            stderr.say(f"metrics at http://{shown.replace(' and ', '/metrics and http://')}/metrics")
        return self
