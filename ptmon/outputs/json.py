# SPDX-License-Identifier: GPL-2.0-or-later
"""The report as JSON: one member a line, one process and one socket a line.

It is written row by row, so that a report of very many sockets needs no more memory than the ledger. Bytes of names
and arguments that are not UTF-8 are lone surrogates (PEP 383), escaped: ``"\\udcff"`` is the byte 0xff.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from ptmon.outputs.report_output import Style
from ptmon.report import Report
from ptmon.static import Any, TextIO


def write_report(report: Report, file: TextIO, style: Style) -> None:
    """Writes the document ``ptmon.report/1``; ``style`` is for people and changes nothing here."""
    encode = json.JSONEncoder(check_circular=False).encode
    separator = "{"
    for name, value in report.items():
        file.write(f"{separator}{encode(name)}: ")
        if isinstance(value, Iterator):
            _rows(file, value)
        else:
            file.write(encode(value))
        separator = ",\n "
    file.write("}\n")


def _rows(file: TextIO, rows: Iterator[dict[str, Any]]) -> None:
    encode = json.JSONEncoder(check_circular=False).encode
    separator = "["
    for row in rows:
        file.write(f"{separator}\n  {encode(row)}")
        separator = ","
    file.write("[]" if separator == "[" else "]")
