"""A file sent whole, in one request: for small things and for scripts."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import UnsupportedMediaType

from errors import BadInput, NotFound, PreconditionFailed
from model import File, User
from web.access.auth import signed_in
from web.wire.context import client, gateway
from web.wire.documents import node
from web.wire.inputs import file_body
from web.wire.ranges import precondition

blueprint = Blueprint("content", __name__)

# What curl, and forms, say of any body they are given: nothing about the file.
_SAYS_NOTHING = {"application/x-www-form-urlencoded", "multipart/form-data", ""}


@blueprint.put("/api/v1/content/<everything:path>")
@signed_in
def put(user: User, path: str) -> tuple[Response, int]:
    """201 for a new file, 200 for one that was replaced."""
    _require_whole()
    place = "/" + path
    if place.endswith("/"):
        raise BadInput("The path ends with a slash; give the name of a file.")
    only_new = request.headers.get("If-None-Match", "").strip() == "*"
    if not only_new:
        _require_conditions(user, place)
    body, length = file_body()
    media_type = None if request.mimetype in _SAYS_NOTHING else request.headers.get("Content-Type")
    file, created = gateway().uploads.put(
        user, place, body, length, media_type=media_type, only_new=only_new, client=client()
    )
    response = jsonify(node(file))
    response.headers["Location"] = f"/api/v1/files/{file.id}"
    response.headers["ETag"] = f'"{file.tree.hex()}"'
    return response, 201 if created else 200


def _require_whole() -> None:
    """RFC 9110 14.5 forbids to take a part for the whole, and 8.4 a coded body for the file."""
    if "Content-Range" in request.headers:
        raise BadInput("A part cannot be put; use an upload, which resumes.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the file's own bytes, without Content-Encoding.")


def _require_conditions(user: User, place: str) -> None:
    """If-Match and its kin (RFC 9110 13.1), against what stands there before the body is stored."""
    if not any(name in request.headers for name in ("If-Match", "If-None-Match", "If-Unmodified-Since")):
        return
    try:
        there = gateway().files.at(user, place)
    except NotFound:
        there = None
    if isinstance(there, File):
        held = (
            precondition("PUT", dict(request.headers), etag=there.tree.hex(), modified=there.modified_at)
            == 200
        )
    else:
        held = "If-Match" not in request.headers
    if not held:
        raise PreconditionFailed(f"What stands at {place!r} is not what the request expects.")
