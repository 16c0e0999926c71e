"""The plain page: a folder, its files, and a place to drop more. All that it changes goes through the API."""

from __future__ import annotations

from urllib.parse import quote

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

import names
from errors import NotSignedIn
from model import User
from web import context
from web.auth import signed_in
from web.documents import node

blueprint = Blueprint("page", __name__)


@blueprint.get("/")
@signed_in
def folder(user: User) -> ResponseReturnValue:
    found = context.gateway().files.listing(user, request.args.get("path", "/"), request.args.get("cursor"))
    parts = names.split(found.folder.path)
    trail = [(part, names.join(*parts[: index + 1])) for index, part in enumerate(parts)]
    return render_template(
        "folder.html",
        user=user,
        path=found.folder.path,
        trail=trail,
        items=[node(item) for item in found.items],
        next=found.next,
        sandbox=context.settings().telegram is None,
    )


@blueprint.errorhandler(NotSignedIn)
def sign_in_first(_: NotSignedIn) -> ResponseReturnValue:
    """People are sent to the form, and from there back to where they wanted to go."""
    return redirect(f"/login?next={quote(request.full_path.rstrip('?'), safe='')}", 303)


@blueprint.app_template_filter("size")
def size(count: int) -> str:
    """Bytes for people: 1.5 GiB."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        amount /= 1024
        if amount < 999.5 or unit == "PiB":
            break
    return f"{amount:.3g} {unit}"
