"""What a request says, checked: every reader here gives a value of its type, or raises BadInput with a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast
from urllib.parse import unquote_to_bytes

from flask import request
from werkzeug.exceptions import BadRequest, LengthRequired
from werkzeug.routing import BaseConverter, IntegerConverter

from errors import BadInput, TooLarge

MAX_ID = (1 << 63) - 1
"""The largest row id."""
MAX_PART = 1 << 30
"""Bytes of a file that one request may carry; other bodies are bounded by MAX_CONTENT_LENGTH."""
MAX_DIGITS = 19
"""Of a number in a header: as many as 2^63 has."""
MAX_IDS = 1000
"""Files and folders that one request may be about."""
PAGE, MAX_PAGE = 200, 1000
"""Entries on one page of a list, when the client does not say, and at most."""


class IdConverter(IntegerConverter):
    """`<id:…>` in a route: a row id. What no row can have is a 404."""

    def __init__(self, map: Any) -> None:
        super().__init__(map, max=MAX_ID)


class JobConverter(BaseConverter):
    """`<job:…>` in a route: a job's id, as `secrets.token_hex(16)` makes them."""

    regex = "[0-9a-f]{32}"


class PathConverter(BaseConverter):
    """`<everything:…>` in a route: the rest of the path as it came, so that `names` may refuse `//` and the like."""

    part_isolating = False
    regex = "(?s:.*)"
    weight = 300  # tried after all other routes


def require_utf8() -> None:
    """Refuse a path or query that is not UTF-8: Werkzeug would put U+FFFD in the place of the bytes, and keep that."""
    try:
        # WSGI hands the decoded path over as Latin-1 (PEP 3333).
        request.environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
        unquote_to_bytes(request.query_string).decode("utf-8")
    except UnicodeError:
        raise BadInput("The address is not valid UTF-8.") from None


def file_body() -> tuple[BinaryIO, int]:
    """The body as it comes, and its length in bytes. Raises LengthRequired; TooLarge past MAX_PART."""
    if request.content_length is None:
        raise LengthRequired("Send Content-Length.")
    if request.content_length > MAX_PART:
        raise TooLarge(
            f"At most {MAX_PART} bytes are taken in one request. Send the file in parts: see uploads."
        )
    request.max_content_length = MAX_PART
    # A server that has the whole body gives a file, which can seek; Werkzeug wraps it in a reader that cannot.
    whole = request.environ.get("wsgi.input_terminated")
    return cast(BinaryIO, request.environ["wsgi.input"] if whole else request.stream), request.content_length


def json_object(*known: str) -> dict[str, Any]:
    """The JSON object in the body; every member must be one of `known`."""
    try:
        body = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise BadInput("The body is not valid JSON.") from error
    if not isinstance(body, dict):
        raise BadInput("The body is not a JSON object.")
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise BadInput(f"{unknown[0]!a} is not known here; there are {', '.join(known)}.")
    return cast(dict[str, Any], body)


def text(body: dict[str, Any], name: str) -> str | None:
    """A member that is a string; None when it is absent or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"`{name}` is not a string.")
    return value


def truth(body: dict[str, Any], name: str) -> bool | None:
    """A member that is true or false; None when it is absent or null."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadInput(f"`{name}` is neither true nor false.")
    return value


def count(body: dict[str, Any], name: str) -> int | None:
    """A member that is a whole number, 0 or more; None when it is absent or null."""
    value = body.get(name)
    if value is not None and (type(value) is not int or not 0 <= value <= MAX_ID):
        raise BadInput(f"`{name}` is not a whole number that we could count to.")
    return value


def required(value: str | None, name: str) -> str:
    if value is None:
        raise BadInput(f"`{name}` is missing.")
    return value


def ids(body: dict[str, Any], name: str) -> list[int]:
    """A member that is a list of 1 to MAX_IDS row ids."""
    value = body.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_IDS:
        raise BadInput(f"`{name}` is not a list of 1 to {MAX_IDS} numbers.")
    if not all(type(one) is int and 0 <= one <= MAX_ID for one in value):
        raise BadInput(f"`{name}` holds something that is no number of a file or folder.")
    return value


def whole(body: dict[str, Any], name: str) -> int:
    """A member that is a whole number, 0 or more."""
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise BadInput(f"`{name}` is not a whole number that we could count to.")
    return value


def bound(body: dict[str, Any], name: str) -> int | None:
    """A member that is a whole number, 1 or more; None when it is absent or null, for no bound."""
    value = count(body, name)
    if value == 0:
        raise BadInput(f"`{name}` is 1 or more, or null for no bound.")
    return value


def future(body: dict[str, Any], name: str) -> datetime | None:
    """A member that is a time to come; None when it is absent or null, for never."""
    when = moment(body, name)
    if when is not None and when <= datetime.now(UTC):
        raise BadInput(f"`{name}` is over already.")
    return when


def one_of(value: str, name: str, *choices: str) -> str:
    if value not in choices:
        raise BadInput(f"{name} is one of {', '.join(choices)}.")
    return value


def page_size(default: int = PAGE) -> int:
    """`limit` of the query: how many entries one page may have."""
    limit = number(request.args.get("limit", str(default)), "limit")
    if not 1 <= limit <= MAX_PAGE:
        raise BadInput(f"limit is 1 to {MAX_PAGE}.")
    return limit


def moment(body: dict[str, Any], name: str) -> datetime | None:
    """A member that is an ISO 8601 time with its zone."""
    value = text(body, name)
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(f"`{name}` is not an ISO 8601 time.") from None
    if when.tzinfo is None:
        raise BadInput(f"`{name}` has no time zone; end it with Z for UTC.")
    try:
        return when.astimezone(UTC)
    except OverflowError:  # the year 9999 ends, or the year 1 begins, elsewhere than in UTC
        raise BadInput(f"`{name}` lies outside of what a calendar holds.") from None


def number(value: str | None, name: str) -> int:
    """A whole number, 0 or more, as a header or the query has it."""
    if value is None:
        raise BadInput(f"{name} is missing.")
    if not re.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}", value) or int(value) > MAX_ID:
        raise BadInput(f"{name} is not a whole number that we could count to.")
    return int(value)
