"""Listening sockets: one owner per port, on Windows too."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import suppress

from errors import Misconfigured

MAX_CONNECTIONS = 1000
"""Open connections, idle ones too; past it, new ones wait in the system's queue."""
DESCRIPTORS = 4096
"""What we ask the system for: a connection takes up to three, and the store and the database have theirs."""


if sys.platform == "win32":

    def connection_limit() -> int:
        """How many connections this process can hold: there is no poll(), and select() takes 512 sockets."""
        return 480

else:
    import resource

    def connection_limit() -> int:
        """How many connections this process can hold; raises its soft limit of descriptors where it may."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < DESCRIPTORS:
            wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                soft = wanted
        return min(MAX_CONNECTIONS, soft // 3)


def listen_on(host: str, port: int) -> list[socket.socket]:
    """Bound sockets for every address of `host`; port 0 chooses one free port for all of them.

    Raises Misconfigured, with what to do, when the port is taken or the address is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Misconfigured([f"HOST is {host!r}, which names no address: {error.strerror}."]) from error
    bound: list[socket.socket] = []
    refusals: list[OSError] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            try:
                bound.append(_bound(family, kind, protocol, address[0], port))
            except OSError as error:
                if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:  # `localhost` without IPv6
                    raise
                refusals.append(error)
            else:
                port = bound[0].getsockname()[1]
        if not bound:
            raise refusals[0]
    except OSError as error:
        for sock in bound:
            sock.close()
        raise Misconfigured([_sentence(error, host, port)]) from error
    return bound


def _bound(family: int, kind: int, protocol: int, host: str | int, port: int) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        if sys.platform == "win32":
            # SO_REUSEADDR would let a second server bind the same port, and requests would go to either.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Here it only means: do not wait for old connections in TIME_WAIT after a restart.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        # Already now: on Linux two sockets may bind one port with SO_REUSEADDR until one of them listens.
        sock.listen()
    except OSError:
        sock.close()
        raise
    return sock


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT is {port}, which another program has taken on {host}. Stop it, or choose another PORT."
    if error.errno == errno.EACCES:
        return f"PORT is {port}, which this account may not open on {host}. Choose one above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"HOST is {host!r}, which is no address of this machine. Use 127.0.0.1, or 0.0.0.0 for all."
    return f"HOST {host!r} and PORT {port} cannot be opened: {error.strerror}."
