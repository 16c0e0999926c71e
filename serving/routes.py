"""Which requests run long and which carry much, told by method and path alone, before the app is asked. Pure.

These are the routes of the API. A wrong guess costs speed, never safety: the app decides who may do what.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

Lane = Literal["pages", "downloads", "uploads"]

LARGE_BODY = 1 << 30
"""Bytes in the largest request body, 1 GiB: one part of an upload, or a file sent whole."""
SMALL_BODY = 1 << 20
"""Bytes in any other body: JSON and forms."""

ACCOUNT = "/api/v1/account"
"""Answers 200 to whoever has good credentials, and room for what they say is `incoming`, and to nobody else."""

_STREAMS = ("/files/", "/folders/", "/prepared/", "/api/share/")
_UPLOADS = "/api/v1/uploads"
_CONTENT = "/api/v1/content/"


def incoming(method: str, path: str, length: int) -> str:
    """The query by which ACCOUNT is asked whether such a body may come; `path` as WSGI has it (PEP 3333).

    Parts of an upload are none of it: their room was asked for when it began.
    """
    if method != "PUT" or not path.startswith(_CONTENT):
        return ""
    place = "/" + path.removeprefix(_CONTENT)
    return urlencode({"incoming": length, "path": place.encode("latin-1")})


def lane(method: str, path: str) -> Lane:
    """The pool of threads that a request belongs to."""
    if method in {"GET", "HEAD"}:
        return "downloads" if path.startswith(_STREAMS) else "pages"
    if path.startswith((_UPLOADS, _CONTENT)) and method != "OPTIONS":
        return "uploads"
    return "pages"


def body_limit(method: str, path: str) -> int:
    """The most bytes that this request's body may have. A tus PATCH may come as POST, with an override."""
    carries_a_file = (method == "PUT" and path.startswith(_CONTENT)) or (
        method in {"PATCH", "POST"} and path.startswith(_UPLOADS + "/")
    )
    return LARGE_BODY if carries_a_file else SMALL_BODY
