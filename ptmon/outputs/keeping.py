# SPDX-License-Identifier: GPL-2.0-or-later
"""What the outputs have in common that keep a run as a recording: in a file, or through a pipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from ptmon.outputs import SilentOutput
from ptmon.recording import HEAD, MAGIC
from ptmon.recording.blocks import document
from ptmon.report import Header
from ptmon.static import Any
from ptmon.version import __version__


class KeepingOutput(SilentOutput):
    """Is the :class:`ptmon.engines.Recorder` of its run."""

    records_all = True

    def __init__(self) -> None:
        self.refused: list[tuple[int, int]] = []
        """Targets that could not be attached: pid, errno or 0. Set by the session before the first batch."""
        self.elapsed = 0.0
        self.header: Header | None = None
        """Without it there is nothing to keep."""
        self._known: Mapping[str, Any] = {}
        self._begun = False

    def begin(self, known: Mapping[str, Any]) -> None:
        self._known = known

    def start(self, header: Header) -> None:
        self.header = header

    def beginning(self) -> bytes:
        """What stands before the first block; empty from the second time on. Before the first block there is, not all
        of it is known."""
        if self._begun or self.header is None:
            return b""
        self._begun = True
        head = {"ptmon": __version__, "header": asdict(self.header), "refused": self.refused, **self._known}
        return MAGIC + document(HEAD, head)
