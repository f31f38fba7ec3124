# SPDX-License-Identifier: GPL-2.0-or-later
"""When a file is opened, as execve(2) opens its program: inotify(7), by way of the C library."""

from __future__ import annotations

import ctypes
import os
import select
import time

IN_OPEN = 0x20  # linux/inotify.h
EVENTS = 1 << 16
"""Bytes that one read takes: more than two thousand events."""


class Opens:
    """Watches files. Where the kernel grants no inotify instance (fs.inotify.max_user_instances) it never tells."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        if self._fd >= 0:
            self._poll.register(self._fd, select.POLLIN)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def watch(self, path: str) -> None:
        """Watches the file that ``path`` leads to, by whatever name it is opened. Twice is as good as once."""
        if self._fd >= 0:
            self._libc.inotify_add_watch(self._fd, os.fsencode(path), IN_OPEN)

    def wait(self, seconds: float) -> bool:
        """Waits until a watched file is opened, or for so long; True: one was, since the last call."""
        if seconds < 0.001:  # what poll(2) cannot measure
            time.sleep(seconds)
            seconds = 0.0
        if not self._poll.poll(seconds * 1000) or self._fd < 0:
            return False
        try:
            return bool(os.read(self._fd, EVENTS))
        except BlockingIOError:
            return False
