# SPDX-License-Identifier: GPL-2.0-or-later
"""--html: the report as a page, beside the one that is written anyhow."""

from __future__ import annotations

from ptmon.errors import UsageError
from ptmon.options import Options
from ptmon.outputs.files import expand, same_file
from ptmon.outputs.report_output import ReportOutput, renderer, style_of


class PageOutput(ReportOutput):
    """A page is of no use on a terminal, and what it says is in the report as well."""

    instead = ""


def make(options: Options, host: str) -> PageOutput:
    """The output that ``options`` ask for. Raises UsageError."""
    assert options.html is not None
    for flag, other in (("-o ", options.output), ("--log=", options.log)):
        if other and same_file(expand(other, host), expand(options.html, host)):
            raise UsageError(f"{flag}{other} and --html {options.html} are the same file")
    return PageOutput(renderer("html"), style_of(options), options.html, host, "the page", history=True)
