"""Small pictures of files, for albums: made when somebody asks, the same for good as long as the contents are."""

from __future__ import annotations

from flask import Blueprint, Response, request

from errors import BadInput, PreconditionFailed
from gateway.tree.thumbnails import EDGES
from model import File, User
from web.access.auth import signed_in
from web.outgoing.download import VIEWER_POLICY
from web.wire.context import gateway
from web.wire.inputs import number
from web.wire.ranges import precondition

blueprint = Blueprint("thumbnails", __name__)

LIFE = 365 * 86400
"""Seconds for which a browser may keep a picture without asking, where its address names the contents."""


@blueprint.get("/files/<id:file_id>/thumbnail")
@signed_in
def thumbnail(user: User, file_id: int) -> Response:
    return send_thumbnail(gateway().files.file(user, file_id))


def send_thumbnail(file: File) -> Response:
    """WebP of at most `?edge=` pixels a side; with `?v=`, the file's ETag, the answer is good for a year.

    Raises NotFound where there can be none, AtCapacity, StoreError or Damaged.
    """
    edge = number(request.args.get("edge", str(EDGES[0])), "edge")
    if edge not in EDGES:
        raise BadInput(f"edge is one of {', '.join(map(str, EDGES))}.")
    etag = f"{file.tree.hex()}-{edge}"
    status = precondition(request.method, dict(request.headers), etag=etag, modified=None)
    if status == 412:
        raise PreconditionFailed("The picture is another one by now.")
    response = Response(status=304) if status == 304 else Response(gateway().thumbnails.of(file, edge))
    named = request.args.get("v") == file.tree.hex()
    response.headers.update(
        {
            "Content-Type": "image/webp",
            "ETag": f'"{etag}"',
            "Cache-Control": f"private, max-age={LIFE}, immutable" if named else "private, no-cache",
            "Content-Security-Policy": VIEWER_POLICY,
        }
    )
    return response
