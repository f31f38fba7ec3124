# SPDX-License-Identifier: GPL-2.0-or-later
"""--learn FILE: the rules that --allow would have needed, one a line, each with the programs that needed it.

The engine notes each call that names somebody whom an empty allow list would refuse.
"""

from __future__ import annotations

import ipaddress
import shlex
import socket
import sys
from collections.abc import Collection, Sequence

from ptmon import addresses, syscalls
from ptmon.decoding.named import MESSAGES_MOST, addresses_of
from ptmon.errors import UsageError
from ptmon.options import Options
from ptmon.outputs.files import expand, same_file
from ptmon.outputs.report_output import ReportOutput, Style
from ptmon.records import Clone, Denied, Exec, Record
from ptmon.report import Report
from ptmon.static import TextIO
from ptmon.text import printable

FREE = frozenset({socket.AF_UNIX, socket.AF_NETLINK})
"""As an allow list has it."""
PROGRAMS_MOST = 5
"""So many are named behind a rule."""


def make(options: Options, host: str) -> Learnt:
    """The output that ``options`` ask for. Raises UsageError."""
    path = options.learn or ""
    for flag, other in (("-o ", options.output), ("--log=", options.log)):
        if other and same_file(expand(path, host), expand(other, host)):
            raise UsageError(f"--learn {path} and {flag}{other} are the same file")
    return Learnt(path, host)


class Learnt(ReportOutput):
    """Writes the rules at the end, where a report of that path would go."""

    def __init__(self, path: str, host: str) -> None:
        super().__init__(self._write_rules, Style(), path, host, "the rules")
        self._names: dict[int, str] = {}
        self._connected: dict[str, dict[str, None]] = {}
        """By WHO: the programs, in the order of their first calls."""
        self._sent: dict[str, dict[str, None]] = {}
        """The same for who is reached by calls that send, and so needs less."""
        self._unseen: dict[str, None] = {}
        """What could not be learnt, and why."""

    def take(self, records: Sequence[Record]) -> Sequence[Record]:
        """Learns of the notes."""
        kept = []
        for record in records:
            if isinstance(record, Denied) and not record.error:
                self._learn(record)
                continue
            if isinstance(record, Exec):
                self._names[record.pid] = record.name
            elif isinstance(record, Clone) and record.pid == record.tid:
                self._names[record.pid] = self._names.get(record.parent, "")
            kept.append(record)
        return kept

    def _write_rules(self, report: Report, file: TextIO, style: Style) -> None:
        file.write(self.text(report))

    def text(self, report: Report) -> str:
        """The file: comments, and a rule a line, sorted."""
        command = printable(shlex.join(report.command))
        lines = [f"# What {command} reached ({report.header.started}); for ptmon --allow @FILE"]
        lines += [f"# note: {printable(warning.message)}" for warning in report.warnings]
        lines += [f"# {line}" for line in self._unseen]
        rules = {f"connect:{who}": programs for who, programs in self._connected.items()}
        rules |= {f"sendto:{who}": programs for who, programs in self._sent.items() if who not in self._connected}
        lines += [f"{rule}  # {_listed(programs)}" for rule, programs in sorted(rules.items())]
        return "\n".join([*lines, ""])

    def _learn(self, record: Denied) -> None:
        call = syscalls.name(record.call.number, record.call.compat)
        name = self._names.get(record.pid) or "?"
        found, whole = addresses_of(call, record.call)
        for address in found:
            family = int.from_bytes(address[:2], sys.byteorder)
            if family in FREE or addresses.scope(family, address) == "loopback":
                continue
            who = _who(address)
            if who is None:
                self._unseen[f"no rule can name address family {family} ({printable(name)})"] = None
                continue
            (self._connected if call == "connect" else self._sent).setdefault(who, {})[name] = None
        if not whole:
            more = f"more than {MESSAGES_MOST} messages, of which no more were looked at ({printable(name)})"
            self._unseen[f"a sendmmsg had {more}"] = None


def _who(address: bytes) -> str | None:
    """As a rule names it: by itself, or by its family. None if that has no name here."""
    family = int.from_bytes(address[:2], sys.byteorder)
    if family == socket.AF_INET6 and len(address) >= 24:
        host = ipaddress.IPv6Address(address[8:24])
        return str(host.ipv4_mapped or host)
    if family == socket.AF_INET and len(address) >= 8:
        return str(ipaddress.IPv4Address(address[4:8]))
    try:
        return socket.AddressFamily(family).name.removeprefix("AF_").lower()
    except ValueError:
        return None


def _listed(programs: Collection[str]) -> str:
    names = [printable(name) for name in programs]
    more = [f"and {len(names) - PROGRAMS_MOST} more"] if len(names) > PROGRAMS_MOST else []
    return ", ".join([*names[:PROGRAMS_MOST], *more])
