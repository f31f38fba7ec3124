# SPDX-License-Identifier: GPL-2.0-or-later
"""The values of options: text -> value. Each raises ValueError with what is wrong about the text."""

from __future__ import annotations

import math

from ptmon.formats import REPORTS, listed
from ptmon.frozen import dataclass

OTHER_FORMATS = frozenset({"htm", "jsonl", "md", "ndjson", "pdf", "tsv", "xlsx", "xml", "yaml", "yml"})
"""Ends of file names that promise what a report is not."""
SNAPLEN_MOST = 1 << 24
UNITS = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4} | {
    f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", 1)
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, or to connect to. ``host`` may be a name."""

    host: str
    port: int


def pid_number(text: str) -> int:
    """A process id."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**31:
        raise ValueError("is not a process id")
    return int(text)


def targets(text: str) -> tuple[int | str, ...]:
    """Process ids or programs' names, separated by commas or blanks. What begins as a number is one."""
    found = text.replace(",", " ").split()
    if not found:
        raise ValueError("is neither a process id nor a program's name")
    return tuple(pid_number(word) if word[0] == "-" or word[0].isdigit() else program_name(word) for word in found)


def seconds(text: str) -> float:
    """A positive time."""
    return _positive(text, 1e9, "is not a positive number of seconds")


def factor(text: str) -> float:
    """A positive number."""
    return _positive(text, 1e6, "is not a positive number")


def _positive(text: str, limit: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < limit:  # false for NaN too
        raise ValueError(what)
    return value


def count(text: str) -> int:
    """A positive whole number."""
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 2**63:
        raise ValueError("is not a positive whole number")
    return int(text)


def size(text: str) -> int:
    """Bytes: ``512``, ``10MB``, ``1.5 GiB``; kB and its like count by thousands."""
    import re  # most runs ask for no size

    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) *([A-Za-z]*)", text)
    if match is None or match[2] not in UNITS:
        raise ValueError("is no size, as 512, 10MB or 1.5GiB are")
    whole, _, part = match[1].partition(".")
    count: int = int(whole + part) * UNITS[match[2]] // 10 ** len(part)
    return count


def snaplen(text: str) -> int:
    """A size of at least a byte, of which the core has a buffer."""
    found = size(text)
    if not 0 < found <= SNAPLEN_MOST:
        raise ValueError("is not from 1 byte to 16MiB")
    return found


def stops(text: str) -> int:
    """A positive whole number that fits into an int of C."""
    if count(text) >= 2**31:
        raise ValueError("is more than 2147483647")
    return int(text)


def address(text: str) -> Address:
    """``[HOST:]PORT``; a numeric IPv6 address in brackets. Without HOST: 127.0.0.1."""
    host, colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit()) or int(port) > 65535 or (colon and not host):
        raise ValueError("is not [HOST:]PORT")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("is not [HOST:]PORT (an IPv6 address wants brackets: [::1]:8080)")
    return Address(host or "127.0.0.1", int(port))


def collector(text: str) -> str:
    """An address of the web."""
    if not text.startswith(("http://", "https://")):
        raise ValueError("is no URL that begins with http:// or https://")
    return text


def words(text: str) -> tuple[str, ...]:
    """Names, separated by commas."""
    found = tuple(text.split(","))
    if not all(found):
        raise ValueError("has an empty name in it")
    return found


def program_name(text: str) -> str:
    """A program's file name, or its path."""
    if not text or text.endswith("/"):
        raise ValueError("is not a program's file name")
    return text


def file_name(text: str) -> str:
    """The last component of a path, as --only compares it."""
    if not text or "/" in text:
        raise ValueError("is not a file name (give it without its directory)")
    return text


def path_to_read(text: str) -> str:
    """A path."""
    if not text:
        raise ValueError("is not a file")
    return text


def path_pattern(text: str) -> str:
    """A path with %p, %h, %r and %% in it."""
    rest = text.replace("%%", "").replace("%p", "").replace("%h", "").replace("%r", "")
    if not text:
        raise ValueError("is not a file")
    if "%" in rest:
        raise ValueError("has a % that is not %p (pid), %h (host), %r (rank) or %% (a % sign)")
    return text


def report_file(text: str) -> str:
    """A path_pattern, not of a kind of file that a report is not written as."""
    ending = text.rpartition("/")[2].rpartition(".")[2].lower() if "." in text else ""
    if ending in OTHER_FORMATS:
        written = [name if row.ending == f".{name}" else f"{name} ({row.ending})" for name, row in REPORTS.items()]
        raise ValueError(f"names a format that ptmon does not write: there are {listed(written, 'and')}")
    return path_pattern(text)
