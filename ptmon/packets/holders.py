# SPDX-License-Identifier: GPL-2.0-or-later
"""Which fds of which processes lead to a socket, as far as that is seen."""

from __future__ import annotations


class Holders:
    """A copy of an fd (dup(2), or one that was passed on) is known from the first call on it."""

    def __init__(self) -> None:
        self._of_row: dict[int, set[tuple[int, int]]] = {}
        """Processes, and fds of theirs."""
        self._of_pid: dict[int, set[tuple[int, int]]] = {}
        """Rows of the socket table, and fds."""

    def add(self, row: int, pid: int, fd: int) -> None:
        """It has it."""
        self._of_row.setdefault(row, set()).add((pid, fd))
        self._of_pid.setdefault(pid, set()).add((row, fd))

    def fork(self, parent: int, child: int) -> None:
        """A child has what its parent has."""
        for row, fd in tuple(self._of_pid.get(parent, ())):
            self.add(row, child, fd)

    def close(self, row: int, pid: int, fd: int) -> bool:
        """Whether nobody has it any more."""
        holders = self._of_row.get(row)
        if holders is None:
            return False
        holders.discard((pid, fd))
        self._of_pid.get(pid, set()).discard((row, fd))
        return not holders

    def exit(self, pid: int) -> list[int]:
        """The rows that nobody has any more."""
        return [row for row, fd in sorted(self._of_pid.pop(pid, ())) if self.close(row, pid, fd)]

    def forget(self, row: int) -> None:
        """It is not asked for again."""
        for pid, fd in self._of_row.pop(row, ()):
            self._of_pid.get(pid, set()).discard((row, fd))
