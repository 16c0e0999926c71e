"""Addresses of one file that need no cookie: for download managers, players, and for other people for a while.

Such a link is as good as its owner's own request for the file, and for nothing else. It says whose it is, of which
file, until when, and under which password, all signed; nothing is kept of it here.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from itsdangerous import BadSignature, URLSafeSerializer

from errors import BadInput, Gone, NotFound
from model import User
from web.access.auth import View, declared, signed_in
from web.wire import documents
from web.wire.context import base_url, gateway
from web.wire.inputs import json_object, whole

blueprint = Blueprint("links", __name__, url_prefix="/api/v1")

HOURS, MAX_HOURS = 24, 168
"""How long a link is good when nobody says, and at most."""


@blueprint.post("/files/<id:file_id>/link")
@signed_in
def make(user: User, file_id: int) -> tuple[Response, int]:
    """`{"hours"?}`: the address and when it ends."""
    file = gateway().files.file(user, file_id)
    body = json_object("hours")
    hours = whole(body, "hours") if "hours" in body else HOURS
    if not 1 <= hours <= MAX_HOURS:
        raise BadInput(f"`hours` is 1 to {MAX_HOURS}.")
    ends = int(time.time()) + 3600 * hours
    token = _signed().dumps([user.id, file.id, ends, gateway().people.stamp(user)])
    url = f"{base_url()}/files/{file.id}/download?token={token}"
    return jsonify(url=url, expires_at=documents.moment(datetime.fromtimestamp(ends, UTC))), 201


def linked_or_signed_in(view: View) -> View:
    """A declaration as those in web/access/auth.py, for views of one file that change nothing.

    Who has a link to the file may call it, in the name of its owner, and users.
    """
    for_users = signed_in(view)

    @wraps(view)
    def guarded(file_id: int, **values: Any) -> Any:
        token = request.args.get("token")
        if token is None:
            return for_users(file_id=file_id, **values)
        return view(_owner(token, file_id), file_id=file_id, **values)

    return declared(guarded, "a link")


def _owner(token: str, file_id: int) -> User:
    """Who made this link to the file. Raises NotFound for none of ours, Gone for one that is over."""
    try:
        user_id, linked, ends, stamp = _signed().loads(token)
    except (BadSignature, ValueError, TypeError):
        raise NotFound("This link is incomplete, or none of ours.") from None
    if linked != file_id:
        raise NotFound("This link is for another file.")
    user = gateway().people.stamped(user_id, stamp)
    if user is None or time.time() >= ends:
        raise Gone("This link is over. Ask for another one.")
    return user


def _signed() -> Any:
    return URLSafeSerializer(current_app.secret_key or "", salt="file link")
