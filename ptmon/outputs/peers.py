# SPDX-License-Identifier: GPL-2.0-or-later
"""The report by peer, as CSV: a header line, then one row for each peer's address, transport and port of the service.

The columns are the members of ``by_peer`` in the JSON report, and the sums of ``sent`` and ``received`` its totals.
"""

from __future__ import annotations

import csv

from ptmon.outputs.report_output import Style
from ptmon.report import PeerReport, Report
from ptmon.static import TextIO
from ptmon.text import printable

COLUMNS = tuple(PeerReport.__slots__)


def write_report(report: Report, file: TextIO, style: Style) -> None:
    """Writes the rows; ``style`` is for people and changes nothing here."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    shown = printable if file.isatty() else str
    for row in report.by_peer:
        values = (" ".join(row.names) if name == "names" else getattr(row, name) for name in COLUMNS)
        # A unix socket's path may hold control characters, which a terminal would obey.
        writer.writerow([shown(value) if isinstance(value, str) else value for value in values])
