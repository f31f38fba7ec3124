# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that are made of what calls have moved: blocks, headers, talks, hexdumps. All of it is parsed by hand."""

from __future__ import annotations

import socket
import struct

import pytest

from ptmon.packets import headers, hexdump, pcapng
from ptmon.packets.headers import ACK, End
from ptmon.packets.holders import Holders
from ptmon.packets.talks import Talk, Talks
from ptmon.records import Clone, Content, Direction, Origin, SocketClosed, SocketSeen
from tests.packets import blocks, options
from tests.packets import packet as parsed

V4 = End(b"\x7f\0\0\1", 1000), End(b"\x0a\0\0\2", 80)
V6 = End(bytes(15) + b"\1", 1000), End(bytes(15) + b"\2", 80)
SENT, RECEIVED = Direction.SENT, Direction.RECEIVED


def ones(data: bytes) -> int:
    """The one's complement sum of 16-bit words, word by word."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"))
        total = (total & 0xFFFF) + (total >> 16)
    return total


def rest_of(packet: headers.Packet) -> tuple[bytes, bytes]:
    """The pseudo header, and what is behind the IP header."""
    data = packet.data
    if data[0] >> 4 == 4:
        assert ones(data[:20]) == 0xFFFF
        assert struct.unpack_from("!H", data, 2)[0] == packet.length
        return data[12:20] + struct.pack("!II", len(data) - 20, data[9]), data[20:]
    assert struct.unpack_from("!H", data, 4)[0] == packet.length - 40
    return data[8:40] + struct.pack("!II", len(data) - 40, data[6]), data[40:]


@pytest.mark.parametrize("ends", [V4, V6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("data", [b"", b"x", b"even", bytes(999), b"\xff" * 65495], ids=len)
def test_checksums_are_right(ends: tuple[End, End], data: bytes) -> None:
    for made in (headers.tcp(*ends, 2**32 - 1, 7, ACK, data, len(data)), headers.udp(*ends, data, len(data))):
        pseudo, rest = rest_of(made)
        assert ones(pseudo + rest) == 0xFFFF
        assert made.length == len(made.data)


def test_a_checksum_of_udp_is_never_zero() -> None:
    """Which would say that there is none."""
    for value in range(0x10000):
        made = headers.udp(*V4, value.to_bytes(2), 2)
        if struct.unpack_from("!H", made.data, 26)[0] == 0xFFFF:
            return
    raise AssertionError("none of all values of a word brings the sum to zero")


def test_a_packet_that_is_cut_keeps_its_length() -> None:
    made = headers.tcp(*V4, 1, 2, ACK, b"abc", 1000)
    assert (made.length, made.data[40:]) == (1040, b"abc")
    assert made.data[36:38] == b"\0\0"


def test_blocks_are_whole_and_options_end() -> None:
    made = headers.udp(*V4, b"hello", 5)
    time = 1_700_000_000_123_456_789
    data = pcapng.section("ptmon 1", "ls ö") + pcapng.interface("ptmon", "ls")
    data += pcapng.packet(time, made.data, made.length, sent=False, comment="a" * 5)
    (_, section), (_, interface), (kind, body) = blocks(data)
    assert options(section[16:]) == {1: "ls ö".encode(), 3: b"Linux", 4: b"ptmon 1"}
    assert options(interface[8:]) == {2: b"ptmon", 3: b"ls", 9: b"\x09"}
    assert kind == 6
    found = parsed(body)
    assert (found.time, found.sent, found.comment, found.payload) == (time, False, "aaaaa", b"hello")
    assert (found.source, found.target) == ((V4[0].address, 1000), (V4[1].address, 80))


def test_a_comment_that_is_too_long_is_cut_between_letters() -> None:
    (block,) = blocks(pcapng.packet(0, b"", 0, sent=True, comment="ö" * 40_000 + "\udc80"))
    assert options(block[1][20:])[1].decode() == "ö" * (pcapng.OPTION_MOST // 2)


def inet(host: str, port: int) -> bytes:
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)


def inet6(host: str, port: int) -> bytes:
    head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
    return head + socket.inet_pton(socket.AF_INET6, host) + bytes(4)


def seen(number: int = 1, local: bytes = b"", peer: bytes = b"", **more: object) -> SocketSeen:
    what = {"family": socket.AF_INET, "type": socket.SOCK_STREAM, "protocol": 6, "origin": Origin.CONNECTED, **more}
    return SocketSeen(0.0, 10, 10, 3, number, 99, local=local, peer=peer, **what)  # type: ignore[arg-type]


def content(
    number: int = 1, data: bytes = b"x", way: Direction = SENT, *, pid: int = 10, existed: bool = False
) -> Content:
    return Content(1.0, pid, pid, "write", 3, number, way, len(data), data, existed)


def begun(*told: SocketSeen, number: int = 1, existed: bool = False) -> Talk:
    talks = Talks()
    for one in told:
        talks.note(one)
    return talks.find(content(number, existed=existed))[0]


def test_who_has_connected_begins_and_who_has_accepted_does_not() -> None:
    ends = inet("127.0.0.1", 1), inet("10.0.0.1", 80)
    assert [way for way, _ in begun(seen(1, *ends)).begin()] == [SENT, RECEIVED, SENT]
    accepted = begun(seen(1, *ends, origin=Origin.ACCEPTED))
    assert [way for way, _ in accepted.begin()] == [RECEIVED, SENT, RECEIVED]
    assert not [*begun(seen(1, *ends), existed=True).begin()]
    assert not [*begun(seen(1, *ends, type=socket.SOCK_DGRAM)).begin()]


def test_ends_are_those_of_the_socket() -> None:
    talk = begun(seen(1, inet("127.0.0.1", 1), inet("10.0.0.1", 80)))
    assert (talk.mine, talk.other, talk.made_up) == (End(b"\x7f\0\0\1", 1), End(b"\x0a\0\0\1", 80), False)
    mapped = begun(seen(1, inet6("::ffff:127.0.0.1", 1), inet6("::ffff:10.0.0.1", 80), family=socket.AF_INET6))
    assert (mapped.mine, mapped.other) == (talk.mine, talk.other)
    half = begun(seen(1, inet6("::", 53), inet6("::ffff:10.0.0.1", 80), family=socket.AF_INET6))
    assert half.mine == End(bytes(16), 53)
    assert half.other.address == socket.inet_pton(socket.AF_INET6, "::ffff:10.0.0.1")
    unnamed = begun(seen(1, b"", inet("10.0.0.1", 80), type=socket.SOCK_DGRAM))
    assert unnamed.mine == End(bytes(4), 0)


def test_what_is_not_of_ip_has_loopback_ends_of_its_own() -> None:
    ends = set()
    for number in range(1, 40_000):
        talk = begun(seen(number, family=socket.AF_UNIX), number=number)
        assert talk.made_up
        ends |= {talk.mine, talk.other}
    assert len(ends) == 2 * 39_999
    assert {end.address[0] for end in ends} == {127}


def test_the_other_end_of_a_connection_is_a_talk_of_its_own() -> None:
    talks = Talks()
    one, other = inet("127.0.0.1", 1), inet("127.0.0.1", 80)
    talks.note(seen(1, one, other))
    talks.note(seen(2, other, one))
    assert not talks.find(content(1))[0].made_up
    assert talks.find(content(2))[0].made_up
    assert talks.closed(SocketClosed(2.0, 10, 10, 3, 1, None)) is not None
    talks.note(seen(3, other, one))
    assert not talks.find(content(3))[0].made_up, "the ends are free again"


def test_a_stream_is_cut_into_segments_whose_numbers_fit() -> None:
    talk = begun(seen(1, inet("127.0.0.1", 1), inet("10.0.0.1", 80)))
    data = bytes(range(256)) * 800
    numbers = [[*struct.unpack_from("!II", one.data, 24)] for _, one in talk.begin()]
    first, second = numbers[0][0], numbers[1][0]
    assert numbers[1:] == [[second, first + 1], [first + 1, second + 1]]
    packets = [*talk.move(SENT, data[:100_000], len(data))]
    assert b"".join(one.data[40:] for one in packets) == data[:100_000]
    assert [one.length - 40 for one in packets] == [65495, 65495, 65495, len(data) - 3 * 65495]
    got = [struct.unpack_from("!I", one.data, 24)[0] for one in packets]
    assert got == [(first + 1 + at * 65495) % 2**32 for at in range(4)]
    (back,) = talk.move(RECEIVED, b"answer", 6)
    assert struct.unpack_from("!II", back.data, 24) == (second + 1, (first + 1 + len(data)) % 2**32)


def test_an_empty_datagram_is_a_packet_and_an_empty_read_of_a_stream_is_none() -> None:
    ends = inet("127.0.0.1", 1), inet("10.0.0.1", 80)
    assert len([*begun(seen(1, *ends, type=socket.SOCK_DGRAM)).move(SENT, b"", 0)]) == 1
    assert len([*begun(seen(1, *ends)).move(SENT, b"", 0)]) == 0


def test_a_ping_has_its_own_header() -> None:
    ends = inet("127.0.0.1", 1), inet("10.0.0.1", 0)
    talk = begun(seen(1, *ends, type=socket.SOCK_DGRAM, protocol=socket.IPPROTO_ICMP))
    (packet,) = talk.move(SENT, b"\x08\0echo", 6)
    assert (packet.data[9], packet.data[20:]) == (1, b"\x08\0echo")


def test_a_socket_of_which_nothing_is_known_is_told_all_the_same() -> None:
    talk, begins = Talks().find(content(7))
    assert (talk.made_up, talk.is_stream, begins) == (True, False, True)


def test_what_is_remembered_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ptmon.packets.talks.TALKS_MOST", 3)
    talks = Talks()
    for number in range(1, 4):
        talks.note(seen(number, family=socket.AF_UNIX))
        talks.find(content(number))
    talks.find(content(1))
    talks.note(seen(4, family=socket.AF_UNIX))
    assert not talks.find(content(1))[1]
    assert talks.find(content(2))[1], "the one that was used longest ago is forgotten"


def test_a_socket_is_over_when_the_last_of_its_holders_has_closed_it() -> None:
    talks = Talks()
    talks.note(seen(1, inet("127.0.0.1", 1), inet("10.0.0.1", 80)))
    talk, _ = talks.find(content(1))
    talks.forked(Clone(1.0, 11, 11, 10))
    assert talks.closed(SocketClosed(2.0, 10, 10, 3, 1, None, maybe=True)) is None
    assert talks.closed(SocketClosed(2.0, 10, 10, 3, 1, None)) is None
    assert talks.gone(10) == []
    assert talks.gone(11) == [talk]


def test_holders_are_forgotten_on_both_sides() -> None:
    holders = Holders()
    holders.add(1, 10, 3)
    holders.add(1, 10, 4)
    holders.fork(10, 11)
    holders.forget(1)
    assert not holders.close(1, 10, 3)
    assert holders.exit(10) == []
    holders.add(2, 10, 3)
    assert holders.exit(10) == [2]


def test_a_hexdump_is_as_that_of_hexdump() -> None:
    assert [*hexdump.lines(b"")] == []
    assert [*hexdump.lines(b"ab\n\xff")] == [
        "00000000  61 62 0a ff                                       |ab..|",
        "00000004",
    ]
    assert [*hexdump.lines(bytes(40))][1:] == [
        "*",
        "00000020  00 00 00 00 00 00 00 00                           |........|",
        "00000028",
    ]
