# SPDX-License-Identifier: GPL-2.0-or-later
"""A file that is for its owner alone, to which is appended while the program runs."""

from __future__ import annotations

import contextlib
import os
import stat

from ptmon.errors import PtmonError, kernel_word
from ptmon.outputs import stderr
from ptmon.outputs.files import check_folder, expand, unwritable, wants_pid
from ptmon.text import printable

FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOCTTY
MODE = 0o600
"""There is in it what was sent and received: nobody else is to see that."""


class PrivateFile:
    """Each piece that is written is in it as a whole, or not at all.

    Where the disk is full it says so once, takes half a piece off the end, and writes no more. ``what``: the recording.
    """

    def __init__(self, path: str, host: str, what: str) -> None:
        self._path = path
        self._host = host
        self._what = what
        self._shown = printable(path)
        self._made = ""
        """The file, as it was opened."""
        self._number: int | None = None
        self._empty = True

    @property
    def is_open(self) -> bool:
        """Whether what is written goes anywhere."""
        return self._number is not None

    def enter(self) -> None:
        """Before the program starts. Raises PtmonError."""
        if wants_pid(self._path):
            check_folder(self._path, self._host, self._what)
        else:
            self._open(expand(self._path, self._host))

    def start(self, pid: int) -> None:
        """The program runs, and has this pid."""
        if self._number is None:
            try:
                self._open(expand(self._path, self._host, pid))
            except PtmonError as error:
                stderr.say(f"{error}; there will be no {self._what.removeprefix('the ')}")

    def write(self, piece: bytes) -> None:
        """At the end of the file."""
        if self._number is None:
            return
        self._empty = False
        written = 0
        try:
            while written < len(piece):
                written += os.write(self._number, piece[written:] if written else piece)
        except OSError as error:
            self._give_up(written, error)

    def close(self) -> None:
        """A file to which nothing was written is taken away: the program was never started."""
        number, self._number = self._number, None
        if number is None:
            return
        if self._empty and stat.S_ISREG(os.fstat(number).st_mode):
            with contextlib.suppress(OSError):
                os.unlink(self._made)
        os.close(number)

    def _open(self, path: str) -> None:
        self._shown, self._made = printable(path), path
        try:
            self._number = os.open(path, FLAGS, MODE)
            if stat.S_ISREG(os.fstat(self._number).st_mode):
                os.fchmod(self._number, MODE)  # it may have been there
        except OSError as error:
            raise unwritable(self._what, path, error.errno or 0) from None

    def _give_up(self, written: int, error: OSError) -> None:
        assert self._number is not None
        stderr.say(
            f"cannot write {self._what} to {self._shown}: {kernel_word(error.errno or 0)}; it ends here, the program"
            " goes on"
        )
        with contextlib.suppress(OSError):
            os.ftruncate(self._number, os.fstat(self._number).st_size - written)
        os.close(self._number)
        self._number = None
