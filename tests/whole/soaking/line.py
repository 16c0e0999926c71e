"""One HTTP/1.1 connection over a plain socket, which lets its owner be as rude as a socket allows."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from typing import cast

BLOCK = 64 << 10
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Cut(Exception):
    """The gateway ended the connection before all that it had promised was there."""


@dataclass(frozen=True)
class Answer:
    """The head of a response; header names in lower case. `length` is of the body that follows."""

    status: int
    headers: Mapping[str, str]
    length: int


class Line:
    """Used by one thread. `close` is a polite end, `reset` is one without a goodbye."""

    def __init__(self, port: int, token: str, patience: float, receive_buffer: int | None = None) -> None:
        """`patience`: seconds for each read and write. A small `receive_buffer` lets the gateway feel a slow reader."""
        self._socket = socket.socket()
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(("127.0.0.1", port))
        except OSError:
            self._socket.close()
            raise
        self._incoming = cast(BufferedReader, self._socket.makefile("rb", BLOCK))
        self._token = token

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._incoming.close()
        self._socket.close()

    def reset(self) -> None:
        """Vanish: what is on its way is thrown away, and the other side hears RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.close()

    def say_no_more(self) -> None:
        """Close our half."""
        self._socket.shutdown(socket.SHUT_WR)

    def head(self, method: str, target: str, headers: Mapping[str, str] | None = None) -> bytes:
        """A request's head as it goes over the line."""
        lines = [f"{method} {target} HTTP/1.1", "Host: soak", f"Authorization: Bearer {self._token}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, data: bytes) -> None:
        """Raises Cut when the gateway takes no more; it may have answered before."""
        try:
            self._socket.sendall(data)
        except ConnectionError as error:
            raise Cut(f"while sending: {error}") from error

    def answer(self, method: str) -> Answer:
        """The head of the next answer. Raises Cut."""
        status = self._read_line()
        if not status.startswith("HTTP/1.1 "):
            raise Cut(f"no answer but {status!r}")
        headers = {}
        while header := self._read_line():
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        code = int(status.split()[1])
        empty = method == "HEAD" or code in {204, 304}
        return Answer(code, headers, 0 if empty else int(headers["content-length"]))

    def body(self, answer: Answer) -> Iterator[bytes]:
        """Its blocks, as they come. Raises Cut."""
        left = answer.length
        while left:
            try:
                block = self._incoming.read1(min(left, BLOCK))
            except ConnectionError as error:
                raise Cut(f"{left} of {answer.length} bytes are missing: {error}") from error
            if not block:
                raise Cut(f"{left} of {answer.length} bytes are missing")
            left -= len(block)
            yield block

    def _read_line(self) -> str:
        try:
            line = self._incoming.readline(BLOCK)
        except ConnectionError as error:
            raise Cut(f"no answer: {error}") from error
        if not line.endswith(b"\n"):
            raise Cut("no answer")
        return line.decode("latin-1").rstrip("\r\n")
