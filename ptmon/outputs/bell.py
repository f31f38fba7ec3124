# SPDX-License-Identifier: GPL-2.0-only
"""A bell on stderr when the run has ended: made up."""

from __future__ import annotations

from ptmon.options import Options
from ptmon.outputs import Output, SilentOutput, stderr
from ptmon.report import Report


def make(options: Options, host: str) -> Output:
    return Bell()


class Bell(SilentOutput):
    def finish(self, report: Report) -> None:
        stderr.say(f"ding: {report.totals.sent} B sent")
