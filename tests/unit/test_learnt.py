# SPDX-License-Identifier: GPL-2.0-or-later
"""What --learn makes of the calls that were noted: rules that --allow takes, and what it could not learn."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from ptmon import allowing, syscalls
from ptmon.outputs.learnt import Learnt
from ptmon.records import Called, Denied, Exec
from tests.unit.build import inet, inet6, report_of, server

HEADER = struct.Struct("=QI4xQQQQI4xQ")
"""struct mmsghdr: name, namelen, iov, iovlen, control, controllen, flags, len."""


def noted(name: str, *places: bytes) -> Denied:
    """A call that names these addresses."""
    (number, compat), *_ = syscalls.numbers(name)
    memory = [(4096 + 256 * index, place) for index, place in enumerate(places)]
    if name == "sendmmsg":
        kept = places[:16]
        headers = b"".join(HEADER.pack(4096 + 256 * at, len(one), 0, 0, 0, 0, 0, 0) for at, one in enumerate(kept))
        memory = [(64, headers), *memory[:16]]
        args = (3, 64, len(places), 0, 0, 0)
    elif name == "sendto":
        args = (3, 0, 0, 0, 4096, len(places[0]))
    else:
        args = (3, 4096, len(places[0]), 0, 0, 0)
    return Denied(0.0, 7, 7, Called(number, compat, args, tuple(memory)), "noted", 0)


def learnt(*records: Denied) -> list[str]:
    """The lines behind the first."""
    output = Learnt("rules", "here")
    output.take([Exec(0.0, 7, 7, "tool", "/bin/tool", ("tool",), False, None)])
    assert output.take(records) == []
    return output.text(report_of(server())).splitlines()[1:]


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        (noted("connect", inet("192.0.2.1", 80)), "connect:192.0.2.1"),
        (noted("connect", inet6("::ffff:192.0.2.1", 80)), "connect:192.0.2.1"),
        (noted("connect", inet6("fe80::1", 80, 3)), "connect:fe80::1"),
        (noted("sendto", inet("192.0.2.1", 80)), "sendto:192.0.2.1"),
        (noted("sendto", b"\0\0" + inet("192.0.2.1", 80)[2:]), "sendto:192.0.2.1"),
        (noted("sendto", socket.AF_PACKET.to_bytes(2, "little") + bytes(18)), "sendto:packet"),
        (noted("connect", socket.AF_VSOCK.to_bytes(2, "little") + bytes(14)), "connect:vsock"),
    ],
)
def test_a_rule_is_one_that_allow_takes(record: Denied, rule: str, tmp_path: Path) -> None:
    lines = learnt(record)
    assert lines == [f"{rule}  # tool"]
    (tmp_path / "rules").write_text("\n".join(lines))
    assert allowing.parse([f"@{tmp_path / 'rules'}"]) != ()


def test_who_is_connected_to_needs_no_second_rule_and_the_loopback_none() -> None:
    peers = [inet("192.0.2.1", 80), inet("127.0.0.1", 80), inet6("2001:db8::1", 80)]
    assert learnt(noted("sendmmsg", *peers), noted("connect", peers[0])) == [
        "connect:192.0.2.1  # tool",
        "sendto:2001:db8::1  # tool",
    ]


def test_what_could_not_be_learnt_is_said_in_a_comment(tmp_path: Path) -> None:
    peers = [inet(f"192.0.2.{number}", 80) for number in range(1, 18)]
    lines = learnt(noted("sendmmsg", *peers), noted("sendto", (61).to_bytes(2, "little") + bytes(14)))
    assert lines[0].startswith("# a sendmmsg had more than 16 messages") and lines[0].endswith("(tool)")
    assert lines[1] == "# no rule can name address family 61 (tool)"
    assert len(lines) == 2 + 16
