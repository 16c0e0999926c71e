"""The bytes on their way out. Prepare inside the request, stream outside it: what streams knows nothing of Flask."""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from flask import Blueprint, Response, request

from disposition import content_disposition, shown_inline
from errors import ClientGone, Damaged, StoreError
from gateway.outgoing.downloads import Download
from model import ByteRange, File, User, Wait
from web.outgoing.links import linked_or_signed_in
from web.wire import context
from web.wire.errors import problem
from web.wire.ranges import Answer, decide

log = logging.getLogger(__name__)
blueprint = Blueprint("download", __name__)

VIEWER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; sandbox"
"""No more than what a browser's own viewer of pictures, sound and film needs: no script, no origin."""


class Transfer(Iterator[bytes]):
    """A download as a response's body: cuts the line when it fails, and logs one line when it ends.

    Plain data only, since it runs after the request is over. The server calls `close`, always.
    """

    def __init__(self, download: Download, label: str) -> None:
        self._download = download
        self._label = label
        self._began = time.monotonic()

    def __next__(self) -> bytes:
        with self._cut_short():
            return next(self._download)

    def started(self, wake: Callable[[], None]) -> None:
        """By a server that keeps no thread for it: `wake` has it polled soon."""
        self._download.started(wake)

    def poll(self, left: int) -> bytes | Wait | None:
        """For such a server: the next block, what to wait for, or None at the end.

        `left` is how many of the bytes given so far wait in the server for the reader.
        """
        with self._cut_short():
            return self._download.poll(left)

    @contextmanager
    def _cut_short(self) -> Iterator[None]:
        try:
            yield
        except (StoreError, Damaged, ClientGone) as error:
            # The status is out already: all that is left is to end before Content-Length, which the client sees.
            raise ConnectionAbortedError(str(error)) from error

    def close(self) -> None:
        self._download.close()
        sent, seconds = self._download.sent, time.monotonic() - self._began
        log.info("%s: %d bytes in %.2f s, %s", self._label, sent, seconds, self._download.outcome)


@blueprint.get("/files/<id:file_id>/download")
@linked_or_signed_in
def download(user: User, file_id: int) -> Response:
    gateway, left = context.gateway(), gone()
    file = gateway.files.file(user, file_id)

    def opened(span: ByteRange) -> Download:
        return gateway.downloads.open(user, file, span, client=context.client(), gone=left)

    return send(file, opened, repr(user.name))


def send(file: File, opened: Callable[[ByteRange], Download], by: str) -> Response:
    """What the request is owed of this file, fetched `by` somebody, as the log calls them.

    Raises what opening a download raises, before a byte is out.
    """
    answer = decide(
        request.method,
        dict(request.headers),
        etag=file.tree.hex(),
        modified=file.modified_at,
        size=file.size,
        ranges=context.settings().enable_range_requests,
    )
    response = respond(answer, opened, f"file {file.id}", by)
    if answer.status in {200, 206}:
        _describe(response, file)
    return response


def respond(answer: Answer, opened: Callable[[ByteRange], Download], what: str, by: str) -> Response:
    """The response that was decided on; `opened` is asked for its bytes where it has some."""
    span = answer.span
    if span is None:
        response = without_bytes(answer)
    elif request.method == "HEAD":
        response = Response(status=answer.status)
    else:
        label = f"{context.request_id()} download of {what} [{span.start}, {span.stop}) by {by}"
        response = Response(Transfer(opened(span), label), answer.status, direct_passthrough=True)
    response.headers.update(answer.headers)
    # The same address means other bytes once the file is replaced, or the folder changed.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def gone() -> Callable[[], bool]:
    """What tells whether the client of this request has left; it may be asked when the request is over."""
    # waitress puts it into the environ; other servers have no such thing, and we learn it from the next write.
    disconnected: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    return disconnected


def without_bytes(answer: Answer) -> Response:
    """A 304, 412 or 416 that was decided on."""
    if answer.status == 304:
        return Response(status=304)
    if answer.status == 412:
        return problem(412, "precondition-failed", "A condition does not hold", "It is another one by now.")
    size = answer.headers["Content-Range"].removeprefix("bytes */")
    detail = f"It has {size} bytes; the range begins after them."
    return problem(416, "range-not-satisfiable", "Range not satisfiable", detail)


def _describe(response: Response, file: File) -> None:
    """The headers that stored bytes carry. They never become active content on our origin."""
    inline = request.args.get("inline") == "1" and shown_inline(file.media_type)
    kind: Literal["inline", "attachment"] = "inline" if inline else "attachment"
    text = file.media_type.lower() == "text/plain"
    response.headers["Content-Type"] = "text/plain; charset=utf-8" if text else file.media_type
    response.headers["Content-Disposition"] = content_disposition(file.name, kind)
    response.headers["Content-Security-Policy"] = VIEWER_POLICY
    if file.sha256 is not None:
        digest = base64.b64encode(file.sha256).decode("ascii")
        response.headers["Repr-Digest"] = f"sha-256=:{digest}:"  # RFC 9530, of the whole file, ranges or not
