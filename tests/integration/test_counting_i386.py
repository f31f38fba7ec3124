# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs and calls of the i386 ABI, which has numbers and structures of its own."""

from __future__ import annotations

import platform

import pytest

from tests.counting import (
    COUNTED,
    I386,
    RECEIVING,
    SENDING,
    Count,
    by_inode,
    by_peer,
    calls,
    local,
    moved,
    server_and_clients,
)

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="i386 programs run on x86_64")
ASKED = [11, 13, 17]
ANSWERED = [101, 103, 107]


@pytest.mark.parametrize("syscall", [*SENDING, *RECEIVING])
def test_each_call_of_an_i386_program_is_counted(count: Count, syscall: str) -> None:
    traced = count("counting", syscall, flags=I386)
    other = "recvfrom" if syscall in SENDING else "sendto"
    # The C library of a machine with 64-bit time takes another recvmmsg.
    rows = {name.removesuffix("_time64"): row for name, row in calls(traced).items()}
    assert rows == {syscall: (2, 0, COUNTED), other: (2, 0, COUNTED)}


def test_files_of_an_i386_program_count_nothing(count: Count) -> None:
    traced = count("nonsockets", "file", flags=I386)
    assert traced.report["by_syscall"] == {}


def test_sendfile64_of_an_i386_program_is_sent(count: Count) -> None:
    traced = count("splicing", "file_to_socket", flags=[*I386, "-D_FILE_OFFSET_BITS=64"])
    assert calls(traced)["sendfile64"] == (3, 0, 1515)


def test_splice_of_an_i386_program_is_counted(count: Count) -> None:
    traced = count("splicing", "socket_to_socket", flags=I386)
    assert calls(traced)["splice"] == (2, 0, 2 * 1009)


@pytest.mark.parametrize("mode", ["udp", "udp_by_message", "udp_by_messages"])
def test_peers_of_an_i386_program_are_told_apart(count: Count, mode: str) -> None:
    traced = count("peers", mode, flags=I386)
    server, clients = server_and_clients(traced.report)
    assert by_peer(server) == {local(clients[i]): (ANSWERED[i], ASKED[i]) for i in range(3)}


def test_flags_of_an_i386_program_are_heeded(count: Count) -> None:
    traced = count("flags", "peek", flags=I386)
    assert traced.totals["peeked"] == 41 + 43 + 47
    assert count("flags", "errqueue_refused", flags=I386).totals["calls_received"] == 0


@pytest.mark.parametrize("flags", [(), I386], ids=["64-bit program", "i386 program"])
def test_socketcall_is_counted(count: Count, flags: tuple[str, ...]) -> None:
    traced = count("int80", "socketcall", flags=flags)
    assert moved(traced.report["sockets"]) == [(0, 272), (272, 0)]
    assert traced.totals["calls_sent"] == traced.totals["calls_received"] == 3


@pytest.mark.parametrize("flags", [(), I386], ids=["64-bit program", "i386 program"])
def test_calls_by_int_0x80_are_counted_by_their_own_table(count: Count, flags: tuple[str, ...]) -> None:
    traced = count("int80", "own_number", flags=flags)
    assert calls(traced) == {
        "write": (1, 0, 211),
        "read": (1, 0, 211),
        "writev": (1, 0, 204),
        "readv": (1, 0, 204),
        "sendmsg": (1, 0, 68),
        "recvmsg": (1, 0, 68),
    }


@pytest.mark.parametrize("flags", [(), I386], ids=["64-bit program", "i386 program"])
def test_numbers_of_the_other_table_count_nothing(count: Count, flags: tuple[str, ...]) -> None:
    traced = count("int80", "wrong_number", flags=flags)
    assert calls(traced) == {"write": (1, 0, 307), "read": (1, 0, 307)}
    assert len(by_inode(traced.report)) == 2
