# SPDX-License-Identifier: GPL-2.0-or-later
"""The event server's thread, as the main thread has it: started, fed, ended within a bounded time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
import time

from ptmon.errors import PtmonError
from ptmon.outputs import stderr
from ptmon.outputs.server.hub import Batch, End, Hub, Start

END_SECONDS = 5.0
"""For the queue's rest, the end and the clients' last lines."""
CANCEL_SECONDS = 2.0
SWITCH_SECONDS = 0.0005
"""How long the main thread may have to wait for the GIL when a batch is there and the tracees wait; 5 ms by default."""


class ServerThread:
    """A thread with the hub's loop."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="ptmon-serve", daemon=True)
        self._deadline = 0.0
        self._switch = sys.getswitchinterval()

    def start(self) -> None:
        """Starts it with all signals blocked: those for ptmon are for the main thread. Raises PtmonError."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            self._thread.start()
        except RuntimeError as error:  # RLIMIT_NPROC
            self._loop.close()
            raise PtmonError(f"cannot start the event server: {error}") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        sys.setswitchinterval(SWITCH_SECONDS)

    def post(self, item: Start | Batch | End) -> None:
        """Hands something to the loop, from another thread. It never waits."""
        if isinstance(item, End):
            self._deadline = time.monotonic() + END_SECONDS
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has failed, and said so
            self._loop.call_soon_threadsafe(self.hub.queue.put_nowait, item)

    def close(self) -> None:
        """Ends the thread: after an End when that has been sent, else at once."""
        try:
            self._thread.join(max(self._deadline - time.monotonic(), 0.0))
            if self._thread.is_alive():
                with contextlib.suppress(RuntimeError):  # it has just ended
                    self._loop.call_soon_threadsafe(self._cancel)
                self._thread.join(CANCEL_SECONDS)  # it may be stuck in a write to stderr: then it is left alone
        finally:
            sys.setswitchinterval(self._switch)

    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        hub = self.hub
        try:
            self._task = self._loop.create_task(hub.run())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            stderr.say(f"the event server failed, events are no longer served: {error!r}")
        finally:
            hub.audience = 0
            self._loop.close()
            hub.first.set()
