"""The bytes of what is shared: the same answers as its owner gets, under the share's limits."""

from __future__ import annotations

from flask import Blueprint, Response, request

from gateway.outgoing.downloads import Download
from gateway.sharing.visits import Visit
from model import ByteRange, File
from web.outgoing import archive, download
from web.outgoing.thumbnails import send_thumbnail
from web.sharing.visiting import fetching
from web.wire.context import gateway
from web.wire.inputs import number

blueprint = Blueprint("share_download", __name__, url_prefix="/api/share/<token>")


@blueprint.get("/download/<id:file_id>")
@fetching
def file(visit: Visit, file_id: int) -> Response:
    return _file(visit, file_id)


@blueprint.get("/download-all")
@fetching
def everything(visit: Visit) -> Response:
    """The shared folder, or with `?folder=` one below it, as a ZIP; a shared file as it is."""
    if isinstance(visit.share.node, File):
        return _file(visit, visit.share.node.id)
    visits, left = gateway().visits, download.gone()
    folder = visits.folder(visit, folder_id(visit))
    visits.require_left(visit, folder.id)
    packed = visits.archive(visit, folder)

    def opened(span: ByteRange) -> Download:
        return visits.open_archive(visit, folder, packed, span, left)

    here = f"{request.path}?folder={folder.id}&"
    return archive.send(folder, packed, opened, _who(visit), here)


@blueprint.get("/thumbnail/<id:file_id>")
@fetching
def thumbnail(visit: Visit, file_id: int) -> Response:
    """It counts for no download: it is not what is shared."""
    return send_thumbnail(gateway().visits.file(visit, file_id))


def folder_id(visit: Visit) -> int:
    """The folder that the query names; without a name the shared one."""
    return number(request.args.get("folder", str(visit.share.node.id)), "folder")


def _file(visit: Visit, file_id: int) -> Response:
    visits, left = gateway().visits, download.gone()
    found = visits.file(visit, file_id)
    visits.require_left(visit, found.id)

    def opened(span: ByteRange) -> Download:
        return visits.open(visit, found, span, left)

    return download.send(found, opened, _who(visit))


def _who(visit: Visit) -> str:
    """For the log, which must not have the token."""
    return f"a visitor of share {visit.share.id}"
