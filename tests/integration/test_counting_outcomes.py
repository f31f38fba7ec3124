# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that fail, move nothing, move a part, are interrupted, restarted or trapped."""

from __future__ import annotations

import platform
import signal

import pytest

from tests.counting import Count, calls, errnos, inodes_moved


def test_calls_that_would_block_are_errors_without_bytes(count: Count) -> None:
    traced = count("outcomes", "eagain")
    assert calls(traced) == {"recvfrom": (5, 4, 97), "sendto": (1, 0, 97)}
    assert errnos(traced) == {"recvfrom": {"EAGAIN": 4}}
    assert traced.totals["errors"] == 4
    assert traced.totals["calls_received"] == 5


def test_calls_on_a_broken_pipe_are_errors_without_bytes(count: Count) -> None:
    traced = count("outcomes", "epipe")
    assert calls(traced) == {"write": (2, 1, 97), "sendto": (1, 1, 0)}
    assert errnos(traced) == {"write": {"EPIPE": 1}, "sendto": {"EPIPE": 1}}


def test_a_program_dies_of_sigpipe_as_without_ptmon(count: Count) -> None:
    traced = count("outcomes", "sigpipe")
    assert traced.returncode == -signal.SIGPIPE
    assert traced.report["exit"] == {"code": None, "signal": signal.SIGPIPE}
    assert calls(traced) == {"write": (2, 1, 97)}
    assert errnos(traced) == {"write": {"EPIPE": 1}}


def test_a_reset_connection_is_an_error_without_bytes(count: Count) -> None:
    traced = count("outcomes", "econnreset")
    assert calls(traced) == {"sendto": (1, 0, 97), "recvfrom": (1, 1, 0)}
    assert errnos(traced) == {"recvfrom": {"ECONNRESET": 1}}


def test_the_end_of_a_stream_and_an_empty_datagram_are_calls_without_bytes(count: Count) -> None:
    traced = count("outcomes", "nothing")
    assert calls(traced) == {"sendto": (2, 0, 97), "recvfrom": (3, 0, 97), "read": (1, 0, 0)}
    assert traced.totals["errors"] == 0


def test_refused_calls_are_counted_with_their_errnos(count: Count) -> None:
    traced = count("outcomes", "refused")
    assert calls(traced) == {"recvfrom": (2, 2, 0), "sendto": (4, 3, 97), "pwritev2": (1, 1, 0)}
    assert errnos(traced) == {
        "recvfrom": {"ENOTCONN": 1, "ECONNREFUSED": 1},
        "sendto": {"EPIPE": 1, "EMSGSIZE": 1, "EFAULT": 1},
        "pwritev2": {"ESPIPE": 1},
    }
    assert traced.totals["errors"] == 6


def test_only_messages_that_were_sent_are_summed(count: Count) -> None:
    traced = count("outcomes", "mmsg_part_sent")
    assert calls(traced) == {"sendmmsg": (1, 0, 31), "recvfrom": (1, 0, 31)}


def test_only_messages_that_were_received_are_summed(count: Count) -> None:
    traced = count("outcomes", "mmsg_part_received")
    assert calls(traced) == {"sendto": (3, 0, 68), "recvmmsg": (1, 0, 68)}


def test_of_a_call_that_sends_a_part_the_part_is_counted(count: Count) -> None:
    traced = count("outcomes", "part_sent", same=False)
    assert errnos(traced) == {"sendto": {"EAGAIN": 1}}
    assert inodes_moved(traced.report) == [(0, traced.told["received"]), (traced.told["sent"], 0)]


def test_an_interrupted_call_is_one_error(count: Count) -> None:
    traced = count("interrupted", "eintr")
    assert calls(traced) == {"recvfrom": (2, 1, 97), "sendto": (1, 0, 97)}
    assert errnos(traced) == {"recvfrom": {"EINTR": 1}}


def test_a_restarted_call_counts_once(count: Count) -> None:
    traced = count("interrupted", "restarted")
    assert calls(traced) == {"recvfrom": (1, 0, 53), "write": (1, 0, 53)}


def test_a_call_that_ignored_signals_interrupt_counts_once(count: Count) -> None:
    traced = count("interrupted", "ignored")
    assert calls(traced) == {"read": (1, 0, 53), "write": (1, 0, 53)}


def test_calls_that_interrupt_each_other_count_once_each(count: Count) -> None:
    traced = count("interrupted", "nested")
    assert calls(traced) == {"recvfrom": (1, 0, 53), "read": (1, 0, 31), "write": (2, 0, 31 + 53)}


def test_a_call_that_a_handler_jumps_out_of_moves_nothing(count: Count) -> None:
    traced = count("interrupted", "jumped")
    assert calls(traced)["sendto"] == (1, 0, 53)
    assert calls(traced)["read"] == (1, 0, 53)
    assert traced.totals["errors"] == 0


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the SIGSYS handler knows these registers")
def test_a_call_that_a_filter_traps_moves_nothing(count: Count) -> None:
    traced = count("trapped")
    assert calls(traced) == {"sendto": (1, 0, 97), "write": (1, 0, 7), "recvfrom": (1, 0, 104)}


@pytest.mark.parametrize("mode", ["exits", "killed", "timer"])
def test_a_call_that_death_ends_moves_nothing(count: Count, mode: str) -> None:
    traced = count("dying", mode)
    assert "recvfrom" not in calls(traced)


def test_what_a_call_has_moved_that_death_ends_is_counted(count: Count) -> None:
    traced = count("dying", "part")
    assert calls(traced) == {"recvfrom": (1, 0, 31), "write": (1, 0, 31)}
