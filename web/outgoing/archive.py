"""Folders as ZIPs: the same answers as files give, for bytes that are put together as they leave."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request

from disposition import content_disposition
from errors import PreconditionFailed
from gateway.moving.transfer import archive_name
from gateway.outgoing.archives import Archive
from gateway.outgoing.downloads import Download
from model import ByteRange, Folder, User
from web.access.auth import signed_in
from web.outgoing.download import gone, respond
from web.wire import context
from web.wire.ranges import decide

blueprint = Blueprint("archive", __name__)


@blueprint.get("/folders/<id:folder_id>/download.zip")
@signed_in
def download(user: User, folder_id: int) -> Response:
    """`?v=` is an ETag without its quotes: the address then means those bytes for good, and 412 once they are others.

    There is no Last-Modified: what is taken out of a folder leaves no trace in the time of anything.
    """
    gateway, left = context.gateway(), gone()
    folder = gateway.files.folder(user, folder_id)
    archive = gateway.archives.of(user, folder)

    def opened(span: ByteRange) -> Download:
        return gateway.downloads.open_archive(user, folder, archive, span, client=context.client(), gone=left)

    return send(folder, archive, opened, repr(user.name), request.path + "?")


def send(
    folder: Folder, archive: Archive, opened: Callable[[ByteRange], Download], by: str, here: str
) -> Response:
    """What the request is owed of this archive, fetched `by` somebody. `here` is its address, up to where `v=` goes.

    Raises PreconditionFailed when another was asked for, and what opening a download raises.
    """
    etag = archive.digest.hex()
    if request.args.get("v", etag) != etag:
        raise PreconditionFailed(
            f"The folder has changed. As it is now, it is at {here}v={etag}: begin anew."
        )
    ranges = context.settings().enable_range_requests
    answer = decide(
        request.method, dict(request.headers), etag=etag, modified=None, size=archive.size, ranges=ranges
    )
    response = respond(answer, opened, f"folder {folder.id}", by)
    if answer.status in {200, 206}:
        response.headers["Content-Type"] = "application/zip"
        response.headers["Content-Disposition"] = content_disposition(archive_name(folder))
        response.headers["Content-Location"] = f"{here}v={etag}"
    return response
