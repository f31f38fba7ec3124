# SPDX-License-Identifier: GPL-2.0-or-later
"""Names from payload: what programs were told, and how little of what hostile peers send is believed."""

from __future__ import annotations

import json
import random
import socket
import ssl
import struct

import pytest

from ptmon.naming import Namer, dns, hello, resolvers
from ptmon.naming.streams import BUFFER_MOST, Answer, host_name
from ptmon.records import Direction, Named, Payload

NAME = "service.example.test"


def encoded(name: bytes) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in name.split(b".") if label) + b"\0"


def question(name: bytes = NAME.encode(), number: int = 7, kind: int = 1) -> bytes:
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + encoded(name) + struct.pack("!HH", kind, 1)


def answer(*packed: bytes, name: bytes = NAME.encode(), number: int = 7, kind: int = 1, flags: int = 0x8180) -> bytes:
    head = struct.pack("!HHHHHH", number, flags, 1, len(packed), 0, 0) + encoded(name) + struct.pack("!HH", kind, 1)
    rows = (b"\xc0\x0c" + struct.pack("!HHIH", 1 if len(one) == 4 else 28, 1, 60, len(one)) + one for one in packed)
    return head + b"".join(rows)


ADDRESS = socket.inet_aton("192.0.2.7")


def asked(data: bytes, reply: bytes) -> list[Answer]:
    reader = dns.Datagrams()
    assert list(reader.sent(data, True)) == []
    return list(reader.received(reply, True))


def test_an_answer_names_the_addresses_that_it_gives() -> None:
    six = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    assert asked(question(), answer(ADDRESS)) == [Answer(NAME, "192.0.2.7", "dns")]
    assert asked(question(kind=28), answer(six, kind=28)) == [Answer(NAME, "2001:db8::7", "dns")]


def test_behind_a_cname_it_is_the_name_that_was_asked_for() -> None:
    head = struct.pack("!HHHHHH", 7, 0x8180, 1, 2, 0, 0) + encoded(NAME.encode()) + struct.pack("!HH", 1, 1)
    alias = b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 60, 6) + b"\x03cdn\xc0\x14"
    row = encoded(b"cdn.example.test") + struct.pack("!HHIH", 1, 1, 60, 4) + ADDRESS
    assert asked(question(), head + alias + row) == [Answer(NAME, "192.0.2.7", "dns")]


def test_an_answer_that_nobody_has_asked_for_names_nobody() -> None:
    assert list(dns.Datagrams().received(answer(ADDRESS), True)) == []
    assert asked(question(number=8), answer(ADDRESS)) == []
    assert asked(question(b"other.test"), answer(ADDRESS)) == []
    reader = dns.Datagrams()
    list(reader.sent(question(), True))
    assert len(list(reader.received(answer(ADDRESS), True))) == 1
    assert list(reader.received(answer(socket.inet_aton("192.0.2.8")), True)) == [], "a second answer is forged"


def test_an_answer_of_an_error_names_nobody() -> None:
    assert asked(question(), answer(ADDRESS, flags=0x8183)) == []


@pytest.mark.parametrize(
    "name", [b"\x1b[31mred.test", b"a b.test", b"\xff.test", b"nul\0.test", b"x-.test", b"-.test", b""]
)
def test_a_name_that_could_not_be_one_of_a_host_is_none(name: bytes) -> None:
    assert asked(question(name), answer(ADDRESS, name=name)) == []


def test_pointers_that_lead_nowhere_end() -> None:
    head = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0)
    for loop in (b"\xc0\x0c", b"\x01a\xc0\x0c", b"\xc0\xff", b"\xc0\x0e\xc0\x0c", b"\x41a\0", b"\x3fa"):
        assert dns.parse(head + loop + struct.pack("!HH", 1, 1)) is None


def test_no_bytes_make_a_reader_fail() -> None:
    """What follows from a seed, so that it is the same each time; each message is one byte away from a good one."""
    chance = random.Random(12)
    readers = (dns.Datagrams(), dns.Stream(), resolvers.Nscd(), resolvers.Resolved())
    for good in (
        question(),
        answer(ADDRESS),
        client_hello(),
        b'{"parameters": {"name": "a"}}\0',
        b"GET / HTTP/1.1\r\n",
    ):
        for _ in range(400):
            bad = bytearray(good)
            bad[chance.randrange(len(bad))] = chance.randrange(256)
            cut = bytes(bad[: chance.randrange(len(bad) + 1)])
            hello.name(cut)
            for reader in readers:
                for told in (*reader.sent(cut, True), *reader.received(cut, True)):
                    assert host_name(told.name) == told.name


def test_messages_of_a_stream_come_in_any_pieces() -> None:
    asking, reply = question(), answer(ADDRESS)
    for step in (1, 2, 3, 17, 1000):
        reader = dns.Stream()
        sent = struct.pack("!H", len(asking)) + asking
        received = struct.pack("!H", len(reply)) + reply
        for at in range(0, len(sent), step):
            reader.sent(sent[at : at + step], True)
        found = [one for at in range(0, len(received), step) for one in reader.received(received[at : at + step], True)]
        assert found == [Answer(NAME, "192.0.2.7", "dns")]


def test_a_stream_of_which_bytes_are_missing_is_given_up() -> None:
    reader, asking, reply = dns.Stream(), question(), answer(ADDRESS)
    reader.sent(struct.pack("!H", len(asking)) + asking, True)
    assert list(reader.received(b"\x00", False)) == []
    assert list(reader.received(struct.pack("!H", len(reply)) + reply, True)) == []


def test_a_message_without_an_end_takes_no_memory() -> None:
    reader = resolvers.Resolved()
    for _ in range(10):
        list(reader.received(b"[" * (BUFFER_MOST // 2), True))
    assert len(reader._received.bytes) <= BUFFER_MOST


def client_hello(name: str = NAME) -> bytes:
    """As OpenSSL makes it."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


def test_tls_names_its_server() -> None:
    assert hello.name(client_hello()) == (NAME, "tls")
    assert hello.name(client_hello("192.0.2.1")) is None, "OpenSSL sends no address"
    whole = client_hello()
    assert hello.name(whole[: whole.index(NAME.encode())]) is None


@pytest.mark.parametrize(
    ("request_bytes", "name"),
    [
        (b"GET / HTTP/1.1\r\nHost: Example.TEST\r\n\r\n", "example.test"),
        (b"POST /x HTTP/1.1\r\nA: b\r\nhost:example.test:8080\r\n\r\nHost: other.test\r\n", "example.test"),
        (b"OPTIONS * HTTP/1.1\nHost: example.test.\n\n", "example.test"),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: a\x1b[2Jb.test\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\nHost: \r\nX: y\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\n\r\nHost: body.test\r\n", None),
        (b"GET http://example.test/ HTTP/1.1\r\nHost: example.test\r\n\r\n", None),
        (b"CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n", None),
        (b"SSH-2.0-OpenSSH\r\nHost: example.test\r\n", None),
    ],
)
def test_http_names_its_server_and_a_proxy_gets_no_other_name(request_bytes: bytes, name: str | None) -> None:
    assert hello.name(request_bytes) == (None if name is None else (name, "http"))


def test_nscd_names_what_it_was_asked_for() -> None:
    reader, key = resolvers.Nscd(), NAME.encode() + b"\0"
    reader.sent(struct.pack("=iii", 2, 14, len(key)) + key, True)
    six = socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    head = struct.pack("=iiiiii", 2, 1, 2, 20, 0, 0)
    assert list(reader.received(head, True)) == []
    assert list(reader.received(ADDRESS + six + bytes((socket.AF_INET, socket.AF_INET6)), True)) == [
        Answer(NAME, "192.0.2.7", "nscd"),
        Answer(NAME, "2001:db8::7", "nscd"),
    ]


def test_what_nscd_has_not_found_names_nobody() -> None:
    reader, key = resolvers.Nscd(), NAME.encode() + b"\0"
    reader.sent(struct.pack("=iii", 2, 14, len(key)) + key, True)
    assert list(reader.received(struct.pack("=iiiiii", 2, 0, 0, 0, 0, 1), True)) == []


def test_resolved_names_what_it_was_asked_for() -> None:
    reader = resolvers.Resolved()
    call = {"method": resolvers.Resolved.METHOD, "parameters": {"name": NAME, "flags": 0}}
    reader.sent(json.dumps({"method": "io.systemd.Resolve.Other"}).encode() + b"\0" + json.dumps(call).encode(), True)
    reader.sent(b"\0", True)
    rows = [{"ifindex": 2, "family": 2, "address": [192, 0, 2, 7]}, {"family": 2, "address": [1, 2]}, {"family": 2}, 5]
    reply = {"parameters": {"addresses": rows, "name": "canonical.test"}}
    assert list(reader.received(b"{}\0" + json.dumps(reply).encode() + b"\0", True)) == [
        Answer(NAME, "192.0.2.7", "resolved")
    ]


def payload(data: bytes, direction: Direction, inode: int = 5, moved: int | None = None) -> Payload:
    peer = struct.pack("=H", socket.AF_INET) + struct.pack("!H", 53) + socket.inet_aton("127.0.0.53") + bytes(8)
    length = len(data) if moved is None else moved
    return Payload(1.0, 2, 3, 4, inode, socket.AF_INET, socket.SOCK_DGRAM, peer, direction, length, data)


def test_names_stand_in_the_place_of_the_payload() -> None:
    namer = Namer()
    assert namer.read([payload(question(), Direction.SENT)]) == []
    told = namer.read([payload(answer(ADDRESS), Direction.RECEIVED)])
    assert told == [Named(1.0, 2, 3, "192.0.2.7", NAME, "dns", None)]


def test_the_answer_of_another_socket_is_none() -> None:
    namer = Namer()
    namer.read([payload(question(), Direction.SENT)])
    assert namer.read([payload(answer(ADDRESS), Direction.RECEIVED, inode=6)]) == []


def test_a_datagram_of_which_the_end_is_missing_is_not_read() -> None:
    namer = Namer()
    namer.read([payload(question(), Direction.SENT)])
    assert namer.read([payload(answer(ADDRESS), Direction.RECEIVED, moved=9000)]) == []
