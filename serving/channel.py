"""One connection, and how a request on it is answered: waitress's own, but for what is written here."""

from __future__ import annotations

import json
import socket
import struct
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from serving.reception import Request
from serving.spool import Spool

MAX_SEND = 256 << 10
"""Bytes per send(). SO_SNDBUF itself is left alone: setting it would turn the system's autotuning off."""
# struct linger: two ints on POSIX, two shorts in Winsock. On, with no seconds to linger: close() resets.
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Answer(WSGITask):  # type: ignore[misc]  # waitress has no types
    """waitress closes after every response without Content-Length, but 204 and 304 have no body to delimit
    (RFC 9112 6.3), and a tus upload is a series of 204s.
    """

    def set_close_on_finish(self) -> None:
        asked = self.request.headers.get("CONNECTION", "").lower() == "close"
        if asked or self.has_body or self.version != "1.1":
            super().set_close_on_finish()


class Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to a request that the app never sees, in the form of all our errors (RFC 9457)."""

    def execute(self) -> None:
        error = self.request.error
        problem = {"type": "about:blank", "title": error.reason, "status": error.code, "detail": error.body}
        body = json.dumps(problem).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        if error.code == 401:
            self.response_headers.append(("WWW-Authenticate", 'Basic realm="Stowgram", charset="UTF-8"'))
        if (seconds := getattr(error, "retry_after", None)) is not None:
            self.response_headers.append(("Retry-After", str(seconds)))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that counts what its reader takes, for the watchdog."""

    task_class = Answer
    error_task_class = Refusal
    request: Request | None = None

    def __init__(self, server: Listener, sock: socket.socket, *rest: Any, **named: Any) -> None:
        super().__init__(server, sock, *rest, **named)
        self.parser_class = partial(Request, spool=server.spool)
        self.sendbuf_len: int = min(self.sendbuf_len, MAX_SEND)
        self.taken = 0
        """Bytes that the system has taken off us for the reader."""

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self.taken += sent
        return sent

    @property
    def pending(self) -> int:
        """Bytes that wait for the reader."""
        return int(self.total_outbufs_len)

    @property
    def arrived(self) -> int | None:
        """Bytes of the body of a request that is still arriving, 0 while its headers are; None when none is."""
        if self.requests or self.request is None:
            return None
        return self.request.body_bytes_received if self.request.headers_finished else 0

    @property
    def idle(self) -> bool:
        return not self.requests and not self.pending

    def handle_close(self) -> None:
        if self.request is not None:  # half arrived; waitress would leave its spooled body to the collector
            self.request.close()
            self.request = None
        super().handle_close()

    def reset(self) -> None:
        """End the connection so that the reader sees an error, no quiet end. On the main loop only."""
        with suppress(OSError):  # it may be closed already
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.handle_close()


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """A listening socket of ours, bound already."""

    channel_class = Channel

    def __init__(self, *rest: Any, spool: Spool, **named: Any) -> None:
        self.spool = spool
        super().__init__(*rest, **named)

    def set_reuse_addr(self) -> None:
        """Nothing: on Windows it would let a second server take the port (see sockets.py)."""

    def stop_listening(self) -> None:
        """Take no more connections. Open ones go on, and so does the trigger that wakes their loop."""
        self.del_channel()
        self.socket.close()
