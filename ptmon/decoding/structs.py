# SPDX-License-Identifier: GPL-2.0-or-later
"""Arguments that point to structs: times, limits, polls, signal sets, clone3's and openat2's."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Any

from ptmon.decoding import constants, memory
from ptmon.decoding.frame import SHOWN, Formatter, Frame, Kind
from ptmon.decoding.python_ptrace import FD_SETSIZE, new_utsname, rlimit, timespec, timeval
from ptmon.decoding.values import signed
from ptmon.decoding.words import fields, members, octal, plain, pointer, quoted_name
from ptmon.watches import Capture, CaptureKind

# Of struct epoll_event: packed on x86, EPOLL_PACKED in linux/eventpoll.h.
_EPOLL = struct.Struct("=IQ" if os.uname().machine in ("x86_64", "i686") else "=I4xQ")
_POLL = struct.Struct("=ihh")
_CLONE_ARGS_LEAST = 64  # CLONE_ARGS_SIZE_VER0
_CLONE_ARGS = (
    "flags pidfd child_tid parent_tid exit_signal stack stack_size tls set_tid set_tid_size cgroup".split()  # noqa: SIM905
)


def _kind(format: Formatter, most: int, entry: bool, out: bool) -> Kind:
    """``out``: nothing is there before the call has succeeded, but where ``entry`` says that something is."""

    def guarded(frame: Frame, index: int) -> tuple[Any, str]:
        at = frame.args[index]
        if not at or (out and not entry and frame.returned is None):
            return None, pointer(at)
        return format(frame, index)

    return Kind(guarded, Capture(CaptureKind.BYTES, entry, out, most))


def _names_of(kind: Any) -> list[str]:
    return [name for name, _ in kind._fields_]


def _words(names: list[str], size: int | None = None, text: Callable[[int], str] = str) -> Formatter:
    """A struct of longs, or of numbers of ``size`` bytes."""

    def format(frame: Frame, index: int) -> tuple[Any, str]:
        code = "q" if (size or frame.word) == 8 else "i"
        layout = struct.Struct(f"={len(names)}{code}")
        numbers = layout.unpack(frame.read(frame.args[index], layout.size))
        return dict(zip(names, numbers, strict=True)), fields(**dict(zip(names, map(text, numbers), strict=True)))

    return format


def _pair(names: list[str], labels: tuple[str, str] | None, size: int | None = None) -> Formatter:
    """Two structs of longs, one behind the other: an array, or a struct with ``labels``."""
    both = _words([f"{half}{name}" for half in "01" for name in names], size)

    def format(frame: Frame, index: int) -> tuple[Any, str]:
        numbers = list(both(frame, index)[0].values())
        values = [dict(zip(names, part, strict=True)) for part in (numbers[:2], numbers[2:])]
        texts = [fields(**{name: str(number) for name, number in value.items()}) for value in values]
        if labels:
            return dict(zip(labels, values, strict=True)), fields(**dict(zip(labels, texts, strict=True)))
        return values, members(texts)

    return format


def _limit(value: int) -> str:
    return "RLIM_INFINITY" if value == -1 else str(value)


def _poll(frame: Frame, index: int) -> tuple[Any, str]:
    count = frame.args[index + 1] & 0xFFFFFFFF
    data = memory.beginning(frame.read, frame.args[index], _POLL.size * min(count, SHOWN)) if count else b""
    values, texts = [], []
    for fd, events, revents in _POLL.iter_unpack(data[: len(data) // _POLL.size * _POLL.size]):
        values.append({"fd": fd, "events": events & 0xFFFF, "revents": revents & 0xFFFF})
        told = {"fd": str(fd), "events": constants.poll_events(events & 0xFFFF)}
        if frame.returned is not None:
            told["revents"] = constants.poll_events(revents & 0xFFFF)
        texts.append(fields(**told))
    return values, members(texts, len(texts) == count)


def _epoll(frame: Frame, index: int) -> tuple[Any, str]:
    events, data = _EPOLL.unpack(frame.read(frame.args[index], _EPOLL.size))
    value = {"events": events, "data": data}
    return value, fields(events=constants.epoll_events(events), data=plain(data))


def _epolls(frame: Frame, index: int) -> tuple[Any, str]:
    count = min(frame.returned or 0, SHOWN)
    data = frame.read(frame.args[index], count * _EPOLL.size) if count else b""
    values = [{"events": events, "data": datum} for events, datum in _EPOLL.iter_unpack(data)]
    texts = [fields(events=constants.epoll_events(value["events"]), data=plain(value["data"])) for value in values]
    return values, members(texts, count == (frame.returned or 0))


def _fd_set(frame: Frame, index: int) -> tuple[Any, str]:
    count = max(0, min(signed(frame.args[0]), FD_SETSIZE))
    size = -(-count // (8 * frame.word)) * frame.word
    bits = int.from_bytes(frame.read(frame.args[index], size), "little") if size else 0
    numbers = [fd for fd in range(count) if bits >> fd & 1]
    return numbers, members([str(fd) for fd in numbers])


def _signals(frame: Frame, index: int) -> tuple[Any, str]:
    """The kernel's sigset_t: 64 signals."""
    bits = int.from_bytes(frame.read(frame.args[index], 8), "little")
    numbers = [number for number in range(1, 65) if bits >> (number - 1) & 1]
    names = [constants.signal_name(number).removeprefix("SIG") for number in range(1, 65) if number in numbers]
    return numbers, f"[{' '.join(names)}]" if len(names) < 60 else "[all]"


def _clone3(frame: Frame, index: int) -> tuple[Any, str]:
    length = min(frame.args[index + 1], 8 * len(_CLONE_ARGS)) // 8 * 8
    if length < _CLONE_ARGS_LEAST:
        return None, pointer(frame.args[index])
    data = frame.read(frame.args[index], length)
    value = dict(zip(_CLONE_ARGS, struct.unpack(f"={length // 8}Q", data), strict=False))
    texts = {"flags": constants.unshare_flags(value.get("flags", 0))}
    texts["exit_signal"] = constants.signal_name(value.get("exit_signal", 0))
    texts["stack"] = pointer(value.get("stack", 0))
    texts["stack_size"] = f"{value.get('stack_size', 0):#x}"
    for name in _CLONE_ARGS:
        if name not in texts and value.get(name):
            texts[name] = str(value[name]) if name in ("set_tid_size", "cgroup") else pointer(value[name])
    return value, fields(**texts)


def _open_how(frame: Frame, index: int) -> tuple[Any, str]:
    if frame.args[index + 1] < 24:
        return None, pointer(frame.args[index])
    flags, mode, resolve = struct.unpack("=QQQ", frame.read(frame.args[index], 24))
    texts = {"flags": constants.open_flags(flags), "mode": octal(mode), "resolve": constants.resolve_flags(resolve)}
    return {"flags": flags, "mode": mode, "resolve": resolve}, fields(**texts)


def _futex_timeout(frame: Frame, index: int) -> tuple[Any, str]:
    """A time for the operations that wait, a number for others."""
    if frame.args[1] & 0x7F in (0, 6, 9, 11, 13):  # WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2
        return (TIMESPEC64 if frame.name.endswith("time64") else TIMESPEC).format(frame, index)
    value = frame.args[index]
    return value, plain(value)


def _uname(frame: Frame, index: int) -> tuple[Any, str]:
    data = frame.read(frame.args[index], 390)
    names = _names_of(new_utsname)
    words = [data[start : start + 65].partition(b"\0")[0] for start in range(0, 390, 65)]
    value = {name: os.fsdecode(word) for name, word in zip(names, words, strict=True)}
    return value, fields(**{name: quoted_name(word) for name, word in zip(names, words, strict=True)})


_TIMESPEC, _TIMEVAL, _RLIMIT = _names_of(timespec), _names_of(timeval), _names_of(rlimit)
TIMESPEC = _kind(_words(_TIMESPEC), 16, True, False)
TIMESPEC_OUT = _kind(_words(_TIMESPEC), 16, False, True)
TIMESPEC64 = _kind(_words(_TIMESPEC, 8), 16, True, False)
TIMESPEC64_OUT = _kind(_words(_TIMESPEC, 8), 16, False, True)
TIMESPECS = _kind(_pair(_TIMESPEC, None), 32, True, False)
TIMESPECS64 = _kind(_pair(_TIMESPEC, None, 8), 32, True, False)
TIMEVAL = _kind(_words(_TIMEVAL), 16, True, False)
TIMEVAL_OUT = _kind(_words(_TIMEVAL), 16, False, True)
TIMEVALS = _kind(_pair(_TIMEVAL, None), 32, True, False)
ITIMERVAL = _kind(_pair(_TIMEVAL, ("it_interval", "it_value")), 32, True, False)
ITIMERSPEC = _kind(_pair(_TIMESPEC, ("it_interval", "it_value")), 32, True, False)
ITIMERSPEC64 = _kind(_pair(_TIMESPEC, ("it_interval", "it_value"), 8), 32, True, False)
RLIMIT = _kind(_words(_RLIMIT, text=_limit), 16, True, False)
RLIMIT_OUT = _kind(_words(_RLIMIT, text=_limit), 16, False, True)
RLIMIT64 = _kind(_words(_RLIMIT, 8, text=_limit), 16, True, False)
RLIMIT64_OUT = _kind(_words(_RLIMIT, 8, text=_limit), 16, False, True)
POLL = _kind(_poll, _POLL.size * SHOWN, True, True)
EPOLL = _kind(_epoll, _EPOLL.size, True, False)
EPOLLS = _kind(_epolls, _EPOLL.size * SHOWN, False, True)
FD_SET = _kind(_fd_set, FD_SETSIZE // 8, True, True)
SIGNALS = _kind(_signals, 8, True, False)
SIGNALS_OUT = _kind(_signals, 8, False, True)
CLONE3 = _kind(_clone3, 8 * len(_CLONE_ARGS), True, False)
OPEN_HOW = _kind(_open_how, 24, True, False)
FUTEX_TIMEOUT = _kind(_futex_timeout, 16, True, False)
UNAME = _kind(_uname, 390, False, True)
