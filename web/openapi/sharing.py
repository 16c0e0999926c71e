"""The routes of shares, for owners and for visitors; part of operations.py."""

from __future__ import annotations

from web.openapi.forms import (
    COUNT,
    CURSOR,
    DIGEST,
    HTML,
    LIMIT,
    RANGE,
    TEXT,
    TIME,
    Operation,
    any_of,
    file_bytes,
    nullable,
    ranged,
    ref,
    thumbnail,
)

_BOUND = nullable({"type": "integer", "minimum": 1})
_TERMS = {
    "password": nullable(TEXT),
    "expires_at": nullable(TIME),
    "max_downloads": _BOUND,
    "rate_limit_kb": _BOUND,
    "max_connections": _BOUND,
}
SHARING = {
    "POST /api/v1/shares": Operation(
        "A link to a file or a folder, for others.",
        {201: ref("Share")},
        body=any_of(file_id=COUNT, folder_id=COUNT, **_TERMS),
    ),
    "GET /api/v1/shares": Operation(
        "One's links, the latest first.",
        {200: ref("SharePage")},
        query={"file_id": COUNT, "folder_id": COUNT, "limit": LIMIT, "cursor": CURSOR},
    ),
    "PATCH /api/v1/shares/{token}": Operation(
        "Change a link; null takes a limit or the password away.",
        {200: ref("Share")},
        body=any_of(**_TERMS),
    ),
    "DELETE /api/v1/shares/{token}": Operation("Revoke a link.", {204: None}),
    "GET /share/{token}": Operation(
        "The page of what is shared, or the form for its password.",
        {200: HTML, 303: None, 401: HTML, 404: HTML, 410: HTML, 429: HTML},
        query={"folder": COUNT, "cursor": CURSOR, "limit": LIMIT},
    ),
    "POST /share/{token}": Operation(
        "Unlock it for this browser.",
        {303: None, 401: HTML, 404: HTML, 410: HTML, 429: HTML, 503: HTML},
        query={"folder": COUNT},
        body="application/x-www-form-urlencoded",
    ),
    "GET /api/share/{token}/download/{file_id}": file_bytes(
        "The bytes of a file in the share, or a range of them."
    ),
    "GET /api/share/{token}/thumbnail/{file_id}": thumbnail("A small picture of a picture in the share."),
    "GET /api/share/{token}/download-all": Operation(
        "The shared folder, or one below it, as a ZIP; a shared file as it is.",
        ranged("*/*"),
        query={"folder": COUNT, "v": DIGEST},
        headers=RANGE,
    ),
}
