# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of struct pt_record as tuples, and the records that come with each connection, made of them: of these there may
be many thousands a second, and to ask cffi for one field after the other takes three times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from ptmon.engines.boundary import ORIGINS, lib
from ptmon.records import Connect, Connected, Direction, Record, SocketClosed, SocketSeen, TcpCounters, Transfer
from ptmon.static import Any

ROW = struct.Struct("=QQQIiiiIiiHBBII")
"""struct pt_record."""
KIND = 6
"""Where ``kind`` stands in it, in words of 32 bits."""
SOCKET = struct.Struct("=QiiiII128s128s4xQQII")
"""struct pt_socket_info."""
CONNECT = struct.Struct(SOCKET.format + "Q")
"""struct pt_connect."""
TCP = struct.Struct("=QQQII")
"""struct pt_tcp_info."""
DIRECTIONS = {int(direction): direction for direction in Direction}
CONNECTED = {getattr(lib, f"PT_CONNECTED_{end.name}"): end for end in Connected}
SHARED_MOST = 4096
"""Addresses or counters that are kept to be shared: as many as are in use at a time, more or less."""

Row = tuple[int, ...]
Name = Callable[[int], str]
"""Of a system call of the C core's table."""


class RowReader:
    """Makes records of rows. ``start``: nanoseconds, from which times count."""

    def __init__(self, start: int, name: Name) -> None:
        self._start = start
        self._name = name
        self._addresses: dict[bytes, bytes] = {}
        self._tcp: dict[bytes, TcpCounters] = {}
        self.makers: dict[int, Callable[[Row, Any], Record]] = {
            lib.PT_TRANSFER: self._transfer,
            lib.PT_SOCKET: self._socket,
            lib.PT_CONNECT: self._connect,
            lib.PT_CLOSE: self._close,
        }
        """By kind: they take a row and the batch's data."""

    def _transfer(self, row: Row, data: Any) -> Record:
        return transfer(row, self._start, self._name, row[1], row[2])

    def _socket(self, row: Row, data: Any) -> Record:
        time, _, _, _, pid, tid, fd, socket, _, _, _, _, _, offset, _ = row
        inode, family, kind, protocol, local_length, peer_length, local, peer, opened, connect, origin, _ = (
            SOCKET.unpack_from(data, offset)
        )
        return SocketSeen(
            (time - self._start) / 1e9,
            pid,
            tid,
            fd,
            socket,
            inode,
            family,
            kind,
            protocol,
            self._address(local[:local_length]),
            self._address(peer[:peer_length]),
            (opened - self._start) / 1e9 if opened else None,
            ORIGINS[origin],
            connect / 1e9 if connect else None,
        )

    def _connect(self, row: Row, data: Any) -> Record:
        time, _, _, _, pid, tid, fd, _, error, value, _, _, _, offset, _ = row
        inode, family, kind, protocol, _, length, _, peer, _, _, _, _, took = CONNECT.unpack_from(data, offset)
        what = (inode, family, kind, protocol, self._address(peer[:length]), CONNECTED[value], error)
        return Connect((time - self._start) / 1e9, pid, tid, fd, *what, took / 1e9 if took else None)

    def _close(self, row: Row, data: Any) -> Record:
        time, _, _, _, pid, tid, fd, socket, _, value, _, _, _, offset, length = row
        tcp = None
        if length:
            tcp = self._counters(data[offset : offset + length])
        return SocketClosed((time - self._start) / 1e9, pid, tid, fd, socket, tcp, value == 1)

    def _address(self, address: bytes) -> bytes:
        """One object for equal ones: a listener's address is that of all that it accepts."""
        shared = self._addresses.setdefault(address, address)
        if len(self._addresses) > SHARED_MOST:
            self._addresses.clear()
        return shared

    def _counters(self, data: bytes) -> TcpCounters:
        """One object for equal ones: many a connection carries as much as the one before."""
        shared = self._tcp.get(data)
        if shared is None:
            if len(self._tcp) >= SHARED_MOST:
                self._tcp.clear()
            sent, received, retransmitted, rtt, auditable = TCP.unpack(data)
            shared = self._tcp[data] = TcpCounters(sent, received, retransmitted, rtt, bool(auditable))
        return shared


def transfer(row: Row, start: int, name: Name, calls: int, count: int) -> Transfer:
    """A row of kind PT_TRANSFER, with sums that need not be its own."""
    time, _, _, _, pid, tid, fd, socket, error, _, syscall, direction, fast, _, _ = row
    moment, way = (time - start) / 1e9, DIRECTIONS[direction]
    return Transfer(moment, pid, tid, name(syscall), fd, socket, way, calls, count, error, fast == 1)
