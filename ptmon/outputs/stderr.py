# SPDX-License-Identifier: GPL-2.0-or-later
"""ptmon's own lines and reports on stderr. A stderr that is closed or a broken pipe never stops a run."""

from __future__ import annotations

import io
import select
import sys
from collections.abc import Callable

from ptmon.static import TYPE_CHECKING, TextIO
from ptmon.text import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class PatientFile(io.FileIO):
    """A file that waits where it would block.

    The traced program may have set O_NONBLOCK on stdout or stderr, as node does, and the flag belongs to the open file
    description, which ptmon shares.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        while (count := super().write(data)) is None:
            poll = select.poll()
            poll.register(self.fileno(), select.POLLOUT)
            poll.poll()
        return count


def text_file(number: int, encoding: str, errors: str, *, close: bool) -> TextIO:
    """A file descriptor as a stream that people or machines read."""
    return _text(PatientFile(number, "w", closefd=close), encoding, errors)


def _text(raw: io.FileIO, encoding: str, errors: str) -> TextIO:
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, newline="")


def say(line: str) -> None:
    """One line: ``ptmon: …``. Names that others have chosen may be in it, so nothing of it moves a cursor."""
    put(lambda file: file.write(f"ptmon: {printable(line)}\n"))


def put(write: Callable[[TextIO], object]) -> None:
    """Lets ``write`` write to stderr; what cannot be written is lost."""
    if sys.stderr is None:  # ptmon was started without one
        return
    try:
        sys.stderr.flush()
        raw = PatientFile(sys.stderr.fileno(), "w", closefd=False)
        file = _text(raw, sys.stderr.encoding, "backslashreplace")
    except (OSError, ValueError):
        return
    try:
        write(file)
        file.flush()
        file.close()
    except OSError:
        try:
            file.close()  # tries once more to write what is left, and gives up
        except OSError:
            return
    except BaseException:
        # Ctrl-C may come when the bytes are written and nobody has noted it yet: the buffer would write them again,
        # also where close() is what Ctrl-C comes into. Hence flush(), which tries but once.
        raw.close()
        raise


def would_wait() -> bool:
    """Whether a line on stderr would have to wait for its reader: a pipe that is full, a terminal that is stopped."""
    if sys.stderr is None:
        return False
    poll = select.poll()
    poll.register(sys.stderr.fileno(), select.POLLOUT)
    return not poll.poll(0)
