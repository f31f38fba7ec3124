# SPDX-License-Identifier: GPL-2.0-or-later
"""--merge and --diff: what reports and recordings of many runs say together, and how two of them differ.

Nothing is traced here. Files are read one after the other, and of each only what the merged report lists is kept.
"""

from __future__ import annotations

import os

from ptmon.errors import EXIT_INCOMPLETE, PtmonError, UsageError
from ptmon.formats import report_format
from ptmon.merging.merged import Merged
from ptmon.merging.reading import NoReportError, read
from ptmon.options import Options
from ptmon.outputs import Outputs, make, stderr
from ptmon.outputs.files import STDOUT, expand, same_file
from ptmon.outputs.report_output import ReportOutput, style_of
from ptmon.text import counted, printable


def merge(options: Options) -> int:
    """Makes one report of many, and returns the exit status. Raises PtmonError where there is none to be made."""
    host = os.uname().nodename
    _check_files(options, host)
    merged = Merged(options.max_sockets)
    with Outputs(make(options, host)) as outputs:
        for path in options.merge:
            try:
                merged.add(read(path, options.max_sockets), path)
            except NoReportError as error:
                stderr.say(f"{printable(path)} {error}; it is left out")
                merged.leave_out(path, str(error))
        if not merged.hosts:
            raise PtmonError("there is nothing to merge", EXIT_INCOMPLETE)
        report = merged.report()
        outputs.start(report.header)
        outputs.finish(report)
    if again := len(options.merge) - len(set(options.merge)):
        stderr.say(f"{counted(again, 'file is', 'files are')} named more than once, and counted as often")
    return EXIT_INCOMPLETE if merged.left_out else 0


def compare(options: Options) -> int:
    """Tells how two reports differ. Raises PtmonError where one of them can't be read."""
    from ptmon.merging import telling
    from ptmon.merging.comparing import Comparison

    host = os.uname().nodename
    _check_files(options, host)
    reports = []
    for path in options.diff:
        try:
            reports.append(read(path, options.max_sockets))
        except NoReportError as error:
            raise PtmonError(f"{printable(path)} {error}", EXIT_INCOMPLETE) from None
    found = Comparison(options.diff, reports)
    write = telling.WRITERS[options.format or report_format(options.output)]
    output = ComparisonOutput(
        lambda _report, file, style: write(found, file, style),
        style_of(options),
        options.output or STDOUT,
        host,
        "the comparison",
    )
    with output:
        output.finish(reports[0])
    return 0


class ComparisonOutput(ReportOutput):
    """It can be made again at any time: where it can't be written it does not go to stderr."""

    instead = ""


def _check_files(options: Options, host: str) -> None:
    """A report that is written over one which is to be read would be read half written, or be in itself."""
    for flag, written in (("-o", options.output), ("--html", options.html)):
        for path in (*options.merge, *options.diff):
            if written is not None and written != STDOUT and same_file(path, expand(written, host)):
                raise UsageError(f"{flag} {written} is one of the files to be read")
