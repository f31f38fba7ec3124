# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of DNS (RFC 1035, AAAA: RFC 3596): addresses that answers give, for the name that was asked for."""

from __future__ import annotations

import _socket as socket
import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from ptmon.frozen import dataclass
from ptmon.naming.streams import Answer, Buffer, host_name

PORT = 53
QUESTIONS_MOST = 128
"""Of one socket, that have no answer yet."""
RECORDS_MOST = 256

_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_RESPONSE, _OPCODE, _RCODE = 0x8000, 0x7800, 0x000F
_A, _AAAA, _IN = 1, 28, 1
_FAMILIES = {(_A, 4): socket.AF_INET, (_AAAA, 16): socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Message:
    """A question, or the answer to it."""

    number: int
    name: str
    type: int
    response: bool
    addresses: tuple[str, ...]

    @property
    def question(self) -> tuple[int, str, int]:
        """What an answer has of its question."""
        return self.number, self.name, self.type


def parse(data: bytes) -> Message | None:
    """A message of one question; None: it is none, or not one of a host."""
    try:
        return _parse(data)
    except (IndexError, ValueError, struct.error):
        return None


class Datagrams:
    """One socket, on which each datagram is a message."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[int, str, int], None] = OrderedDict()

    def sent(self, data: bytes, whole: bool) -> Iterable[Answer]:
        """Questions; what a program answers itself names nobody."""
        message = parse(data) if whole else None
        if message is not None and not message.response:
            self._asked[message.question] = None
            if len(self._asked) > QUESTIONS_MOST:
                self._asked.popitem(last=False)
        return ()

    def received(self, data: bytes, whole: bool) -> Iterable[Answer]:
        """Answers. One that nobody has asked for would not be believed by the program, either."""
        message = parse(data) if whole else None
        if message is None or not message.response or self._asked.pop(message.question, self) is self:
            return ()
        return [Answer(message.name, address, "dns") for address in message.addresses]


class Stream:
    """One connection: messages with their lengths before them."""

    def __init__(self) -> None:
        self._messages = Datagrams()
        self._sent = Buffer()
        self._received = Buffer()

    def sent(self, data: bytes, whole: bool) -> Iterable[Answer]:
        self._sent.add(data, whole)
        for message in _messages(self._sent):
            self._messages.sent(message, True)
        return ()

    def received(self, data: bytes, whole: bool) -> Iterable[Answer]:
        self._received.add(data, whole)
        return [answer for message in _messages(self._received) for answer in self._messages.received(message, True)]


def _messages(buffer: Buffer) -> Iterator[bytes]:
    while len(buffer.bytes) >= 2 and len(buffer.bytes) >= (size := 2 + int.from_bytes(buffer.bytes[:2])):
        yield buffer.take(size)[2:]


def _parse(data: bytes) -> Message | None:
    number, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if questions != 1 or flags & _OPCODE:
        return None
    text, offset = _name(data, _HEADER.size)
    kind, kind_class = struct.unpack_from("!HH", data, offset)
    name = host_name(text)
    if name is None or kind_class != _IN:
        return None
    response = bool(flags & _RESPONSE)
    found = () if not response or flags & _RCODE else tuple(_addresses(data, offset + 4, answers))
    return Message(number, name, kind, response, found)


def _addresses(data: bytes, offset: int, count: int) -> Iterator[str]:
    """Of all answers, whatever their owner: between the name that was asked for and them there may be CNAMEs."""
    for _ in range(min(count, RECORDS_MOST)):
        _, offset = _name(data, offset)
        kind, kind_class, _, length = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        packed = data[offset : offset + length]
        offset += length
        family = _FAMILIES.get((kind, len(packed)))
        if family is not None and kind_class == _IN:
            yield socket.inet_ntop(family, packed)


def _name(data: bytes, offset: int) -> tuple[bytes, int]:
    """The name at ``offset``, and where what follows it begins. Raises IndexError and ValueError.

    A pointer leads to what stands before it (RFC 1035, 4.1.4): so each step is shorter than the last, and it ends.
    """
    labels: list[bytes] = []
    end, least, length = None, offset, 0
    while size := data[offset]:
        if size >= 0xC0:
            end = offset + 2 if end is None else end
            offset = int.from_bytes(data[offset : offset + 2]) & 0x3FFF
            if offset >= least:
                raise ValueError("a pointer that does not lead back")
            least = offset
            continue
        if size >= 0x40:
            raise ValueError("a label of no known kind")
        label = data[offset + 1 : offset + 1 + size]
        length += size + 1
        if len(label) < size or length > 254 or b"." in label:
            raise ValueError("no name")
        labels.append(label)
        offset += 1 + size
    return b".".join(labels), offset + 1 if end is None else end
