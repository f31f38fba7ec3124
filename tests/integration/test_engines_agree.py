# SPDX-License-Identifier: GPL-2.0-or-later
"""Two engines, written independently: of a program of one thread they tell the same, to the byte, call and errno.

The reference engine's rules are in Python (ptmon/engines/reference/counting.py), the native engine's in C.
"""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.counting import SKIPPED, assert_audits_match, assert_schema_true
from tests.hazards import Unprivileged
from tests.support import Outcome, Targets, run_plain, run_ptmon

MODES = {
    "counting": "sendto sendmsg sendmmsg write writev pwritev2 recvfrom recvmsg recvmmsg read readv preadv2",
    "nonsockets": "file pipe terminal eventfd failing",
    "outcomes": "eagain epipe sigpipe econnreset nothing refused mmsg_part_sent mmsg_part_received eintr restarted"
    " ignored",
    "flags": "peek peek_length trunc_datagram short_datagram trunc_stream errqueue_refused errqueue_timestamp oob"
    " zerocopy",
    "splicing": "file_to_socket socket_to_pipe_by_sendfile socket_to_socket unix_sockets no_socket",
    "families": "inet_stream inet_dgram inet6_stream inet6_mapped unix_stream unix_seqpacket unix_dgram netlink packet"
    " other mptcp",
    "peers": "udp udp_by_message udp_by_messages udp_nobody_asked unix_dgram reconnected connected_but_named",
    "audit": "open_closes_first accepted_closes_first shut_down unread left_open closed_by_exec dupped fast_open many"
    " zerocopy_receive",
    "reuse": "socket_then_file_dup2 socket_then_file_dup3 socket_then_file_close socket_then_file_close_range"
    " socket_then_file_exec file_then_socket socket_then_socket",
    "connecting": "refused refused6 accepted in_progress in_progress_refused told_by_transfer told_by_connect"
    " asked_by_connect interrupted unix pair udp wrong",
    "sandbox": "allow forbidden errno trap trace strict strict_call strict_forbidden",
    "signals": "segv pipe",
    "dying": "timer",
    "aio": "socket file",
    "uring": "send refused",
}
RUNS = [(name, mode) for name, modes in MODES.items() for mode in modes.split()]
I386_RUNS = ["socketcall", "own_number", "wrong_number"]
SAME = ("totals", "by_family", "by_scope", "by_syscall", "exit", "complete")
OF_ONE_RUN = (
    *("id", "inode", "opened_s", "closed_s", "pids", "connect_s", "duration_s"),
    *("local_address", "local_port", "peer_address", "peer_port"),
)
"""What differs between two runs of one program, whoever traces it."""


def run(engine: str, command: list[str | Path], folder: Path, **keywords: Any) -> Outcome:
    outcome = run_ptmon(command, folder / f"{engine}.json", ["--engine", engine], **keywords)
    assert outcome.report["engine"] == engine
    assert_schema_true(outcome.report)
    return outcome


def reasons(report: dict[str, Any]) -> list[str]:
    return sorted(warning["reason"] for warning in report["warnings"])


def sockets(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows in the order of their first use, but for what differs between two runs."""
    pid = str(report["processes"][0]["pid"])
    ports: dict[str, int] = {}

    def named(address: str | None, by_order: bool) -> str | None:
        if address is None:
            return None
        address = re.sub(rf"\b{pid}\b", "PID", address)
        # The kernel may give one port twice to sockets that come one after another, but not to those of one time.
        order = "#{}" if by_order else "#"
        return re.sub(r"(?<=:)[1-9]\d*$", lambda port: order.format(ports.setdefault(port[0], len(ports))), address)

    rows = []
    for row in sorted(report["sockets"], key=lambda row: row["id"]):
        tcp = row["tcp"] and (row["tcp"]["bytes_sent"], row["tcp"]["bytes_received"])
        addresses = {way: named(row[way], row["type"] == "dgram") for way in ("local", "peer")}
        rows.append({key: row[key] for key in row if key not in OF_ONE_RUN} | addresses | {"tcp": tcp})
    return rows


def connects(report: dict[str, Any]) -> dict[str, Counter[str]]:
    """What became of connects, whatever the address: of two that come one after another the kernel may give the second
    the port of the first, in one of two runs.
    """
    sums: dict[str, Counter[str]] = {}
    for row in report["connects"]:
        kind = repr([row[key] for key in ("family", "type", "protocol", "scope", "names")])
        counts = {key: row[key] for key in ("calls", "connected", "failed", "in_progress", "abandoned")}
        sums.setdefault(kind, Counter()).update({**counts, **row["errnos"]})
    return sums


def assert_agree(native: Outcome, reference: Outcome) -> None:
    assert reference.returncode == native.returncode, reference.stderr
    assert reference.stdout == native.stdout
    for key in SAME:
        assert reference.report[key] == native.report[key], key
    assert reasons(reference.report) == reasons(native.report)
    assert connects(reference.report) == connects(native.report)


@pytest.fixture
def agree(targets: Targets, tmp_path: Path) -> Callable[..., Outcome]:
    """``agree("name", argument...)`` runs a target once with each engine and returns the reference engine's outcome."""

    def both(name: str, *arguments: str) -> Outcome:
        command: list[str | Path] = [targets(name), *arguments]
        native = run("native", command, tmp_path)
        if native.returncode == SKIPPED:
            pytest.skip(native.stderr.strip() or native.stdout)
        reference = run("reference", command, tmp_path)
        assert_agree(native, reference)
        assert sockets(reference.report) == sockets(native.report)
        return reference

    return both


@pytest.mark.parametrize(("name", "mode"), RUNS)
def test_both_engines_tell_the_same(agree: Callable[..., Outcome], name: str, mode: str) -> None:
    agree(name, mode)


def test_both_engines_tell_the_same_of_a_trapped_call(agree: Callable[..., Outcome]) -> None:
    if platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("the target's SIGSYS handler knows the registers of x86_64 and aarch64")
    reference = agree("trapped")
    assert reference.totals["sent"] == reference.told["sent"] > 0


@pytest.mark.skipif(platform.machine() != "x86_64", reason="int 0x80 is x86's")
@pytest.mark.parametrize("mode", I386_RUNS)
def test_both_engines_tell_the_same_of_i386_calls(agree: Callable[..., Outcome], mode: str) -> None:
    reference = agree("int80", mode)
    assert reference.totals["sent"] == reference.told["sent"] > 0


@pytest.mark.parametrize(("name", "mode"), [("outcomes", "part_sent"), ("audit", "unsent")])
def test_what_depends_on_the_queues_is_counted_by_the_reference_engine_alone(
    targets: Targets, tmp_path: Path, name: str, mode: str
) -> None:
    """How many calls it takes is not the same in two runs; but the target knows, and so does the kernel."""
    outcome = run("reference", [targets(name), mode], tmp_path)
    assert (outcome.totals["sent"], outcome.totals["received"]) == (outcome.told["sent"], outcome.told["received"])
    assert outcome.totals["errors"] == 1  # the EAGAIN
    assert_audits_match(outcome.report)


@pytest.mark.parametrize("mode", ["send", "write"])
def test_the_reference_engine_says_what_it_cannot_know_of_a_process_that_may_not_be_read(
    targets: Targets, nobody: Unprivileged, mode: str
) -> None:
    """The native engine asks the process (native/calls/question.c)."""
    command: list[str | Path] = [nobody.copy(targets("hidden")), mode]
    native = run("native", command, nobody.folder, **nobody.keywords)
    reference = run("reference", command, nobody.folder, **nobody.keywords)
    assert (reference.returncode, reference.stdout) == (native.returncode, native.stdout)
    assert reasons(reference.report) == ["unreadable"]
    assert reference.totals["sent"] == reference.told["sent"] > 0
    assert not reasons(native.report)
    told = native.told
    assert native.totals["sent"] == told["sent"] + (told["other_sent"] if mode == "write" else 0)


def test_the_program_behaves_as_without_the_reference_engine(targets: Targets, tmp_path: Path) -> None:
    for mode in ("sendto", "recvmmsg"):
        command: list[str | Path] = [targets("counting"), mode]
        plain, traced = run_plain(*command), run("reference", command, tmp_path)
        assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)
        assert traced.totals["sent"] == traced.told["sent"] > 0
        assert traced.totals["received"] == traced.told["received"] > 0
