# SPDX-License-Identifier: GPL-2.0-or-later
"""MSG_* flags, which decide what a return value means."""

from __future__ import annotations

import pytest

from tests.counting import Count, calls, moved


def test_peeked_bytes_are_not_received(count: Count) -> None:
    traced = count("flags", "peek")
    assert traced.totals["peeked"] == 41 + 43 + 47
    assert traced.totals["calls_received"] == 4
    assert calls(traced) == {
        "sendto": (1, 0, 97),
        "recvfrom": (2, 0, 97),
        "recvmsg": (1, 0, 0),
        "recvmmsg": (1, 0, 0),
    }
    (receiver,) = [row for row in traced.report["sockets"] if row["received"]]
    assert (receiver["peeked"], receiver["calls_received"]) == (41 + 43 + 47, 4)


def test_a_length_that_is_peeked_at_is_not_received(count: Count) -> None:
    traced = count("flags", "peek_length")
    assert traced.totals["peeked"] == 307
    assert calls(traced) == {"sendto": (1, 0, 307), "recvfrom": (2, 0, 307)}


def test_a_truncated_datagram_counts_as_the_whole_with_msg_trunc(count: Count) -> None:
    traced = count("flags", "trunc_datagram")
    assert calls(traced) == {
        "sendto": (3, 0, 931),
        "recvfrom": (1, 0, 307),
        "recvmsg": (1, 0, 311),
        "recvmmsg": (1, 0, 313),
    }


def test_a_truncated_datagram_counts_as_what_fits_without_msg_trunc(count: Count) -> None:
    traced = count("flags", "short_datagram")
    assert calls(traced) == {"sendto": (2, 0, 618), "recvfrom": (1, 0, 11), "recvmsg": (1, 0, 13)}


def test_bytes_of_a_stream_that_are_discarded_are_received(count: Count) -> None:
    traced = count("flags", "trunc_stream")
    assert calls(traced) == {"sendto": (1, 0, 97), "recvfrom": (2, 0, 97)}
    assert moved(traced.report["sockets"]) == [(0, 97), (97, 0)]


def test_what_comes_back_on_the_error_queue_is_not_received(count: Count) -> None:
    traced = count("flags", "errqueue_refused")
    assert calls(traced) == {"sendto": (3, 0, 23 + 29 + 31)}
    assert traced.totals["calls_received"] == 0


def test_timestamps_on_the_error_queue_are_not_received(count: Count) -> None:
    traced = count("flags", "errqueue_timestamp")
    assert calls(traced) == {"sendto": (1, 0, 61), "recvfrom": (1, 0, 61)}


@pytest.mark.parametrize(("mode", "bytes_"), [("oob", 37), ("zerocopy", 4093)])
def test_urgent_bytes_and_zero_copies_are_payload(count: Count, mode: str, bytes_: int) -> None:
    traced = count("flags", mode)
    assert moved(traced.report["sockets"]) == [(0, bytes_), (bytes_, 0)]
