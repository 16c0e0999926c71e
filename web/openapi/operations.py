"""Every route, by method and path: what it is sent and what it answers. A test holds this and the routes together.

Errors are left out: they are problems (RFC 9457), the same everywhere.
"""

from __future__ import annotations

from web.openapi.forms import (
    CONSTANT_TUS,
    COUNT,
    CURSOR,
    DIGEST,
    FLAG,
    HTML,
    LIMIT,
    PATH,
    RANGE,
    TEXT,
    TIME,
    ZIP,
    Operation,
    any_of,
    choice,
    file_bytes,
    items,
    nullable,
    only,
    ranged,
    record,
    ref,
    thumbnail,
)
from web.openapi.jobs import JOBS
from web.openapi.sharing import SHARING

_BYTES = "application/octet-stream"
_IDS = {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 1000}
_PUT_THERE = only("if_exists", ids=_IDS, parent=PATH, if_exists=choice("refuse", "rename"))
_PLACE = any_of(name=TEXT, parent=PATH, path=PATH)
_SINCE = {"since": COUNT}
_TUS = {"Tus-Resumable": CONSTANT_TUS}

_PAGES = {
    f"GET {path}": Operation("A view of the web application.", {200: HTML, 303: None})
    for path in ("/", "/transfers", "/shares", "/bin", "/search", "/account", "/admin", "/welcome")
} | {
    "GET /static/{filename}": Operation("The page's own script, style and pictures.", {200: _BYTES}),
    "GET /login": Operation("The form.", {200: HTML, 303: None}, query={"next": PATH}),
    "POST /login": Operation(
        "Sign in.",
        {303: None, 401: HTML, 429: HTML, 503: HTML},
        body="application/x-www-form-urlencoded",
    ),
    "POST /logout": Operation("End the session.", {303: None}),
}

_HOUSE = {
    "GET /healthz": Operation("Whether we are alive.", {200: record(status=TEXT)}),
    "GET /readyz": Operation(
        "Whether database and Telegram can work.", {200: ref("Readiness"), 503: ref("Readiness")}
    ),
    "GET /metrics": Operation("Figures for Prometheus.", {200: "text/plain"}),
    "GET /api/openapi.json": Operation("This document.", {200: {"type": "object"}}),
}

_ACCOUNT = {
    "GET /api/v1/account": Operation(
        "Who asks, and what they store; refused where `incoming` bytes for a file at `path` have no room.",
        {200: ref("Account")},
        query={"incoming": COUNT, "path": PATH},
    ),
    "PUT /api/v1/account/password": Operation(
        "A new password. It ends all other sessions.", {200: ref("Ended")}, body=only(old=TEXT, new=TEXT)
    ),
    "GET /api/v1/sessions": Operation("Browsers that are signed in.", {200: items(ref("Session"))}),
    "DELETE /api/v1/sessions/{session_id}": Operation("Sign a browser out.", {204: None}),
    "DELETE /api/v1/sessions": Operation("Sign all others out.", {200: ref("Ended")}),
    "POST /api/v1/tokens": Operation(
        "A new API token, shown this once.",
        {201: ref("NewToken")},
        body=only("expires_at", name=TEXT, expires_at=nullable(TIME)),
    ),
    "GET /api/v1/tokens": Operation("One's tokens.", {200: items(ref("Token"))}),
    "DELETE /api/v1/tokens/{token_id}": Operation("End a token.", {204: None}),
}

_ADMIN = {
    "GET /api/v1/users": Operation("Everybody, and what they store.", {200: items(ref("Account"))}),
    "POST /api/v1/users": Operation(
        "A new user.",
        {201: ref("Account")},
        body=only(
            "is_admin", "quota", name=TEXT, password=TEXT, is_admin=nullable(FLAG), quota=nullable(COUNT)
        ),
    ),
    "PATCH /api/v1/users/{user_id}": Operation(
        "Change what is given. A password ends the user's sessions.",
        {200: ref("Account")},
        body=any_of(password=nullable(TEXT), is_admin=nullable(FLAG), quota=nullable(COUNT)),
    ),
    "DELETE /api/v1/users/{user_id}": Operation("Remove a user without files.", {204: None}),
    "GET /api/v1/admin": Operation("How the whole house is.", {200: ref("Overview")}),
    "GET /api/v1/admin/damaged": Operation("Files that are damaged.", {200: ref("Damaged")}),
    "GET /api/v1/admin/events": Operation("Everybody's events.", {200: ref("News"), 304: None}, query=_SINCE),
}

_SORTED = {"sort": choice("name", "size", "modified"), "order": choice("asc", "desc")}
_TREE = {
    "GET /api/v1/nodes": Operation(
        "One page of a folder, folders first.",
        {200: ref("Listing")},
        query={"path": PATH, "limit": LIMIT, "cursor": CURSOR} | _SORTED,
    ),
    "GET /api/v1/nodes/at": Operation(
        "The file or folder at a path.", {200: ref("Node")}, query={"path": PATH}, needed=("path",)
    ),
    "GET /api/v1/search": Operation(
        "What has every word of `q` in its name.",
        {200: ref("NodePage")},
        query={"q": TEXT, "path": PATH, "limit": LIMIT, "cursor": CURSOR} | _SORTED,
    ),
    "POST /api/v1/nodes/move": Operation("Move all, or none.", {200: ref("Nodes")}, body=_PUT_THERE),
    "POST /api/v1/nodes/copy": Operation("Copy all, or none.", {200: ref("Nodes")}, body=_PUT_THERE),
    "POST /api/v1/folders": Operation("A new folder.", {201: ref("Node")}, body=_PLACE),
    "GET /api/v1/files/{node_id}": Operation("A file.", {200: ref("File")}),
    "GET /api/v1/files/{node_id}/details": Operation(
        "A file's chunks and digests.",
        {200: ref("Details")},
        query={"cursor": CURSOR, "limit": LIMIT},
    ),
    "GET /api/v1/folders/{node_id}": Operation("A folder.", {200: ref("Node")}),
} | {
    f"{method} /api/v1/{kind}/{{node_id}}": operation
    for kind in ("files", "folders")
    for method, operation in (
        ("PATCH", Operation("Rename or move.", {200: ref("Node")}, body=_PLACE)),
        (
            "DELETE",
            Operation(
                "Into the bin with it and all below it, or past it.",
                {204: None},
                query={"forever": choice("0", "1")},
            ),
        ),
    )
}

_BIN = {
    "POST /api/v1/nodes/delete": Operation(
        "Into the bin with all, or none.", {200: record(removed=COUNT)}, body=only(ids=_IDS)
    ),
    "GET /api/v1/bin": Operation(
        "What can be restored, the latest first.",
        {200: ref("BinPage")},
        query={"limit": LIMIT, "cursor": CURSOR},
    ),
    "POST /api/v1/bin/{node_id}/restore": Operation(
        "Put it back where it was, or to `path`.",
        {200: ref("Node")},
        body=any_of(path=nullable(PATH)),
        body_needed=False,
    ),
    "DELETE /api/v1/bin/{node_id}": Operation("Remove it for good.", {204: None}),
    "DELETE /api/v1/bin": Operation("Empty the bin.", {200: record(removed=COUNT)}),
}

_IN = {
    "GET /api/v1/contents": Operation(
        "Whether the caller may store contents of this size already.",
        {200: record(known=FLAG)},
        query={"size": COUNT},
        needed=("size",),
    ),
    "POST /api/v1/files": Operation(
        "A file of contents that the caller stores already.",
        {200: ref("Node"), 201: ref("Node")},
        body=only(
            "if_exists",
            "media_type",
            path=PATH,
            size=COUNT,
            tree=DIGEST,
            if_exists=choice("refuse", "replace"),
            media_type=nullable(TEXT),
        ),
    ),
    "PUT /api/v1/content/{path}": Operation(
        "The body becomes the file at that path.",
        {200: ref("Node"), 201: ref("Node")},
        headers={"If-None-Match": TEXT, "If-Match": TEXT, "If-Unmodified-Since": TEXT},
        body=_BYTES,
    ),
    "OPTIONS /api/v1/uploads": Operation("What of tus is spoken here.", {204: None}),
    "POST /api/v1/uploads": Operation(
        "Begin an upload (tus 1.0).",
        {201: None},
        headers={**_TUS, "Upload-Length": COUNT, "Upload-Metadata": TEXT},
        needed=("Tus-Resumable", "Upload-Length", "Upload-Metadata"),
    ),
    "OPTIONS /api/v1/uploads/{upload_id}": Operation("What of tus is spoken here.", {204: None}),
    "HEAD /api/v1/uploads/{upload_id}": Operation(
        "Where an upload stands.", {200: None}, headers=_TUS, needed=("Tus-Resumable",)
    ),
    "PATCH /api/v1/uploads/{upload_id}": Operation(
        "The next part.",
        {204: None},
        headers={**_TUS, "Upload-Offset": COUNT, "Upload-Checksum": TEXT},
        needed=("Tus-Resumable", "Upload-Offset"),
        body="application/offset+octet-stream",
    ),
    "DELETE /api/v1/uploads/{upload_id}": Operation(
        "Give an upload up.", {204: None}, headers=_TUS, needed=("Tus-Resumable",)
    ),
}

_OUT = {
    "GET /files/{file_id}/download": file_bytes("The bytes, or a range of them (RFC 9110)."),
    "GET /files/{file_id}/thumbnail": thumbnail(
        "A small picture of a picture, at most `edge` pixels a side; with `v`, the file's ETag, good for a year."
    ),
    "GET /folders/{folder_id}/download.zip": Operation(
        "The folder as a ZIP, or a range of it; only as it was when its ETag was `v`.",
        ranged(ZIP),
        query={"v": DIGEST},
        headers=RANGE,
    ),
    "POST /api/v1/files/{file_id}/link": Operation(
        "An address of the file that needs no cookie, for a while.",
        {201: ref("Link")},
        body=any_of(hours={"type": "integer", "minimum": 1, "maximum": 168}),
    ),
    "GET /api/v1/events": Operation(
        "What happened since; with `Accept: text/event-stream`, as it happens.",
        {200: ref("News"), 304: None},
        query=_SINCE,
    ),
    "GET /api/v1/transfers": Operation("What is moving.", {200: ref("Transfers")}),
    "DELETE /api/v1/transfers/{transfer_id}": Operation("End a transfer.", {204: None}),
    "POST /api/v1/transfers/{transfer_id}/pause": Operation("Stop a download's bytes.", {204: None}),
    "POST /api/v1/transfers/{transfer_id}/resume": Operation("Let them go on.", {204: None}),
    "POST /api/v1/queue": Operation(
        "Wait for a download's turn.", {201: ref("Ticket")}, body=only(file_id=COUNT)
    ),
    "GET /api/v1/queue/{ticket_id}": Operation("How a ticket stands.", {200: ref("Ticket")}),
    "DELETE /api/v1/queue/{ticket_id}": Operation("Wait no longer.", {204: None}),
}

OPERATIONS: dict[str, Operation] = (
    _PAGES | _HOUSE | _ACCOUNT | _ADMIN | _TREE | _BIN | _IN | _OUT | SHARING | JOBS
)
