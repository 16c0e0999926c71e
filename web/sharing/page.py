"""The page of a share: its form for the password, what lies in a folder, and where its bytes are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from disposition import shown_inline
from errors import AtCapacity, Gone, NotFound, PasswordNeeded, StowgramError
from gateway.sharing.visits import Visit
from gateway.tree.thumbnails import small_picture
from model import MIB, File, Node, Share, SharedFolder
from web.sharing import signing
from web.sharing.visiting import at_the_door, come_in, visiting
from web.wire.context import gateway
from web.wire.errors import advice, rule_for
from web.wire.inputs import number, page_size
from web.wire.origin import require_no_other_site

blueprint = Blueprint("share", __name__, url_prefix="/share/<token>")

PAGE = 500
"""Files and folders on one page."""
LARGE = 1024 * MIB
"""Bytes of a folder for which a prepared ZIP is offered; whether one with folders in it is large is not looked into."""


@blueprint.get("")
@visiting
def page(visit: Visit) -> ResponseReturnValue:
    share = visit.share
    if request.args.get("password") is not None:  # it is known now: away from the address line with it
        return _unlocked(share)
    if isinstance(share.node, File):
        return _shown(visit, folder=None, items=[_item(visit, share.node)], next=None)
    folder_id = number(request.args.get("folder", str(share.node.id)), "folder")
    found = gateway().visits.listing(visit, folder_id, request.args.get("cursor"), page_size(PAGE))
    folder = {
        "id": folder_id,
        "name": found.folder.name,
        "trail": [{"name": name, "address": _page(share, each)} for each, name in found.trail],
        "files": found.files,
        "folders": found.folders,
        "size": found.size,
        "download": signing.address(visit, "download-all", folder_id, folder=folder_id),
        "prepare": _prepare(visit, found),
    }
    following = _page(share, folder_id, found.next) if found.next is not None else None
    return _shown(visit, folder=folder, items=[_item(visit, node) for node in found.items], next=following)


@blueprint.post("")
@at_the_door
def unlock(token: str) -> ResponseReturnValue:
    """The form's `password`: a cookie, and back to the page."""
    require_no_other_site()
    return _unlocked(come_in(token).share)


def _unlocked(share: Share) -> Response:
    folder = request.args.get("folder")
    onward = _page(share, number(folder, "folder") if folder else None)
    response = make_response(redirect(onward, 303))
    # Who came in by a cookie has shown no password: a younger one would make it good for ever.
    if share.password_hash is not None and signing.unlocked_until(share) is None:
        signing.unlock(response, share)
    return response


@blueprint.errorhandler(PasswordNeeded)
def ask(error: PasswordNeeded) -> Response:
    """The form; with a refusal where a password came along."""
    given = "password" in request.form or "password" in request.args
    response = _locked(error, str(error) if given else None)
    if given:
        # Not Basic: the form is on the page, and a browser would cover it with a box of its own.
        response.headers["WWW-Authenticate"] = 'Bearer realm="Stowgram"'
    else:
        response.status_code = 200
    return response


@blueprint.errorhandler(AtCapacity)
def ask_later(error: AtCapacity) -> Response:
    """Too many wrong passwords, or too many at once."""
    response = _locked(error, str(error))
    response.headers.update(advice(error))
    return response


@blueprint.errorhandler(NotFound)
@blueprint.errorhandler(Gone)
def over(error: StowgramError) -> Response:
    rule = rule_for(error)
    page = render_template("share_gone.html", title=rule.title, detail=str(error), status=rule.status)
    return make_response(page, rule.status)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """A link that somebody puts onto a page of theirs is still not for everybody to find."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _locked(error: StowgramError, refusal: str | None) -> Response:
    return make_response(render_template("share_locked.html", refusal=refusal), rule_for(error).status)


def _shown(visit: Visit, **more: Any) -> str:
    share = visit.share
    about = {
        "name": share.node.name or "Files",
        "kind": "file" if isinstance(share.node, File) else "folder",
        "has_password": share.password_hash is not None,
        "expires_at": share.terms.expires_at,
    }
    return render_template("share.html", share=about, **more)


def _item(visit: Visit, node: Node) -> dict[str, Any]:
    """What the page says of a file or folder: all addresses are ready to use, None where there is none."""
    said: dict[str, Any] = {"id": node.id, "name": node.name, "modified_at": node.modified_at}
    if not isinstance(node, File):
        zipped = signing.address(visit, "download-all", node.id, folder=node.id)
        return said | {"kind": "folder", "page": _page(visit.share, node.id), "download": zipped}
    place = f"download/{node.id}"
    inline = signing.address(visit, place, node.id, inline=1) if shown_inline(node.media_type) else None
    small = f"thumbnail/{node.id}" if small_picture(node) else None
    return said | {
        "kind": "file",
        "size": node.size,
        "media_type": node.media_type,
        "download": signing.address(visit, place, node.id),
        "inline": inline,
        "thumbnail": small and signing.address(visit, small, node.id, v=node.tree.hex()),
    }


def _prepare(visit: Visit, found: SharedFolder) -> str | None:
    """Where the folder's ZIP is asked for beforehand, where that is worth it and the share's limits allow it."""
    terms = visit.share.terms
    limited = terms.rate_limit_kb or terms.max_connections
    if limited or (found.size < LARGE and not found.folders):
        return None
    return signing.address(visit, "prepare-download", found.folder.id)


def _page(share: Share, folder_id: int | None, cursor: str | None = None) -> str:
    given = {"folder": folder_id, "cursor": cursor}
    query = urlencode({name: value for name, value in given.items() if value is not None})
    return f"/share/{share.token}" + (f"?{query}" if query else "")
