# SPDX-License-Identifier: GPL-2.0-or-later
"""Watches and rules as the C core takes them, and the calls that it tells of."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import partial

from ptmon.engines import EngineSettings
from ptmon.engines.boundary import ffi, lib, read_memory
from ptmon.errors import PtmonError, kernel_word
from ptmon.records import Called, Denied, Entered, Returned
from ptmon.static import TYPE_CHECKING, Any
from ptmon.watches import Held, Hold, Rule, Watch

if TYPE_CHECKING:
    from ptmon.engines.boundary import pt_record

CALL = struct.Struct("=Q6QqiiH6x")
"""struct pt_call: number, args, result, at_exit, compat, syscall."""
CHUNK = struct.Struct("=QQ")
"""struct pt_chunk: address, length; its bytes follow, padded to a multiple of PADDING."""
PADDING = 8
WANTED = 1
"""``made`` of pt_answer()."""


def prepare(tracer: Any, settings: EngineSettings) -> None:
    """Tells a new tracer what to watch and what to refuse. The id of a rule is its place in ``settings.rules``.

    Raises PtmonError where the core does not take one.
    """
    for watch in settings.watches:
        _check(lib.pt_watch(tracer, _watch(watch)), f"cannot watch system call {watch.number}")
    for number, rule in enumerate(settings.rules):
        # What the core is given must live as long as the call lasts.
        prefixes = _prefixes(rule)
        _check(lib.pt_deny(tracer, _rule(rule, number, prefixes)), f"cannot refuse {rule.text}")


def called(data: bytes) -> tuple[Called, int, bool]:
    """The call that a record bears, its result, and whether that means something: it is at its exit."""
    number, *args, result, at_exit, compat, _ = CALL.unpack_from(data)
    return Called(number, bool(compat), tuple(args), tuple(_chunks(data))), result, bool(at_exit)


def entered(row: pt_record, moment: float, data: bytes) -> Entered:
    """PT_ENTER."""
    return Entered(moment, row.tgid, row.tid, called(data)[0])


def returned(row: pt_record, moment: float, data: bytes) -> Returned:
    """PT_RETURN."""
    call, result, _ = called(data)
    return Returned(moment, row.tgid, row.tid, call, result)


def denied(row: pt_record, moment: float, data: bytes, rules: Sequence[Rule]) -> Denied:
    """PT_DENIED."""
    return Denied(moment, row.tgid, row.tid, called(data)[0], rules[row.value].text, row.error)


def held(row: pt_record, moment: float, data: bytes) -> Held:
    """PT_HELD."""
    call, result, at_exit = called(data)
    return Held(moment, row.tgid, row.tid, call, result if at_exit else None, partial(read_memory, row.tid))


def answer(tracer: Any, one: Held, hold: Hold | None, moment: float) -> Denied | None:
    """Asks the hook, and lets the tracee go on as it says. A Denied, of that moment, if that is a refusal."""
    said = hold(one) if hold is not None else None
    if one.result is not None:
        said = None  # the call has been made: too late
    # SIGKILL may have taken it out of its stop meanwhile (ESRCH): then there is nothing to answer, nor to tell.
    if said is None:
        lib.pt_answer(tracer, one.tid, WANTED, 0)
    elif lib.pt_answer(tracer, one.tid, not WANTED, said.result) == 0 and said.rule is not None:
        return Denied(moment, one.pid, one.tid, one.call, said.rule, -said.result)
    return None


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = CALL.size
    while at < len(data):
        address, length = CHUNK.unpack_from(data, at)
        at += CHUNK.size
        yield address, data[at : at + length]
        at += -(-length // PADDING) * PADDING


def _watch(watch: Watch) -> Any:
    made = ffi.new("struct pt_watch *")
    made.number, made.compat, made.emit, made.hold = watch.number, watch.compat, watch.tell, watch.hold
    for to, capture in zip(made.captures, watch.captures, strict=False):
        to.kind, to.at_entry, to.at_exit, to.most = capture.kind, capture.at_entry, capture.at_exit, capture.most
    return made


def _prefixes(rule: Rule) -> Any:
    made = ffi.new("struct pt_prefix[]", len(rule.prefixes))
    for to, prefix in zip(made, rule.prefixes, strict=True):
        to.family, to.bits = prefix.family, prefix.bits
        ffi.buffer(to.address)[: len(prefix.address)] = prefix.address
    return made


def _rule(rule: Rule, number: int, prefixes: Any) -> Any:
    made = ffi.new("struct pt_rule *")
    made.number, made.compat, made.error = rule.number, rule.compat, rule.error
    made.condition, made.argument, made.value = rule.condition, rule.argument, rule.value
    made.id, made.emit, made.outside = number, rule.told, rule.outside
    made.prefixes, made.prefix_count = prefixes, len(rule.prefixes)
    return made


def _check(result: int, what: str) -> None:
    if result < 0:
        raise PtmonError(f"{what}: {kernel_word(-result)}")
