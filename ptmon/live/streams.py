# SPDX-License-Identifier: GPL-2.0-or-later
"""The terminal is the view's, so whatever else would write to it writes to a pseudo-terminal meanwhile.

Of ptmon's own stdin, stdout and stderr those that are a terminal are replaced before the program starts, which inherits
them: so also what ptmon says, and what hooks print, is seen in the view. Files and pipes stay what they are. stdin is
/dev/null then: the keys are the view's. A thread reads the pseudo-terminal at all times, so nobody waits for the view.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import struct
import termios
import threading
from collections import deque

from ptmon.errors import PtmonError, kernel_word
from ptmon.live.spool import Spool

FRESH_MOST = 1 << 20
"""Bytes that wait for the view; of more than that only the last are shown, all are kept."""
END_SECONDS = 5.0


class Streams:
    """ptmon's stdin, stdout and stderr, and a pseudo-terminal in their place.

    ``terminal``: an fd of the terminal, where it all goes in the end.
    """

    def __init__(self, terminal: int, *, keys: bool) -> None:
        """``keys``: a program is to be started, which must not read those of the view."""
        self._terminal = terminal
        self._keys = keys
        self._before: dict[int, int] = {}
        """Copies of what was replaced."""
        self._master = self._slave = -1
        self._spool = Spool()
        self._fresh: deque[bytes] = deque()
        self._waiting = 0
        """Bytes in ``_fresh``."""
        self.skipped = 0
        """Bytes that the view has not been shown, for there were too many at once."""
        self.written = False
        """Something has come."""
        self._lock = threading.Lock()
        self._through = False
        """The view is over: what comes goes to the terminal at once."""
        self._ended = True
        """What was written to the terminal last is a whole line."""
        self._ends, self._wake = -1, -1
        self._thread: threading.Thread | None = None

    @property
    def shown(self) -> bool:
        """Whether anything of stdout and stderr can come."""
        return self._master >= 0

    def begin(self, columns: int, lines: int) -> None:
        """Replaces them. Raises PtmonError, having changed nothing."""
        output = [number for number in (1, 2) if _is_terminal(number)]
        try:
            if output:
                self._master, self._slave = os.openpty()
                os.set_blocking(self._master, False)
                self.resize(columns, lines)
                self._ends, self._wake = os.pipe()
                self._replace(output, self._slave)
                self._start()
            if self._keys and _is_terminal(0):
                null = os.open(os.devnull, os.O_RDONLY)
                self._replace([0], null)
                os.close(null)
        except (OSError, RuntimeError) as error:
            self.restore()
            word = kernel_word(error.errno or 0) if isinstance(error, OSError) else str(error)
            raise PtmonError(f"--live cannot have a pseudo-terminal: {word}") from None

    def resize(self, columns: int, lines: int) -> None:
        """The program is told the size of the pane that it writes to."""
        if self._master >= 0:
            with contextlib.suppress(OSError, struct.error):
                fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def take(self) -> bytes:
        """What came since, for the view."""
        with self._lock:
            data = b"".join(self._fresh)
            self._fresh.clear()
            self._waiting = 0
        return data

    def restore(self) -> None:
        """ptmon has its own streams again. The program keeps the pseudo-terminal."""
        for number, before in self._before.items():
            with contextlib.suppress(OSError):
                os.dup2(before, number)
                os.close(before)
        self._before = {}

    def replay(self) -> int:
        """Writes to the terminal what was kept, and from now on what comes. Returns how many bytes were not kept."""
        if self._master < 0:
            return 0
        with self._lock:  # meanwhile the thread does not read, so the order stays
            self._drain()
            for data in self._spool.chunks():
                self._write(data)
            self._through = True
            return self._spool.lost

    def end_line(self) -> None:
        """What is written to the terminal next begins a line."""
        with self._lock:
            if not self._ended:
                self._write(b"\n")

    def end(self) -> None:
        """What the pseudo-terminal still has goes to the terminal. Who has it open gets EIO from then on."""
        self.restore()
        if self._slave >= 0:
            os.close(self._slave)
            self._slave = -1
        if self._thread is not None:
            os.write(self._wake, b"e")
            self._thread.join(END_SECONDS)
            stuck, self._thread = self._thread.is_alive(), None
            if stuck:  # in a write to a terminal that nobody reads: it needs its fds
                return
        for name in ("_master", "_ends", "_wake"):
            if (number := getattr(self, name)) >= 0:
                os.close(number)
                setattr(self, name, -1)

    def _replace(self, numbers: list[int], by: int) -> None:
        for number in numbers:
            self._before[number] = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
            os.dup2(by, number)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="ptmon-streams", daemon=True)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        poll.register(self._ends, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            with self._lock:
                more = self._read() if self._master in ready else True
                if self._ends in ready:
                    self._drain()
                    return
            if not more:  # nobody has it open
                return

    def _drain(self) -> None:
        """Reads what is there now."""
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while poll.poll(0) and self._read():
            pass

    def _read(self) -> bool:
        """False: there is nobody any more who could write."""
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:  # another thread has read it since poll(2) told of it
            return True
        except OSError as error:
            return error.errno == errno.EINTR
        self.written = True
        if self._through:
            self._write(data)
        else:
            self._spool.put(data)
            self._fresh.append(data)
            self._waiting += len(data)
            while self._waiting > FRESH_MOST:
                gone = len(self._fresh.popleft())
                self._waiting -= gone
                self.skipped += gone
        return bool(data)

    def _write(self, data: bytes) -> None:
        self._ended = data.endswith(b"\n") if data else self._ended
        while data:
            try:
                data = data[os.write(self._terminal, data) :]
            except BlockingIOError:
                select.select([], [self._terminal], [])
            except OSError:  # the terminal is gone
                return


def _is_terminal(number: int) -> bool:
    try:
        return os.isatty(number)
    except OSError:
        return False
