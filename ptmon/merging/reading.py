# SPDX-License-Identifier: GPL-2.0-or-later
"""A file -> the report that it is, or of which it is the recording."""

from __future__ import annotations

import json
import os
import stat

from ptmon.engines import EngineSettings
from ptmon.errors import PtmonError, kernel_word
from ptmon.merging.documents import report_of
from ptmon.merging.shapes import WrongError
from ptmon.recording import MAGIC
from ptmon.report import Report
from ptmon.session import Session
from ptmon.text import printable

FIRST = 1 << 16
"""Bytes of which it is seen what a file is, before the rest is read."""


class NoReportError(Exception):
    """A file is no report, or not a whole one; the text says why, to follow the file's name."""


def read(path: str, max_sockets: int) -> Report:
    """Raises NoReportError. Of a recording at most ``max_sockets`` sockets are listed one by one."""
    try:
        with open(path, "rb") as file:
            first = file.read(FIRST)
            if not first.startswith(MAGIC):
                if not first.lstrip().startswith(b"{"):
                    raise NoReportError("is neither a report as JSON nor a recording")
                return _document(first + file.read())
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NoReportError("is a recording, but no file that can be read twice")
    except OSError as error:
        raise NoReportError(f"cannot be read: {kernel_word(error.errno or 0)}") from None
    return _recording(path, max_sockets)


def _document(data: bytes) -> Report:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NoReportError(f"is damaged, or no report: {printable(str(error))}") from None
    try:
        return report_of(document)
    except WrongError as error:
        raise NoReportError(f"is damaged, or no report: {error}") from None


def _recording(path: str, max_sockets: int) -> Report:
    """What --replay would tell of it; but of a damaged one nothing."""
    session = Session(EngineSettings(replay=path), engine="replay", max_sockets=max_sockets, say=lambda line: None)
    shown = printable(path)
    try:
        report = session.run()
    except PtmonError as error:
        said = str(error)
        why = said.removeprefix(shown).strip() if said.startswith(shown) else f"cannot be told: {said}"
        raise NoReportError(why) from None
    if session.past is not None and session.past.damage:
        why = session.past.damage.removeprefix(f"{shown}: ").partition("; what stands before")[0]
        raise NoReportError(f"is damaged: {why}")
    return report
