# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: driver.py SCENARIO SERVER

Runs a server, and is its source and its clients. Prints a JSON object: empty if all was as it should be, else what was
expected and what came.
"""

import json
import random
import re
import sys
import tempfile
import unicodedata
from pathlib import Path

from server import Server, WrongError, last_line
from source import event

LENGTH = 3000
"""Bytes of a long line, at most."""
BATCH = 200
"""Lines at once, for a client that reads: far fewer than a queue has room for."""
WINDOW = 1 << 17
"""Bytes that the kernel of a client which sleeps holds for it, or twice as many; else it would be what it likes."""
ROOM = 2 * WINDOW + int(Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2])
"""Bytes that the kernel may hold for a client, on both sides."""
MANY = BATCH * (ROOM // LENGTH // BATCH + 10)
"""Long lines for which there is no room, not even with a queue of 1000."""
MORE = 1600
"""Long lines for which there is no room any more, if all others have found theirs: more than a queue of 1000."""
NOTE = re.compile(rb"\.\.\. (\d+) events? dropped")
HOSTILE = (
    b"\x1b[2J", b"\x1b]0;title\x07", b"\x00", b"\r", b"\x7f", b"\xc2\x9b2J", b"\xc2\x85", b"\xff\xfb\x01", b"\xe2\x82",
    b"\x80", b"\xed\xa0\x80", b"\x08\x08\x08",
)  # fmt: skip
PLAIN = "grüße, 漢字, 😀, 5 % and {braces}"


def same(expected, got, whose):
    """Two lists of lines."""
    for index, line in enumerate(expected):
        if index >= len(got) or got[index] != line:
            came = short(got[index]) if index < len(got) else "the end"
            raise WrongError(f"{short(line)} as line {index + 1} of {len(expected)} for {whose}", came)
    if len(got) > len(expected):
        raise WrongError(f"{len(expected)} lines for {whose}", f"{len(got)}; the last is {short(got[-1])}")


def short(line):
    return repr(line if len(line) < 50 else line[:40] + b"..." + line[-5:])[1:]


def events(first, last, length=0):
    return [event(number, length) for number in range(first, last + 1)]


def alone(server):
    """Without any client."""
    server.feed(random.randrange(5, 50))
    server.finish(server.end())


def fast(server):
    """A client from the start, and a later one, who both read. The last line has no end."""
    first = random.randrange(50, 200)
    early = server.client()
    server.feed(first)
    server.awaited = "that a client gets all lines"
    same(events(1, first), early.lines(first), "a client that was there from the start")
    late = server.client()
    server.feed(100)
    server.order(f"raw {b'the end'.hex()}", "that the source can write on")
    status = server.end()
    same([*events(1, first + 100), b"the end"], early.all(), "a client that was there from the start")
    same([*events(first + 1, first + 100), b"the end"], late.all(), "a client that came later")
    server.finish(status)


def sleeper(server):
    """One client does not read. The other ones do not notice."""
    sleeping, reader = server.client(WINDOW), server.client()
    while server.told < MANY:
        server.feed(BATCH, LENGTH, "that the source can write on while a client does not read")
        server.awaited = "that a client gets all lines while another one does not read"
        reader.lines(server.told)
    same(events(1, MANY, LENGTH), reader.got, "a client, while another one does not read")
    newcomer = server.client()
    sleeping.go()
    status = server.end()
    reader.all()
    newcomer.all()
    server.finish(status)


def dropped(server):
    """A client does not read for a while, twice."""
    client = server.client(WINDOW)
    server.feed(MANY, LENGTH, "that the source can write on while a client does not read")
    client.drain()
    server.feed(MANY, LENGTH, "that the source can write on while a client does not read")
    # The server's threads may be slow to hand over what the kernel has room for. When they have done that, the last
    # lines, which are in the source's pipe still, must find no room.
    server.settle()
    server.feed(MORE, LENGTH, "that the source can write on while a client does not read")
    server.settle()
    status = server.end()
    adds_up(client.all(), server.told)
    server.finish(status)


def adds_up(lines, told):
    """Each line is whole; what is missing between two of them, or at the end, is told there."""
    last = missing = total = 0
    for line in lines:
        note = NOTE.fullmatch(line)
        if note:
            missing += int(note[1])
            total += int(note[1])
            continue
        found = re.match(rb"event (\d+) ", line)
        if not found or line != event(int(found[1]), LENGTH):
            raise WrongError("only whole lines of the source, or: ... N events dropped", short(line))
        number = int(found[1])
        if number != last + missing + 1:
            raise WrongError(f"that events {last + 1} to {number - 1} are told as dropped before {number}", missing)
        last, missing = number, 0
    if last + missing != told:
        raise WrongError(f"received and dropped are all {told} events", f"{last - total + missing} and {total}")
    if not total:
        raise WrongError(f"that not all of {told * LENGTH} bytes wait for a client that does not read", "they do")


def gone(server):
    """Clients leave in several ways; one stays."""
    stays = server.client()
    others = [server.client() for _ in range(4)]
    for other in others:
        server.feed(BATCH)
        server.awaited = "that a client gets all lines while others leave"
        same(events(1, server.told), stays.lines(server.told), "a client, while others leave")
        if random.random() < 0.5:
            other.lines(3)
        if other is others[0]:
            other.connection.close()
        else:
            other.go()
    for _ in range(3):  # the kernel takes what is sent to somebody who is gone, at first
        server.feed(BATCH)
        same(events(1, server.told), stays.lines(server.told), "a client, while others leave")
    newcomer = server.client()
    server.feed(1)
    status = server.end()
    same(events(1, server.told), stays.all(), "a client that has stayed")
    same(events(server.told, server.told), newcomer.all(), "a client that came after others had left")
    server.finish(status)


def text(server):
    """What must not reach a terminal does not, and all the rest does."""
    client = server.client()
    for number, what in enumerate(HOSTILE):
        server.order(f"raw {(b'%d before ' % number + what + b' after' + bytes([10])).hex()}", "that it goes on")
    server.order(f"raw {PLAIN.encode().hex()}0a", "that it goes on")
    status = server.end()
    lines = client.all()
    if len(lines) != len(HOSTILE) + 1:
        raise WrongError(f"{len(HOSTILE) + 1} lines, as the source has written", f"{len(lines)} lines")
    for number, (what, line) in enumerate(zip(HOSTILE, lines, strict=False)):
        harmless(what, line)
        if not line.startswith(b"%d before " % number) or not line.endswith(b" after"):
            raise WrongError(f"what stands before and after {what!r} as it is", repr(line))
    if lines[-1] != PLAIN.encode():
        raise WrongError(f"text as it is: {PLAIN}", repr(lines[-1]))
    server.finish(status)


def harmless(what, line):
    try:
        letters = line.decode()
    except UnicodeDecodeError:
        raise WrongError(f"UTF-8 of a line with {what!r}", repr(line)) from None
    if any(unicodedata.category(letter) == "Cc" for letter in letters):
        raise WrongError(f"no control character of a line with {what!r}", repr(line))


def main():
    scenarios = {"alone": alone, "fast": fast, "sleeper": sleeper, "dropped": dropped, "gone": gone, "text": text}
    told = {}
    with tempfile.TemporaryFile() as errors:
        try:
            scenarios[sys.argv[1]](Server(sys.argv[2], errors))
        except WrongError as error:
            said = last_line(errors)
            told = {"expected": str(error.args[0]), "got": f"{error.args[1]}{said and '; on stderr: '}{said}"}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
