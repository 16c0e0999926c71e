"""The client of the benchmarks: a plain HTTP/1.1 GET over a socket of its own, cheap enough not to be what is measured.

It compares a few kilobytes of everything that it receives with what the file holds there, so that no speed is one of
wrong bytes, and yet the comparing takes no time to speak of.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from model import ByteRange

Read = Callable[[int, int], bytes]
"""`read(start, length)`: what the file holds there, or the first part of it."""
SAMPLE = 4096
_BUFFER = 256 << 10
_PATIENCE = 120.0


class Wrong(Exception):
    """Not what was asked for: another status, a short body, or other bytes."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Seconds from before connecting until the first byte of the body and until the last, and the bytes between."""

    first: float
    seconds: float
    size: int

    @property
    def speed(self) -> float:
        """MB/s."""
        return self.size / 1e6 / self.seconds


class Fetch:
    """One GET of `span` of an address; `stop` cuts it off from another thread, and what came until then counts."""

    def __init__(self, url: str, token: str, span: ByteRange, read: Read, *, whole: bool = False) -> None:
        self._url = urlsplit(url)
        self._head = f"GET {self._url.path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
        self._head += f"Authorization: Bearer {token}\r\n"
        if not whole:
            self._head += f"Range: bytes={span.start}-{span.stop - 1}\r\n"
        self._span = span
        self._read = read
        self._socket: socket.socket | None = None
        self._stopped = False
        self.received = 0

    def run(self) -> Fetched:
        """Raises Wrong and OSError."""
        began = time.perf_counter()
        assert self._url.hostname is not None and self._url.port is not None
        with socket.create_connection((self._url.hostname, self._url.port), _PATIENCE) as self._socket:
            self._socket.sendall(self._head.encode("ascii") + b"\r\n")
            rest = self._skip_head(self._socket)
            if not rest and self._span.length:
                rest = self._socket.recv(_BUFFER)
            first = time.perf_counter() - began
            self._check(memoryview(rest))
            self._receive_body(self._socket)
        return Fetched(first, time.perf_counter() - began, self.received)

    def run_for(self, seconds: float) -> Fetched:
        """Run it, but no longer than that."""
        timer = threading.Timer(seconds, self.stop)
        timer.start()
        try:
            return self.run()
        finally:
            timer.cancel()

    def glance(self) -> Fetched:
        """Run it until the first bytes are here, and drop the rest."""
        self._stopped = True
        return self.run()

    def stop(self) -> None:
        self._stopped = True
        if self._socket is not None:
            with suppress(OSError):  # it has ended meanwhile
                self._socket.shutdown(socket.SHUT_RDWR)

    def _skip_head(self, connection: socket.socket) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(_BUFFER)
            if not data:
                raise Wrong(f"the connection ended in the head: {head!r}")
            head += data
        head, _, rest = head.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status not in (200, 206):
            raise Wrong(f"status {status}: {rest[:300]!r}")
        return rest

    def _receive_body(self, connection: socket.socket) -> None:
        buffer = bytearray(_BUFFER)
        view = memoryview(buffer)
        try:
            while self._wants_more and (size := connection.recv_into(buffer)):
                self._check(view[:size])
        except OSError:
            if not self._stopped:
                raise
        if self.received != self._span.length and not self._stopped:
            raise Wrong(f"{self.received} of {self._span.length} bytes came")

    @property
    def _wants_more(self) -> bool:
        return self.received < self._span.length and not self._stopped

    def _check(self, data: memoryview) -> None:
        wanted = self._read(self._span.start + self.received, min(SAMPLE, len(data)))
        if data[: len(wanted)] != wanted:
            raise Wrong(f"other bytes at {self._span.start + self.received}")
        self.received += len(data)
