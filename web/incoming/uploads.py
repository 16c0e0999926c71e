"""tus 1.0.0 (https://tus.io/protocols/resumable-upload): creation, checksum, expiration, termination."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from errors import BadInput, TooLarge
from gateway.incoming.uploads import MAX_LENGTH
from model import DIGEST_SIZE, Checksum, Upload, User
from web.access.auth import public, signed_in
from web.wire.context import client, gateway
from web.wire.errors import problem
from web.wire.inputs import file_body, number
from web.wire.ranges import http_date

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

VERSION = "1.0.0"
PREFIX = "/api/v1/uploads"
MAX_METADATA = 16384
"""Characters of Upload-Metadata; a name and a path of the largest size fit in base64."""
CHECKSUMS = ("sha256", "tree")
"""The second is made of the digests that are kept in any case; it costs neither side a hash of its own."""

blueprint = Blueprint("uploads", __name__, url_prefix=PREFIX)


class MethodOverride:
    """POST with X-HTTP-Method-Override stands for PATCH or DELETE, for clients that cannot send those.

    Around the app, because routing has to see the method that is meant; on uploads only.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        meant = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        ours = environ["REQUEST_METHOD"] == "POST" and environ.get("PATH_INFO", "").startswith(PREFIX + "/")
        if ours and meant in {"PATCH", "DELETE"}:
            environ["REQUEST_METHOD"] = meant
        return self._app(environ, start_response)


@blueprint.before_request
def require_version() -> Response | None:
    """A version that we do not speak is refused before anything is done."""
    if request.method == "OPTIONS" or request.headers.get("Tus-Resumable") == VERSION:
        return None
    response = problem(412, "tus-version", "Unknown version of tus", f"Send Tus-Resumable: {VERSION}.")
    response.headers["Tus-Version"] = VERSION
    return response


@blueprint.after_request
def describe(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    return response


@blueprint.route("", methods=["OPTIONS"], endpoint="options", provide_automatic_options=False)
@blueprint.route(
    "/<uuid:upload_id>", methods=["OPTIONS"], endpoint="options", provide_automatic_options=False
)
@public
def options(**_: Any) -> Response:
    response = Response(status=204)
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = "creation,checksum,expiration,termination"
    response.headers["Tus-Checksum-Algorithm"] = ",".join(CHECKSUMS)
    response.headers["Tus-Max-Size"] = str(MAX_LENGTH)
    return response


@blueprint.post("", provide_automatic_options=False)
@signed_in
def create(user: User) -> Response:
    length = number(request.headers.get("Upload-Length"), "Upload-Length")
    if length > MAX_LENGTH:
        raise TooLarge(f"A file has at most {MAX_LENGTH} bytes.")
    metadata = decode_metadata(request.headers.get("Upload-Metadata", ""))
    if not metadata.get("filename"):
        raise BadInput("Upload-Metadata has no `filename`.")
    upload = gateway().uploads.create(
        user,
        folder=metadata.get("path") or "/",
        name=metadata["filename"],
        length=length,
        media_type=metadata.get("filetype"),
        replace=metadata.get("if_exists") != "refuse",
    )
    response = _state(upload, 201)
    # Relative: behind a proxy only the client knows by which name it came (RFC 9110 10.2.2).
    response.headers["Location"] = f"{PREFIX}/{upload.id}"
    return response


@blueprint.route("/<uuid:upload_id>", methods=["HEAD"], endpoint="offset", provide_automatic_options=False)
@signed_in
def offset(user: User, upload_id: UUID) -> Response:
    upload = gateway().uploads.resume(user, upload_id)
    response = _state(upload, 200)
    response.headers["Upload-Length"] = str(upload.length)
    response.headers["Upload-Metadata"] = encode_metadata(
        {"filename": upload.name, "path": upload.folder, "filetype": upload.media_type}
    )
    return response


@blueprint.patch("/<uuid:upload_id>", provide_automatic_options=False)
@signed_in
def append(user: User, upload_id: UUID) -> Response:
    if request.mimetype != "application/offset+octet-stream":
        raise UnsupportedMediaType("Send Content-Type: application/offset+octet-stream.")
    start = number(request.headers.get("Upload-Offset"), "Upload-Offset")
    checksum = decode_checksum(request.headers.get("Upload-Checksum"))
    body, length = file_body()
    upload = gateway().uploads.append(
        user, upload_id, start, body, length, checksum=checksum, client=client()
    )
    return _state(upload, 204)


@blueprint.delete("/<uuid:upload_id>", provide_automatic_options=False)
@signed_in
def abort(user: User, upload_id: UUID) -> Response:
    gateway().uploads.abort(user, upload_id)
    return Response(status=204)


def _state(upload: Upload, status: int) -> Response:
    response = Response(status=status)
    response.headers["Upload-Offset"] = str(upload.offset)
    if upload.file_id is None:
        response.headers["Upload-Expires"] = http_date(upload.expires_at)
    else:
        response.headers["Content-Location"] = f"/api/v1/files/{upload.file_id}"
    return response


def decode_metadata(header: str) -> dict[str, str]:
    """The pairs of Upload-Metadata: `key base64,key base64`, a key alone meaning an empty value. Raises BadInput."""
    if len(header) > MAX_METADATA:
        raise BadInput("Upload-Metadata is too long.")
    metadata: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        if not key or not key.isascii() or key in metadata:
            raise BadInput(f"Upload-Metadata has an empty, strange or repeated key: {key[:40]!a}.")
        try:
            metadata[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise BadInput(f"The value of {key[:40]!r} in Upload-Metadata is not UTF-8 in base64.") from None
    return metadata


def encode_metadata(metadata: dict[str, str]) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())


def decode_checksum(header: str | None) -> Checksum | None:
    """The digest in `sha256 BASE64` or `tree BASE64`. Raises BadInput."""
    if header is None:
        return None
    algorithm, _, value = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise BadInput(f"Upload-Checksum: only {' and '.join(CHECKSUMS)} are known here.")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("Upload-Checksum is not valid base64.") from None
    if len(digest) != DIGEST_SIZE:
        raise BadInput(f"Upload-Checksum: a SHA-256 has {DIGEST_SIZE} bytes, not {len(digest)}.")
    return Checksum(digest, by_piece=algorithm == "tree")
