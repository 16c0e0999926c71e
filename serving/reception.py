"""Which request bodies are taken in.

waitress spools a whole body to disk before the app sees the request, so what the app would refuse in any case
is refused here, from the headers: a body too large for its route, and any but a small one from nobody. Of one whose
credentials nobody has looked at, no more is taken in than has come with the headers.
"""

from __future__ import annotations

import errno
import logging
from contextlib import suppress
from typing import Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.receiver import FixedStreamReceiver
from waitress.utilities import BadRequest, RequestEntityTooLarge

from serving.routes import SMALL_BODY, body_limit
from serving.spool import Spool, Void

log = logging.getLogger(__name__)

MAX_FRAMING = 4096
"""Bytes of a chunk's size line, or of the trailer, that may wait for their end. waitress bounds neither."""
BITE = 8 << 10
"""Bytes of a chunked body that are parsed at once: waitress copies what is left once for every chunk in it."""
MAX_DRAINED = 64 << 20
"""Bytes of a refused body that are read and dropped, so that the client gets to read the refusal: closing a
socket with unread bytes resets it (RFC 9112 9.6)."""


class SignInFirst(BadRequest):  # type: ignore[misc]  # waitress has no types
    code = 401
    reason = "Unauthorized"


class DiskFull(BadRequest):  # type: ignore[misc]
    code = 507
    reason = "Insufficient Storage"


class NoRoom(BadRequest):  # type: ignore[misc]
    code = 503
    reason = "Service Unavailable"
    retry_after = 5
    """Seconds."""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_ROOM = "Too many bytes are arriving at once. Try again in a few seconds."


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request on its way in."""

    # waitress's own, declared for the type checker.
    completed: bool
    headers_finished: bool
    body_bytes_received: int
    expect_continue: bool
    body_rcv: Any

    path = ""
    """waitress logs it when a client leaves, and sets it only once a request line could be read."""
    limit = SMALL_BODY
    unproven = False
    """Whether the app has to be asked for its credentials before more of the body is read."""

    def __init__(self, adjustments: Adjustments, spool: Spool) -> None:
        super().__init__(adjustments)
        self._spool = spool
        self._room = 0
        """Bytes taken of the spool."""
        self._wants_continue = False

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except (ParsingError, TransferEncodingNotImplemented):
            self.expect_continue = False  # or the channel would say 100, forget the error and wait
            raise
        if self.body_rcv is not None:
            self.body_rcv.buf = self._spool.buffer(self.adj.inbuf_overflow)
        self.limit = body_limit(self.command, self.path)
        known = "AUTHORIZATION" in self.headers or "COOKIE" in self.headers
        if not known and (self.content_length > SMALL_BODY or self.chunked):
            self._refuse(SignInFirst("Sign in before sending a large body."))
        elif self.content_length > self.limit:
            self._refuse(RequestEntityTooLarge(f"At most {self.limit} bytes are taken in one request here."))
        elif self.limit > SMALL_BODY and not self._spool.fits(self.content_length):
            self._refuse(NoRoom(_NO_ROOM))
        elif self.content_length > SMALL_BODY or (self.chunked and self.limit > SMALL_BODY):
            self.unproven = True
            # Not yet: the channel would ask for the body at once.
            self._wants_continue, self.expect_continue = self.expect_continue, False

    def prove(self) -> None:
        """The credentials are good."""
        self.unproven = False
        self.expect_continue = self._wants_continue

    def decline(self, error: BadRequest) -> None:
        """They are not: answer with `error`, and keep nothing of the body."""
        self.unproven = False
        self.close()
        self.expect_continue = self._wants_continue
        self._refuse(error)

    def close(self) -> None:
        """Drop the body; may be called more than once."""
        count, self._room = self._room, 0
        self._spool.give_back(count)
        super().close()

    def received(self, data: bytes) -> int:
        if self.chunked:
            data = data[:BITE]  # the channel comes again with the rest
        try:
            consumed: int = super().received(data)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            log.error("the disk is full: a request body could not be spooled")
            with suppress(OSError):  # closing writes what is buffered, in vain
                self.close()
            self._refuse(DiskFull("The server's disk is full; nothing was kept of the request."))
            return len(data) if self.completed else self.received(data)
        if self.error is None:
            self._bound()
        return consumed

    def _bound(self) -> None:
        """Refuse the body when what has arrived of it is too much."""
        if self.chunked and self.body_bytes_received > self.limit:
            self._refuse(RequestEntityTooLarge(f"At most {self.limit} bytes are taken in one request here."))
        elif self.chunked and self._framing() > MAX_FRAMING:
            self._refuse(BadRequest("A chunk's size line, or the trailer, does not end."))
        elif self.limit > SMALL_BODY:  # small bodies are bounded by the number of connections
            arrived = self.body_bytes_received - self._room
            if self._spool.take(arrived):
                self._room += arrived
            else:
                self.close()
                self._refuse(NoRoom(_NO_ROOM))

    def _framing(self) -> int:
        return 0 if self.completed else len(self.body_rcv.control_line) + len(self.body_rcv.trailer)

    def _refuse(self, error: BadRequest) -> None:
        """Answer with `error`, once what remains of the body has been dropped if that is not too much."""
        self.error = error
        remaining = getattr(self.body_rcv, "remain", 0)
        if self.expect_continue or self.chunked or remaining > MAX_DRAINED:
            self.expect_continue = False
            self.completed = True
        else:
            self.body_rcv = FixedStreamReceiver(remaining, Void())
