"""THE table: what each of our errors is in HTTP. The border where ours become foreign; the other is Telegram's.

Programs get application/problem+json (RFC 9457), people a page. It must never tell what is inside: an error that is
not in the table is a 500 whose text is in the log only, under the request id that the answer names.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, json, make_response, render_template, request
from werkzeug.exceptions import HTTPException

import errors
from web.wire.context import path_to_log, request_id, share_page

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    status: int
    slug: str
    """The end of the problem's `type`: what programs tell errors apart by."""
    title: str


TABLE: dict[type[errors.StowgramError], Rule] = {
    errors.BadName: Rule(400, "bad-name", "That name cannot be kept"),
    errors.BadInput: Rule(400, "bad-input", "The request is malformed"),
    errors.NotSignedIn: Rule(401, "not-signed-in", "Sign in first"),
    errors.PasswordNeeded: Rule(401, "password-needed", "This link has a password"),
    errors.Forbidden: Rule(403, "forbidden", "Not allowed"),
    errors.NotFound: Rule(404, "not-found", "Not found"),
    errors.Conflict: Rule(409, "conflict", "In the way of something else"),
    errors.OffsetMismatch: Rule(409, "offset-mismatch", "The upload stands elsewhere"),
    errors.Gone: Rule(410, "gone", "No longer there"),
    errors.PreconditionFailed: Rule(412, "precondition-failed", "A condition does not hold"),
    errors.TooLarge: Rule(413, "too-large", "Too large"),
    errors.Busy: Rule(423, "busy", "Another request holds it"),
    # 460 is the checksum extension's own number (https://tus.io/protocols/resumable-upload#checksum).
    errors.ChecksumMismatch: Rule(460, "checksum-mismatch", "The checksum does not match"),
    errors.TooManyGuesses: Rule(429, "too-many-guesses", "Too many wrong passwords"),
    errors.AtCapacity: Rule(503, "at-capacity", "Too much at once"),
    errors.OverQuota: Rule(507, "over-quota", "Your quota is used up"),
    errors.Refused: Rule(400, "refused", "Refused"),
    errors.Transient: Rule(503, "store-unavailable", "Telegram does not answer at this moment"),
    errors.Permanent: Rule(502, "store-failed", "Telegram refused"),
    errors.StoreError: Rule(502, "store-failed", "Telegram failed"),
    errors.Damaged: Rule(502, "damaged", "The stored bytes are damaged"),
    errors.OutOfSpace: Rule(507, "out-of-space", "The server's disk is full"),
    errors.DatabaseUnavailable: Rule(503, "database-unavailable", "The database does not answer"),
    errors.ClientGone: Rule(400, "client-gone", "The client left"),  # nobody is there to read it
    errors.StowgramError: Rule(500, "internal", "Something went wrong here"),
}
TYPE = "tag:stowgram,2026:"
"""What the `type` of each problem begins with (RFC 4151)."""
RETRY_DATABASE = 5
"""Seconds after which a locked database is worth another try."""
STATUS_460 = "460 Checksum Mismatch"


def rule_for(error: errors.StowgramError) -> Rule:
    """The rule of the nearest class that has one; the root has."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def install(app: Flask) -> None:
    app.register_error_handler(errors.StowgramError, _ours)
    app.register_error_handler(HTTPException, _werkzeugs)
    app.register_error_handler(Exception, _unexpected)


def problem(status: int, slug: str, title: str, detail: str, **members: Any) -> Response:
    """An error's response: problem+json, or a page where a person looks at it."""
    if _for_a_person():
        page = render_template(
            "error.html",
            status=status,
            title=title,
            detail=detail,
            request_id=request_id(),
            share_page=share_page(),
        )
        response = make_response(page, status)
    else:
        document = {"type": TYPE + slug, "title": title, "status": status, "detail": detail}
        body = json.dumps(document | {"request_id": request_id()} | members)
        response = Response(body, status, mimetype="application/problem+json")
    if status == 460:
        response.status = STATUS_460
    return response


def _ours(error: errors.StowgramError) -> Response:
    rule = rule_for(error)
    internal = rule is TABLE[errors.StowgramError]
    if rule.status >= 500 and not isinstance(error, errors.Refused):
        log.warning("%s %s %r: %s", request_id(), request.method, path_to_log(), error, exc_info=internal)
    detail = f"The log has it under {request_id()}." if internal else str(error)
    members = {"expected": error.expected} if isinstance(error, errors.OffsetMismatch) else {}
    response = problem(rule.status, rule.slug, rule.title, detail, **members)
    response.headers.update(advice(error))
    return response


def advice(error: errors.StowgramError) -> dict[str, str]:
    """The headers that say how to go on."""
    match error:
        case errors.AtCapacity() | errors.Transient():
            return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
        case errors.DatabaseUnavailable():
            return {"Retry-After": str(RETRY_DATABASE)}
        case errors.OffsetMismatch():
            return {"Upload-Offset": str(error.expected)}
        case errors.NotSignedIn():
            return {"WWW-Authenticate": challenge()}
        case _:
            return {}


def challenge() -> str:
    """How to sign in. Basic makes a browser open its own box, so fetches of our page are asked for Bearer instead.

    A plain navigation is asked for Basic: download managers repeat a link without its cookies, and know only that.
    """
    fetched = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    by_script = fetched or "X-CSRFToken" in request.headers
    return 'Bearer realm="Stowgram"' if by_script else 'Basic realm="Stowgram", charset="UTF-8"'


def _werkzeugs(error: HTTPException) -> Response | HTTPException:
    """Routing and parsing errors of the framework; redirects pass."""
    if error.code is None or error.code < 400:
        return error
    try:
        title = HTTPStatus(error.code).phrase
    except ValueError:
        title = error.name
    response = problem(error.code, title.lower().replace(" ", "-"), title, error.description or title)
    kept = {"Allow", "Retry-After"}  # RFC 9110 15.5.6: a 405 lists what is allowed
    response.headers.extend((name, value) for name, value in error.get_headers() if name in kept)
    return response


def _unexpected(error: Exception) -> Response:
    log.error("%s %s %r", request_id(), request.method, path_to_log(), exc_info=error)
    rule = TABLE[errors.StowgramError]
    return problem(rule.status, rule.slug, rule.title, f"The log has it under {request_id()}.")


def _for_a_person() -> bool:
    """Only where the client names HTML outright: `*/*` is what download programs send. What visitors of a share open
    lies among what programs do.
    """
    named = any(kind == "text/html" for kind, _ in request.accept_mimetypes)
    return named and (not request.path.startswith("/api/") or share_page() is not None)
