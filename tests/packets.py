# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of --capture share: a reader of pcapng files, by hand, and what tshark makes of them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import DEADLINE

RAW = 101
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@dataclass(frozen=True)
class Packet:
    """A packet of a file: its ends, flags (of TCP; -1: UDP) and payload."""

    time: int
    sent: bool
    comment: str
    source: tuple[bytes, int]
    target: tuple[bytes, int]
    flags: int
    sequence: int
    payload: bytes
    """As far as it was kept."""
    length: int
    """Bytes of the payload before it was cut."""


def options(data: bytes) -> dict[int, bytes]:
    """The options at the end of a block."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        code, length = struct.unpack_from("=HH", data, at)
        if code == 0:
            return found
        found[code] = data[at + 4 : at + 4 + length]
        at += 4 + -(-length // 4) * 4
    raise AssertionError("options without an end")


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    """Kind and body of each block; all of the file is blocks."""
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("=I", data, at + length - 4) == (length,)
        found.append((kind, data[at + 8 : at + length - 4]))
        at += length
    assert at == len(data)
    return found


def read(path: Path) -> list[Packet]:
    """The packets of a file."""
    (section, head), (interface, about), *rest = blocks(path.read_bytes())
    assert (section, head[:8]) == (0x0A0D0D0A, struct.pack("=IHH", 0x1A2B3C4D, 1, 0))
    assert interface == 1
    assert struct.unpack_from("=HHI", about) == (RAW, 0, 0)
    assert options(about[8:])[9] == b"\x09"
    assert all(kind == 6 for kind, _ in rest)
    return [packet(body) for _, body in rest]


def packet(body: bytes) -> Packet:
    """The packet in the body of an Enhanced Packet Block."""
    number, high, low, kept, length = struct.unpack_from("=IIIII", body)
    assert number == 0
    data, more = body[20 : 20 + kept], options(body[20 + -(-kept // 4) * 4 :])
    size = {4: 20, 6: 40}[data[0] >> 4]
    addresses = (data[12:16], data[16:20]) if size == 20 else (data[8:24], data[24:40])
    protocol = data[9] if size == 20 else data[6]
    told = struct.unpack_from("!H", data, 2)[0] if size == 20 else 40 + struct.unpack_from("!H", data, 4)[0]
    assert told == length
    head, flags, sequence = 8, -1, 0
    if protocol == 6:
        head, flags = (data[size + 12] >> 4) * 4, data[size + 13]
        (sequence,) = struct.unpack_from("!I", data, size + 4)
    source, target = struct.unpack_from("!HH", data, size)
    return Packet(
        high << 32 | low,
        struct.unpack("=I", more[2])[0] == 2,
        more.get(1, b"").decode(),
        (addresses[0], source),
        (addresses[1], target),
        flags,
        sequence,
        data[size + head :],
        length - size - head,
    )


def moved(packets: list[Packet]) -> tuple[int, int]:
    """Bytes sent and received."""
    return sum(one.length for one in packets if one.sent), sum(one.length for one in packets if not one.sent)


def streams(packets: list[Packet]) -> dict[tuple[tuple[bytes, int], tuple[bytes, int]], bytes]:
    """What went from one end to the other."""
    found: dict[tuple[tuple[bytes, int], tuple[bytes, int]], bytes] = defaultdict(bytes)
    for one in packets:
        if one.payload:
            found[one.source, one.target] += one.payload
    return found


def tshark(path: Path, *words: str) -> str:
    """What tshark says of a file."""
    done = subprocess.run(["tshark", "-n", "-r", path, *words], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def followed(path: Path, stream: int = 0) -> tuple[bytes, bytes]:
    """What tshark reassembles of a TCP stream: sent by who began it, and by the other."""
    there: list[bytes] = []
    back: list[bytes] = []
    text = tshark(path, "-q", "-z", f"follow,tcp,raw,{stream}").split("Node 1: ")[1]
    for line in text.splitlines()[1:-1]:
        (back if line.startswith("\t") else there).append(bytes.fromhex(line))
    return b"".join(there), b"".join(back)


def complaints(path: Path) -> str:
    """Packets with which something is wrong, as tshark sees it."""
    wrong = (
        "tcp.analysis.flags || ip.checksum.status == Bad || tcp.checksum.status == Bad || udp.checksum.status == Bad"
    )
    checked = [word for kind in ("ip", "tcp", "udp") for word in ("-o", f"{kind}.check_checksum:TRUE")]
    return tshark(path, *checked, "-Y", wrong)
