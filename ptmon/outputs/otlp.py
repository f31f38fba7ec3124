# SPDX-License-Identifier: GPL-2.0-or-later
"""--otlp: what ptmon.export needs for it."""

from __future__ import annotations

from ptmon.options import Options
from ptmon.outputs.exporting import ExportOutput


def make(options: Options, host: str) -> OtlpOutput:
    """The output that ``options`` ask for."""
    return OtlpOutput(options.otlp or "")


class OtlpOutput(ExportOutput):
    """``url`` empty: where the environment says."""

    def __init__(self, url: str) -> None:
        super().__init__("--otlp", ["otlp", *(["--url", url] if url else [])])
