# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways around the system calls that count: io_uring and Linux AIO. The report says what it can't know."""

from __future__ import annotations

import pytest

from tests.counting import Count, calls, reasons


def test_io_uring_makes_the_report_incomplete(count: Count) -> None:
    traced = count.unchecked("uring", "send")
    if "io_uring_setup" in traced.stdout:
        pytest.skip(f"no io_uring here: {traced.stdout.splitlines()[0]}")
    assert not traced.report["complete"]
    assert "io_uring" in reasons(traced.report)
    (warning,) = [warning for warning in traced.report["warnings"] if warning["reason"] == "io_uring"]
    assert warning["pid"] == traced.report["processes"][0]["pid"]
    assert "--no-io-uring" in warning["message"]
    assert (traced.totals["sent"], traced.totals["received"]) == (0, 211)


def test_without_io_uring_a_program_falls_back_and_is_counted(count: Count) -> None:
    traced = count("uring", "send", options=["--no-io-uring"], same=False)
    assert traced.stdout.splitlines()[0] == "io_uring_setup: ENOSYS"
    assert calls(traced) == {"sendto": (1, 0, 211), "recvfrom": (1, 0, 211)}


def test_io_uring_that_is_refused_leaves_the_report_complete(count: Count) -> None:
    traced = count("uring", "refused")
    assert calls(traced) == {"sendto": (1, 0, 211), "recvfrom": (1, 0, 211)}


def test_aio_on_a_socket_makes_the_report_incomplete(count: Count) -> None:
    traced = count.unchecked("aio", "socket")
    assert not traced.report["complete"]
    assert "aio" in reasons(traced.report)
    assert (traced.totals["sent"], traced.totals["received"]) == (97, 308)


def test_aio_on_a_file_leaves_the_report_complete(count: Count) -> None:
    traced = count("aio", "file")
    assert (traced.totals["sent"], traced.totals["received"]) == (97, 97)
