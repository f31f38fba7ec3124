# SPDX-License-Identifier: GPL-2.0-or-later
"""What a launched program writes to its stdout and stderr, kept in memory."""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import ExitStack
from types import TracebackType

from ptmon.errors import PtmonError, kernel_word

FIRST_FD = 3
"""Below are the streams of the program that calls, which it may have closed."""
CHUNK = 1 << 16


class Stream:
    """A pipe. Once the program runs a thread reads it, so that the program never waits. Raises OSError."""

    def __init__(self) -> None:
        self._read, self.end = _pipe()
        self._chunks: list[bytes] = []
        self._error: BaseException | None = None
        self._wanted = True
        # A daemon: if the caller gives up, a child of the program may hold the other end for as long as it likes.
        self._thread = threading.Thread(target=self._keep, name="ptmon capture", daemon=True)

    def start(self) -> None:
        """The program has an end of its own. Raises PtmonError where no thread can be made."""
        self._close_end()
        try:
            self._thread.start()
        except RuntimeError as error:
            raise PtmonError(f"cannot capture the output: {error}; see ulimit -u and memory") from None

    def output(self) -> bytes:
        """All of it, once nobody can write any more. Raises what has kept it from being whole."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return b"".join(self._chunks)

    def give_up(self) -> None:
        """Nobody wants it any more. Who still writes gets SIGPIPE, as after ``subprocess.run`` was interrupted."""
        self._wanted = False
        self._close_end()
        if self._thread.ident is None:
            os.close(self._read)

    def _close_end(self) -> None:
        if self.end >= 0:
            os.close(self.end)
        self.end = -1

    def _keep(self) -> None:
        try:
            with open(self._read, "rb", buffering=0) as pipe:
                while (chunk := pipe.read(CHUNK)) and self._wanted:
                    self._chunks.append(chunk)
        except BaseException as error:  # no memory: it is the other thread's to hear of it
            self._error = error


def _pipe() -> tuple[int, int]:
    """Its ends, both above the streams: the program's dup2() onto these would close an end that is among them."""
    with ExitStack() as low, ExitStack() as undo:
        ends = []
        for end in os.pipe():
            low.callback(os.close, end)
            ends.append(end)
        for number, end in enumerate(ends):
            ends[number] = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, FIRST_FD)
            undo.callback(os.close, ends[number])
        undo.pop_all()
    return ends[0], ends[1]


class Capture:
    """Both streams of one program, from ``with`` on. Raises PtmonError where there are no fds for them."""

    def __init__(self) -> None:
        self._streams: list[Stream] = []

    def __enter__(self) -> Capture:
        try:
            for _ in range(2):
                self._streams.append(Stream())
        except OSError as error:
            self.__exit__(None, None, None)
            raise PtmonError(f"cannot capture the output: no pipe ({kernel_word(error.errno or 0)})") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams:
            stream.give_up()

    @property
    def fds(self) -> tuple[int, int]:
        """What is to be the program's stdout and stderr."""
        out, err = self._streams
        return out.end, err.end

    def start(self) -> None:
        """The program has them: reads what it writes. Raises PtmonError."""
        for stream in self._streams:
            stream.start()

    def outputs(self) -> tuple[bytes, bytes]:
        """All that was written to stdout and stderr; waits until nobody has them any more."""
        out, err = self._streams
        return out.output(), err.output()
