# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program has written while the view had the terminal, kept to be written there afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

MEMORY_MOST = 1 << 20
"""Bytes that are kept in memory; what is more goes to a file without a name."""
KEPT_MOST = 256 << 20
"""Bytes that are surely kept, the last ones: a view may stay open for weeks, and disks are finite."""


class Spool:
    """Bytes in their order. When there are twice ``most``, the first half goes."""

    def __init__(self, most: int = KEPT_MOST) -> None:
        self._most = most
        self._older: tempfile.SpooledTemporaryFile[bytes] | None = None
        self._newer = self._file()
        self._sizes = [0, 0]
        self.lost = 0
        """Bytes that are not kept any more."""

    def put(self, data: bytes) -> None:
        """Keeps more. Where the disk is full the bytes are lost, and counted."""
        if self._sizes[1] + len(data) > self._most:
            self.lost += self._sizes[0]
            if self._older is not None:
                self._older.close()
            self._older, self._newer = self._newer, self._file()
            self._sizes = [self._sizes[1], 0]
        try:
            self._newer.write(data)
            self._sizes[1] += len(data)
        except OSError:
            self._newer.seek(self._sizes[1])
            self.lost += len(data)

    def chunks(self) -> Iterator[bytes]:
        """All that is kept; then it is empty."""
        for file, size in zip((self._older, self._newer), self._sizes, strict=True):
            if file is None:
                continue
            file.seek(0)
            while size > 0 and (data := file.read(min(65536, size))):
                size -= len(data)
                yield data
            file.close()
        self._older, self._newer, self._sizes = None, self._file(), [0, 0]

    @staticmethod
    def _file() -> tempfile.SpooledTemporaryFile[bytes]:
        return tempfile.SpooledTemporaryFile(max_size=MEMORY_MOST, buffering=0)
