# SPDX-License-Identifier: GPL-2.0-or-later
"""Lives of rows, as the C core has them in one piece of memory: they stay bytes until somebody looks at one."""

from __future__ import annotations

from ptmon.engines.boundary import ffi
from ptmon.records import LIFE, Lives
from ptmon.static import TYPE_CHECKING

if TYPE_CHECKING:
    from ptmon.engines.boundary import pt_batch

SOCKET = ffi.offsetof("struct pt_life", "row") // 4
INODE = ffi.offsetof("struct pt_life", "inode") // 8


class LifeReader:
    """Reads those of a batch, a run of steps at a time. ``start``: nanoseconds, from which times count."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._lives = b""
        self._steps: list[int] = []
        self._life = self._step = 0
        """Those that are next."""

    def begin(self, batch: pt_batch) -> None:
        """Copies what the C core writes over in its next run."""
        self._life = self._step = 0
        if batch.step_count:
            self._lives = ffi.buffer(batch.lives, batch.life_count * LIFE.size)[:]
            self._steps = ffi.unpack(batch.steps, batch.step_count)

    def read(self, count: int) -> Lives:
        """What so many steps tell."""
        steps = self._steps[self._step : self._step + count]
        self._step += len(steps)
        begin = self._life * LIFE.size
        self._life += steps.count(0)
        end = self._life * LIFE.size
        lives = self._lives
        if self._step == len(self._steps):
            self._lives, self._steps = b"", []  # not to be kept until the next batch
        part = memoryview(lives)[begin:end]
        return Lives(
            [lives[at : at + LIFE.size] for at in range(begin, end, LIFE.size)],
            part.cast("I")[SOCKET :: LIFE.size // 4].tolist(),
            part.cast("Q")[INODE :: LIFE.size // 8].tolist(),
            steps,
            self._start,
        )
