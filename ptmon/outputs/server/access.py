# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may have the events: the addresses to listen on, the token, the certificate. All are checked at the start."""

from __future__ import annotations

import errno
import hmac
import ipaddress
import os
import resource
import socket
import ssl
import stat
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ptmon.errors import PtmonError, kernel_word
from ptmon.option_values import Address
from ptmon.outputs.server.lines import without_telnet
from ptmon.text import counted, printable

TOKEN_MOST = 512
"""Bytes: a token is a line, and lines of clients are bounded."""
BACKLOG = 128
DESCRIPTORS = 128
"""Left to the rest of ptmon."""
KEEP_ALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 6}
"""tcp(7): a client whose machine is gone is known to be after two minutes."""
ADVICE = {
    errno.EADDRINUSE: "another program listens there: take another port, or 0 for any that is free",
    errno.EACCES: "ports below 1024 are for root: take a higher one",
    errno.EADDRNOTAVAIL: "this machine has no such address",
}


def listen(address: Address, *, token: bool, flag: str = "--serve", what: str = "the events") -> list[socket.socket]:
    """Sockets that listen at every address of the host. ``token``: clients have to give one.

    Raises PtmonError; without a token for an address that is not a loopback address, too.
    """
    found = resolve(address)
    strange = [entry for _, entry in found if not is_loopback(entry[0])]
    if strange and not token:
        raise PtmonError(
            f"{flag}: {strange[0][0]} is not a loopback address, and whoever can reach it could read {what}:"
            " give --serve-token-file FILE too (and --serve-cert FILE, or they cross the network readable)"
        )
    with ExitStack() as stack:
        listeners: list[socket.socket] = []
        failure: OSError | None = None
        for family, entry in found:
            port = entry[1] or (listeners[0].getsockname()[1] if listeners else 0)
            try:
                listeners.append(stack.enter_context(_listener(family, (entry[0], port, *entry[2:]))))
            except OSError as error:
                # localhost is ::1 too, even where there is no IPv6: one address of a name is enough.
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise _not_served(entry, error) from None
                failure = failure or error
        if not listeners:
            assert failure is not None
            raise _not_served(found[0][1], failure)
        stack.pop_all()
    return listeners


def resolve(address: Address) -> list[tuple[int, Any]]:
    """(family, struct sockaddr as Python has it) of a host's addresses. Raises PtmonError."""
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that can't be one, as it has a label of 64 letters
        why = error.strerror if isinstance(error, OSError) else "it is no host name"
        raise PtmonError(f"--serve: cannot find the address of {printable(address.host)}: {why}") from None
    return list(dict.fromkeys((family, entry) for family, _, _, _, entry in found))


def is_loopback(host: str) -> bool:
    """Of a numeric address."""
    parsed = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def shown(entry: Sequence[Any]) -> str:
    """``127.0.0.1:8080``, ``[::1]:8080``."""
    return f"[{entry[0]}]:{entry[1]}" if ":" in entry[0] else f"{entry[0]}:{entry[1]}"


def keep_alive(client: socket.socket) -> None:
    """Lets the kernel find out that a client's machine is gone. Raises OSError."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEP_ALIVE.items():
        client.setsockopt(socket.IPPROTO_TCP, option, value)


def check_clients(most: int) -> None:
    """Raises PtmonError where so many clients could take the file descriptors that tracing needs."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    # As many again may be about to come, and to go.
    if limit != resource.RLIM_INFINITY and 3 * most + DESCRIPTORS > limit:
        raise PtmonError(
            f"--max-clients {most}: only {limit} files can be open (RLIMIT_NOFILE), which is enough for"
            f" {counted(max((limit - DESCRIPTORS) // 3, 0), 'client')}; ulimit -n raises it"
        )


def read_token(path: str) -> bytes:
    """The token: the first line of a file. Raises PtmonError."""
    name = printable(path)
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            token = file.readline(TOKEN_MOST + 3).rstrip(b"\r\n")
    except OSError as error:
        raise PtmonError(f"cannot read the token in {name}: {kernel_word(error.errno or 0)}") from None
    if stat.S_ISREG(mode) and mode & stat.S_IRWXO:
        raise PtmonError(f"the token in {name} is no secret, for others may read or write the file: chmod 600 {name}")
    if not token.strip():
        raise PtmonError(f"there is no token in {name}: its first line is empty")
    if len(token) > TOKEN_MOST:
        raise PtmonError(f"the token in {name} is too long: {TOKEN_MOST} bytes at most")
    return token


def is_token(said: bytes, token: bytes) -> bool:
    """Takes as long for a wrong word as for the right one, so that nobody learns from the time."""
    return hmac.compare_digest(without_telnet(said), without_telnet(token))


def tls(cert: str, key: str | None) -> ssl.SSLContext:
    """TLS 1.2 at least, with this certificate. Raises PtmonError."""
    for path in (cert, key or cert):
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            raise PtmonError(f"cannot read {printable(path)}: {kernel_word(error.errno or 0)}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password=lambda: _encrypted(key or cert))
    except ssl.SSLError as error:
        raise PtmonError(_unusable(cert, key, error)) from None
    return context


def _listener(family: int, entry: Any) -> socket.socket:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a run before may linger
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # :: is not 0.0.0.0 too
        listener.bind(entry)
        listener.listen(BACKLOG)
        stack.pop_all()
    return listener


def _not_served(entry: Any, error: OSError) -> PtmonError:
    number = error.errno or 0
    advice = f"; {ADVICE[number]}" if number in ADVICE else ""
    return PtmonError(f"cannot serve on {shown(entry)}: {kernel_word(number)}{advice}")


def _unusable(cert: str, key: str | None, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"the key in {printable(key or cert)} is not that of the certificate in {printable(cert)}"
    files = printable(cert) if key is None else f"{printable(cert)} and {printable(key)}"
    return f"no certificate and its key in {files}: {error.reason or 'they are not in PEM form'}"


def _encrypted(path: str) -> str:
    """Raises PtmonError: nobody is there to be asked."""
    raise PtmonError(
        f"the key in {printable(path)} is encrypted, which ptmon cannot read: openssl pkey -in FILE -out PLAIN"
    )
