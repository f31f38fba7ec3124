# SPDX-License-Identifier: GPL-2.0-or-later
"""--wait: a program is found as soon as it is executed, by whomever ptmon may trace.

No unprivileged interface of Linux tells of an execve(2), so there are two ways. inotify(7) tells when the executables
of that name on PATH, or the given file, are opened. And every few milliseconds ptmon asks which pid was given out last.
Only if that has changed there are newborn processes, and they are looked at until they have had time to execute
something; so a machine at rest costs next to nothing. All processes are looked at once a second: an old one, too, can
execute a program from anywhere.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import TracebackType

from ptmon.frozen import dataclass
from ptmon.text import printable
from ptmon.waiting.opens import Opens
from ptmon.waiting.program import Instance, Look, Program, instance

IDLE_S = 0.004
"""Between two looks."""
BURST_S = 0.0003
"""The same while an executable that was opened is about to be executed."""
EXECVE_S = 0.05
"""So long that may take; a file can be opened for other reasons, and then nothing comes of it."""
YOUNG_S = 1.0
"""So long a newborn process is looked at again and again: mostly it executes its program soon after its birth."""
AGE_SHARE = 0.2
"""Of its age, the time from one look at it to the next."""
SCAN_S = 1.0
SCAN_SHARE = 10
"""A look at all processes comes no sooner than so many times its own length after the last."""
MOST_NEWBORNS = 4096
PATIENCE_S = 0.005
"""So long the newborn alone are looked at when a file was opened: mostly it is one of them."""
SETTLED_S = 2.0
"""So long after the last opening of a file, no execve(2) of then is still on its way."""
MOST_SHOWN = 3
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Found:
    """A process that has just executed the program."""

    pid: int
    not_before: float
    """A moment at which it had not yet executed it, by CLOCK_BOOTTIME: mostly that of the look before the last."""

    def age(self) -> float:
        """Seconds, at the most, since it was executed."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.not_before


class Waiter:
    """Waits for a program to be executed. ``say`` takes what the user is to know, by lines."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._program = Program(name)
        self._shown = printable(name)
        self._say = say
        self._told: set[str] = set()
        self._known: dict[int, Instance] = {}
        """Instances that are not meant."""
        self._young: dict[int, tuple[float, float]] = {}
        """Newborns: a moment at which they were not yet born, and when they were last looked at."""
        self._pids: set[int] = set()
        """At the last look at all."""

    def __enter__(self) -> Waiter:
        """Begins to watch: a program that is executed from now on will be found."""
        self._opens = Opens()
        self._last_pid = _LastPid()
        self._now = self._settled_at = self._scanned_at = _now()
        self._opened_at = -SETTLED_S
        self._executed = False
        self._burst_until = self._scan_due = self._scan_allowed = 0.0
        self._watch_files()
        self._last_pid.newborns()
        ours = (Look.RUNS, Look.FORKED)
        self._running = [pid for pid, look in self._scan() if look in ours and pid != os.getpid()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opens.close()
        self._last_pid.close()
        if kind is KeyboardInterrupt:
            self._say(f"interrupted while waiting for {self._shown}")

    def next(self) -> Found:
        """Blocks until a process executes the program. The first time it is said that ptmon waits."""
        self._announce()
        while True:
            burst = self._now < self._burst_until
            opened = self._opens.wait(BURST_S if burst else IDLE_S)
            found = self._round(opened)
            if found is not None:
                return found

    def pass_over(self, found: Found, why: str) -> None:
        """The process could not be attached to, so it is not meant any more."""
        if instance(found.pid) is None:
            self._tell_once("gone", f"{self._shown} ran as process {found.pid}, and ended before ptmon could attach")
        else:
            self._tell_once("refused", why)

    def _round(self, opened: bool) -> Found | None:
        before, self._now = self._now, _now()
        if opened:
            self._executed = True
            if self._now - self._opened_at > SETTLED_S:
                self._settled_at = before
            self._opened_at = self._now
            self._burst_until = self._now + EXECVE_S
            self._scan_due = min(self._scan_due, max(self._now + PATIENCE_S, self._scan_allowed))
        newborns = self._last_pid.newborns()
        if newborns is None:
            self._scan_due = self._now
        else:
            self._young.update((pid, (before, before)) for pid in newborns)
        return self._look_at_young() or (self._look_at_all() if self._now >= self._scan_due else None)

    def _look_at_young(self) -> Found | None:
        """Looks at those whose turn it is: at once, and the older they get the less often, until they are old."""
        burst = self._now < self._burst_until
        due = [
            (pid, born, looked)
            for pid, (born, looked) in self._young.items()
            if burst or self._now - looked >= AGE_SHARE * (looked - born)
        ]
        if due:
            self._watch_files()
        for pid, born, looked in due:
            now = _now()
            look = self._look(pid)
            if look is Look.GONE or now - born > YOUNG_S:  # from now on the look at all is enough
                del self._young[pid]
            else:
                self._young[pid] = (born, now)
            if self._is_meant(look):
                return self._found(pid, looked)
        return None

    def _look_at_all(self) -> Found | None:
        before = self._scanned_at
        self._watch_files()
        running = [pid for pid, look in self._scan() if self._is_meant(look)]
        if not running:
            return None
        for pid in running[1:]:
            del self._known[pid]  # for another time, should this one be gone before it is attached to
        # The file is opened right before an execve, and it was not opened before that moment.
        settled = self._settled_at if self._now < self._burst_until else before
        return self._found(running[0], max(before, settled))

    def _is_meant(self, look: Look) -> bool:
        """A server that makes a daemon of itself may have ended before it could be attached to: then that is meant.

        But only where the program was executed since, or perhaps was: what ran before forks, too.
        """
        self._executed |= look is Look.RUNS
        return look is Look.RUNS or (look is Look.FORKED and self._executed)

    def _scan(self) -> list[tuple[int, Look]]:
        """Looks at all processes: once, and soon again where an execve may be under way."""
        begin = self._scanned_at = _now()
        pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        looks = [(pid, self._look(pid)) for pid in sorted(pids, reverse=True)]
        if self._pids:
            self._young.update((pid, (begin, begin)) for pid in pids - self._pids - self._young.keys())
        self._pids = pids
        for pid in self._known.keys() - pids:
            del self._known[pid]
        end = _now()
        self._scan_allowed = end + SCAN_SHARE * (end - begin)
        self._scan_due = self._scan_allowed if end < self._burst_until else max(end + SCAN_S, self._scan_allowed)
        return looks

    def _look(self, pid: int) -> Look:
        """OTHER for an instance that is not meant. One that is seen for the first time is not meant the next."""
        look, seen = self._program.look(pid)
        if seen is None or (look is Look.OTHER and self._pids):
            return look  # one that was forked before ptmon waited is not meant later either, when it is an orphan
        if self._known.get(pid) == seen:
            return Look.OTHER
        self._known[pid] = seen
        if look is Look.FORBIDDEN and self._pids:
            why = "it is another user's, or may not be read (set-user-ID); run ptmon as root"
            self._tell_once("forbidden", f"{self._shown} runs as process {pid}, which ptmon may not trace: {why}")
        return look

    def _found(self, pid: int, not_before: float) -> Found:
        """Two things are known of the moment of its execve: the process was born by then, and the last look at it."""
        known = self._known[pid]
        return Found(pid, max(not_before, known.started * TICK_S))

    def _watch_files(self) -> None:
        for path in self._program.refresh():
            self._opens.watch(path)

    def _tell_once(self, kind: str, line: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            self._say(f"{line}; still waiting for {self._shown}")

    def _announce(self) -> None:
        if "waiting" in self._told:
            return
        self._told.add("waiting")
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # half a line would be written twice
        try:
            if self._running:
                self._say(self._already(self._running))
            self._say(f"waiting for {self._shown}")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _already(self, pids: list[int]) -> str:
        shown = ", ".join(map(str, pids[:MOST_SHOWN]))
        more = f" and {len(pids) - MOST_SHOWN} more" if len(pids) > MOST_SHOWN else ""
        noun = "process" if len(pids) == 1 else "processes"
        return (
            f"{self._shown} runs already ({noun} {shown}{more}), which is not waited for: --attach {pids[0]} is for it"
        )


class _LastPid:
    """The pids that were given out since the last look.

    Where the kernel was built without ns_last_pid, /proc/loadavg tells the same (proc_loadavg(5)); in some containers
    that file is made up, and the looks at all processes remain.
    """

    def __init__(self) -> None:
        try:
            self._fd = os.open("/proc/sys/kernel/ns_last_pid", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
        self._last = self._read()

    def close(self) -> None:
        os.close(self._fd)

    def newborns(self) -> range | None:
        """None: the numbers have begun anew, or they are too many."""
        last, self._last = self._last, self._read()
        return range(last + 1, self._last + 1) if last <= self._last < last + MOST_NEWBORNS else None

    def _read(self) -> int:
        return int(os.pread(self._fd, 128, 0).split()[-1])


def _now() -> float:
    """The clock of the processes' births in /proc."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
