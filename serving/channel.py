"""One connection, and how a request on it is answered: waitress's own, but for what is written here."""

from __future__ import annotations

import json
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, WSGITask

from serving.hold import Block
from serving.outbox import Outbox
from serving.reception import Request
from serving.spool import Spool
from serving.vouching import Declined, Question

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
        if isinstance(error, Declined):
            self._relay(error)
            return
        problem = {"type": "about:blank", "title": error.reason, "status": error.code, "detail": error.body}
        body = json.dumps(problem).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/problem+json"))
        if error.code == 401:
            self.response_headers.append(("WWW-Authenticate", 'Basic realm="Stowgram", charset="UTF-8"'))
        if (seconds := getattr(error, "retry_after", None)) is not None:
            self.response_headers.append(("Retry-After", str(seconds)))
        self._finish(body)

    def _relay(self, declined: Declined) -> None:
        """What the app said, word for word."""
        self.status = f"{declined.code} {declined.reason}"
        self.response_headers.extend(declined.headers)
        self._finish(declined.content)

    def _finish(self, body: bytes) -> None:
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that counts what its reader takes, for the watchdog, and can send a response that no thread runs.

    Locks: a thread that holds `requests_lock` may take `outbuf_lock`, never the other way round; what the end of an
    outbox brings about is therefore left to the main loop.
    """

    task_class = Answer
    error_task_class = Refusal
    request: Request | None = None
    requests: list[Request]
    outbox: Outbox | None = None
    """The body that is being sent without a thread."""
    asking = False
    """Whether the app is being asked who sends the body that has begun to arrive."""
    held_back = False
    """Whether a request waits for the end of it."""

    def __init__(self, server: Listener, sock: socket.socket, *rest: Any, **named: Any) -> None:
        super().__init__(server, sock, *rest, **named)
        self.parser_class = partial(Request, spool=server.spool)
        self.sendbuf_len: int = min(self.sendbuf_len, MAX_SEND)
        self.taken = 0
        """Bytes that the system has taken off us for the reader."""

    def received(self, data: bytes) -> bool:
        went_on: bool = super().received(data)
        request = self.request
        if request is not None and request.unproven and not self.asking:
            self.asking = True
            told = partial(self._told, request)
            self.server.ask(
                Question(self, request, lambda verdict: self.server.on_loop(partial(told, verdict)))
            )
        return went_on

    def _told(self, request: Request, verdict: Declined | None) -> None:
        """On the main loop: go on with the body, or answer without it."""
        self.asking = False
        if self.request is not request or not self.connected:
            return
        with self.requests_lock:
            if verdict is None:
                request.prove()
                if request.expect_continue and not self.requests and not self.sent_continue:
                    self.send_continue()
                return
            request.decline(verdict)
            if request.completed:  # else what is still to come of the body is dropped first
                self.request = None
                self.requests.append(request)
                if len(self.requests) == 1:
                    self.server.add_task(self)

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close=do_close)
        self.taken += sent
        return sent

    def write_soon(self, data: Any) -> int:
        if isinstance(data, Outbox):
            self.outbox = data
        written: int = super().write_soon(data)
        if isinstance(data, Outbox):
            data.begin(self)
        return written

    def feed(self, outbox: Outbox, block: Block) -> None:
        """More of the body. Sends at once what the reader takes at once; the main loop sends the rest."""
        with self.outbuf_lock:
            if not outbox.append(block):
                return  # the main loop is at it
            if self.connected:
                self._flush_exception(self._flush_some, do_close=False)
            rest = outbox.ready or self.will_close
        if rest:
            self.server.pull_trigger()

    def cut_short(self, outbox: Outbox) -> None:
        """The body ends here, before its Content-Length: send what there is, and close."""
        with self.outbuf_lock:
            self.total_outbufs_len -= outbox.cut()
            self.close_when_flushed = True
        self.server.pull_trigger()

    def leave(self, outbox: Outbox) -> None:
        """The body is sent, or cut. From any thread."""
        self.server.on_loop(self._go_on)

    def _go_on(self) -> None:
        with self.requests_lock:
            self.outbox = None
            waiting, self.held_back = self.held_back, False
            if waiting and self.connected and not self.close_when_flushed:
                self.server.add_task(self)
            elif waiting:
                for request in self.requests:
                    request.close()
                self.requests = []

    def _flush_some(self, do_close: bool = True) -> bool:
        with (
            self.outbuf_lock
        ):  # waitress takes it only while a request runs; the pump sends at other times, too
            flushed: bool = super()._flush_some(do_close=do_close)
            return flushed

    def _flush_outbufs_below_high_watermark(self) -> None:
        if self.outbox is None:  # else no thread waits for what no thread produces
            super()._flush_outbufs_below_high_watermark()

    def writable(self) -> bool:
        head = self.outbufs[0]
        if isinstance(head, Outbox) and not head.ready and head.remain:
            return bool(self.will_close)  # there is nothing to send yet
        return bool(super().writable())

    def readable(self) -> bool:
        if self.asking:
            return False
        if self.outbox is None:
            return bool(super().readable())
        # Only to see that the reader leaves while we wait for the store.
        return not (
            self.will_close or self.pending or len(self.requests) > self.adj.channel_request_lookahead
        )

    @property
    def pending(self) -> int:
        """Bytes that wait for the reader."""
        outbox = self.outbox
        return int(self.total_outbufs_len) - (outbox.remain - outbox.ready if outbox else 0)

    @property
    def arrived(self) -> int | None:
        """Bytes of the body of a request that is still arriving, 0 while its headers are; None when none is."""
        if self.requests or self.outbox is not None or self.request is None or self.asking:
            return None
        return self.request.body_bytes_received if self.request.headers_finished else 0

    @property
    def idle(self) -> bool:
        return not self.requests and self.outbox is None and not self.total_outbufs_len

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

    def __init__(
        self, *rest: Any, spool: Spool, on_loop: Callable[[Callable[[], None]], None], **named: Any
    ) -> None:
        """`on_loop` has something called on the main loop, soon and without any lock held; it never waits."""
        self.spool = spool
        self.on_loop = on_loop
        super().__init__(*rest, **named)

    def set_reuse_addr(self) -> None:
        """Nothing: on Windows it would let a second server take the port (see sockets.py)."""

    def add_task(self, channel: Channel) -> None:
        """Have the first request of `channel` answered, once the body before it is sent."""
        if channel.outbox is not None:
            channel.held_back = True
        else:
            super().add_task(channel)

    def ask(self, question: Question) -> None:
        """Have it put to the app by a thread."""
        self.task_dispatcher.ask(question)

    def maintenance(self, now: float) -> None:
        """waitress closes what has long been idle; a body that waits for the store is not."""
        for channel in self.active_channels.values():
            if channel.outbox is not None:
                channel.last_activity = now
        super().maintenance(now)

    def stop_listening(self) -> None:
        """Take no more connections. Open ones go on, and so does the trigger that wakes their loop."""
        self.del_channel()
        self.socket.close()
