# SPDX-License-Identifier: GPL-2.0-only
"""Whether a process runs the program that is waited for, as /proc tells: proc(5).

A program is known by its executable's file name; or, if its name has a ``/``, it is that very file. Where a link on
PATH leads to a file of another name (python3 to python3.11), or a name is one of many of a file (busybox), the name by
which it was executed decides: the kernel keeps it as the process's comm. A script's executable is its interpreter. The
kernel calls the process by the script's name (comm) and gives the interpreter the script's path, so these two decide;
or, where ``env`` has started the interpreter, the path and the first line of a script that is on PATH.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum, auto

COMM_MOST = 15  # TASK_COMM_LEN without its NUL, linux/sched.h
PF_FORKNOEXEC = 0x40  # "forked but didn't exec", linux/sched.h
FIRST_LINE_MOST = 256  # BINPRM_BUF_SIZE, linux/binfmts.h
DELETED = " (deleted)"

Identity = tuple[int, int]
"""Device and inode of a file."""


class Look(Enum):
    """What a look at a process has found."""

    GONE = auto()
    OTHER = auto()
    """It runs another program, or is a fork that has not yet executed any."""
    RUNS = auto()
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
    forked: bool
    """It was forked by an instance and has not executed anything since."""


def instance(pid: int) -> Instance | None:
    """Reads /proc/PID/stat; None if the process is gone."""
    try:
        fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in (b"Z", b"X"):
        return None
    return Instance(pid, int(fields[19]), int(fields[25]), bool(int(fields[6]) & PF_FORKNOEXEC))


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
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o111:
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
        return (Look.OTHER, None) if found.forked else (look, found)

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
        return (comm == self._comm or comm in self._script_comms) and self._is_script(pid, comm)

    def _is_script(self, pid: int, comm: bytes) -> bool:
        """The interpreter has the script's path as its first argument, behind one option at most (execve(2))."""
        words = [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline").split(b"\0")[1:3]]
        script = next((word for word in words if not word.startswith("-")), "")
        if not script:
            return False
        if comm == self._comm and not self._path:
            return os.path.basename(script) == self._base
        try:
            return _identity(os.path.join(f"/proc/{pid}/cwd", script)) in self._files
        except OSError:
            return False


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
