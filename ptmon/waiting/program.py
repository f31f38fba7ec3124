# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a process runs the program that is waited for, as /proc tells: proc(5).

A program is known by its executable's file name; or, if its name has a ``/``, it is that very file. Where a link on
PATH leads to a file of another name (python3 to python3.11), or a name is one of many of a file (busybox), the name by
which it was executed decides: the kernel keeps it as the process's comm. A script's executable is its interpreter. The
kernel calls the process by the script's name (comm) and gives the interpreter the script's path, so these two decide;
or, where ``env`` has started the interpreter, the path and the first line of a script that is on PATH.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from enum import Enum, auto

COMM_MOST = 15  # TASK_COMM_LEN without its NUL, linux/sched.h
PF_FORKNOEXEC = 0x40  # "forked but didn't exec", linux/sched.h
FIRST_LINE_MOST = 256  # BINPRM_BUF_SIZE, linux/binfmts.h
PF_EXITING = 0x4
DELETED = " (deleted)"
INTERPRETER = re.compile(
    r"(python|pypy|perl|ruby|php|lua|luajit|tclsh|guile|node|nodejs|julia|Rscript|(ba|da|z|k)?sh)[\d.]*"
)
"""The name of what runs the program that is its first argument."""

Identity = tuple[int, int]
"""Device and inode of a file."""


class Look(Enum):
    """What a look at a process has found."""

    GONE = auto()
    OTHER = auto()
    """It runs another program, or is a fork that has not yet executed any."""
    RUNS = auto()
    FORKED = auto()
    """It was forked by who ran the program, has executed nothing since, and its parent does not run it: a daemon."""
    FORBIDDEN = auto()
    """It has the program's name, and ptmon may not know more: then it may not trace it either (ptrace(2))."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One execution of a program: a pid may be used anew, and a process may execute the same program again."""

    pid: int
    started: int
    """Clock ticks from the boot to the process's birth."""
    stack: int
    """Where its stack begins, which execve(2) draws anew; 0 where it may not be known."""
    parent: int = field(compare=False)
    """That may change."""
    forked: bool
    """It was forked by an instance and has not executed anything since."""


def instance(pid: int) -> Instance | None:
    """Reads /proc/PID/stat; None if the process is gone."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in (b"Z", b"X") or int(fields[6]) & PF_EXITING:
        return None
    return Instance(pid, int(fields[19]), int(fields[25]), int(fields[1]), bool(int(fields[6]) & PF_FORKNOEXEC))


class Program:
    """The program that is waited for, and the files by which it is known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._path = "/" in name
        self._base = os.path.basename(name)
        self._comm = os.fsencode(self._base)[:COMM_MOST]
        self._paths = [name] if self._path else [os.path.join(folder, name) for folder in os.get_exec_path()]
        self._found: dict[str, tuple[int, int, int]] = {}
        """What each path leads to: device, inode, and when that was changed last, for inodes are used anew."""
        self._files: frozenset[Identity] = frozenset()
        self._script_comms: frozenset[bytes] = frozenset()
        """What the first lines of those that are scripts call their interpreters."""

    def refresh(self) -> list[str]:
        """Looks which files the program's name leads to now, and returns the paths of new ones."""
        found: dict[str, tuple[int, int, int]] = {}
        for path in self._paths:
            try:
                status = os.stat(path)
            except (OSError, ValueError):
                continue
            # A script that an interpreter is given need not be executable.
            if stat.S_ISREG(status.st_mode) and (self._path or status.st_mode & 0o111):
                found[path] = (status.st_dev, status.st_ino, status.st_ctime_ns)
        if found == self._found:
            return []
        new = [path for path, key in found.items() if self._found.get(path) != key]
        self._found = found
        self._files = frozenset(key[:2] for key in found.values())
        self._script_comms = frozenset().union(*map(_interpreters, found))
        return new

    def look(self, pid: int) -> tuple[Look, Instance | None]:
        """Whether ``pid`` runs the program, executed by itself; and if so, which execution of it that is."""
        comm = b""
        try:
            comm = _read(f"/proc/{pid}/comm").rstrip(b"\n")
            if not self._matches(pid, comm):
                return Look.OTHER, None
            look = Look.RUNS
        except PermissionError:
            if comm != self._comm:
                return Look.OTHER, None
            look = Look.FORBIDDEN
        except OSError:
            return Look.GONE, None
        found = instance(pid)
        if found is None:
            return Look.GONE, None
        if not found.forked:
            return look, found
        daemon = look is Look.RUNS and not self._runs(found.parent)
        return (Look.FORKED if daemon else Look.OTHER), found

    def is_run_by(self, pid: int) -> bool:
        """Whether ``pid`` runs it, executed by itself or by who has forked it; or has its name and may not be read."""
        return self._runs(pid) or self.look(pid)[0] is Look.FORBIDDEN

    def _runs(self, pid: int) -> bool:
        try:
            return self._matches(pid, _read(f"/proc/{pid}/comm").rstrip(b"\n"))
        except OSError:
            return False

    def _matches(self, pid: int, comm: bytes) -> bool:
        """Raises OSError: PermissionError where ptmon may not know, else the process is gone."""
        executable = f"/proc/{pid}/exe"
        if self._path:
            if _identity(executable) in self._files:
                return True
        else:
            name = os.path.basename(os.readlink(executable).removesuffix(DELETED))
            if name == self._base or (comm == self._comm and _identity(executable) in self._files):
                return True
        words = [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline").split(b"\0")[:3]]
        return (not self._path and self._is_called(words[0])) or self._is_script(pid, comm, words)

    def _is_called(self, first: str) -> bool:
        """By its argv[0], which a server may have rewritten: ``nginx: master process``."""
        return os.path.basename(first.partition(" ")[0].rstrip(":")) == self._base

    def _is_script(self, pid: int, comm: bytes, words: list[str]) -> bool:
        """The interpreter has the script's path as its first argument, behind one option at most (execve(2))."""
        # By argv[0], not by comm, which in the middle of an execve is that of the program before.
        given = INTERPRETER.fullmatch(os.path.basename(words[0])) is not None
        script = next((word for word in words[1:] if not word.startswith("-")), "")
        if not script or not (given or comm == self._comm or comm in self._script_comms):
            return False
        if not self._path and (given or comm == self._comm):
            return os.path.basename(script) == self._base
        try:
            return _identity(os.path.join(f"/proc/{pid}/cwd", script)) in self._files
        except OSError:
            return False


def running(name: str) -> list[int]:
    """The processes that run a program, by its file name or its path, forked ones too; but for ptmon and its ancestors.

    Of those that ptmon may not look at: those that have its name.
    """
    program = Program(name)
    program.refresh()
    left_out, pid = set(), os.getpid()
    while pid > 0 and pid not in left_out:
        left_out.add(pid)
        pid = _parent(pid)
    pids = sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [pid for pid in pids if pid not in left_out and program.is_run_by(pid)]


def _parent(pid: int) -> int:
    found = instance(pid)
    return found.parent if found is not None else 0


def _identity(path: str) -> Identity:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _interpreters(path: str) -> frozenset[bytes]:
    """The file names in a script's first line: its interpreter's; with env, also the one that env starts."""
    try:
        line = _read(path, FIRST_LINE_MOST).partition(b"\n")[0]
    except OSError:
        return frozenset()
    if not line.startswith(b"#!"):
        return frozenset()
    return frozenset(os.path.basename(word)[:COMM_MOST] for word in line[2:].split() if not word.startswith(b"-"))


def _read(path: str, most: int = 4096) -> bytes:
    """Not by a file object, which would take three times as long."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return os.read(fd, most)
    finally:
        os.close(fd)
