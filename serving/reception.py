"""Which request bodies are taken in.

waitress spools a whole body to disk before the app sees the request, so what the app would refuse in any case
is refused here, from the headers: a body too large for its route, and any but a small one from nobody.
"""

from __future__ import annotations

import errno
import logging
from contextlib import suppress
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError, TransferEncodingNotImplemented
from waitress.receiver import FixedStreamReceiver
from waitress.utilities import BadRequest, RequestEntityTooLarge

from serving.routes import SMALL_BODY, body_limit

log = logging.getLogger(__name__)

MAX_DRAINED = 64 << 20
"""Bytes of a refused body that are read and dropped, so that the client gets to read the refusal: closing a
socket with unread bytes resets it (RFC 9112 9.6)."""


class SignInFirst(BadRequest):  # type: ignore[misc]  # waitress has no types
    code = 401
    reason = "Unauthorized"


class DiskFull(BadRequest):  # type: ignore[misc]
    code = 507
    reason = "Insufficient Storage"


class Void:
    """A buffer that keeps nothing."""

    def append(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def __len__(self) -> int:
        return 0


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request on its way in."""

    # waitress's own, declared for the type checker.
    completed: bool
    expect_continue: bool
    body_rcv: Any

    limit = SMALL_BODY

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except (ParsingError, TransferEncodingNotImplemented):
            self.expect_continue = False  # or the channel would say 100, forget the error and wait
            raise
        self.limit = body_limit(self.command, self.path)
        known = "AUTHORIZATION" in self.headers or "COOKIE" in self.headers
        if not known and (self.content_length > SMALL_BODY or self.chunked):
            self._refuse(SignInFirst("Sign in before sending a large body."))
        elif self.content_length > self.limit:
            self._refuse(RequestEntityTooLarge(f"At most {self.limit} bytes are taken in one request here."))

    def received(self, data: bytes) -> int:
        try:
            consumed: int = super().received(data)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            log.error("the disk is full: a request body could not be spooled")
            with suppress(OSError):  # closing writes what is buffered, in vain
                self.close()
            self._refuse(DiskFull("The server's disk is full; nothing was kept of the request."))
            return len(data) if self.completed else self.received(data)
        if self.chunked and self.body_bytes_received > self.limit:
            self.error = RequestEntityTooLarge(f"At most {self.limit} bytes are taken in one request here.")
            self.completed = True
        return consumed

    def _refuse(self, error: BadRequest) -> None:
        """Answer with `error`, once what remains of the body has been dropped if that is not too much."""
        self.error = error
        remaining = getattr(self.body_rcv, "remain", 0)
        if self.expect_continue or self.chunked or remaining > MAX_DRAINED:
            self.expect_continue = False
            self.completed = True
        else:
            self.body_rcv = FixedStreamReceiver(remaining, Void())
